import Raft
import Scheduler

/// The HTTP interface of a node: finds the resource that a request is for. See docs/API.md.
///
/// Lives on the loop's thread. Everything it knows of the cluster comes through the `Gateway`.
final class API {
    private let context: APIContext
    private let cluster: ClusterAPI
    private let events: EventsAPI
    private let workerSessions: WorkerSessionsAPI
    private let results: ResultsAPI

    init(_ context: APIContext) {
        self.context = context
        cluster = ClusterAPI(context)
        events = EventsAPI(context)
        workerSessions = WorkerSessionsAPI(context)
        results = ResultsAPI(context)
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let name = request.header("x-carillon-namespace") ?? ""
        let call = Call(
            context: context, request: request, responder: responder,
            namespace: name.isEmpty ? .standard : Namespace(name: name))
        if request.method != .get, request.method != .head,
            CrossSite.isForeign(origin: request.header("origin"), host: request.header("host"))
        {
            call.reply(
                Problem(
                    kind: .crossSite, status: 403,
                    detail: "Web pages of other sites may not change anything here."))
            return
        }
        guard name.isEmpty || NamespacesAPI.isName(name) else {
            return call.reply(NamespacesAPI.invalidName(name))
        }
        route(call)
    }

    /// To be told whenever the leader, as this node knows it, has changed.
    func leadershipChanged() {
        cluster.leadershipChanged()
    }

    /// To be told whenever the members, as this node knows them, or who is connected may have changed.
    func membersChanged() {
        cluster.membersChanged()
    }

    /// To be told after every turn of the replica: something may have happened.
    func turnEnded() {
        events.turnEnded()
        context.bulkJobs.turnEnded()
    }

    /// Ends what would never end by itself.
    func drain() { events.drain() }

    /// To be told when this node's newest snapshot is another one.
    func snapshotChanged() { cluster.backup.snapshotChanged() }

    /// What the snapshot thread answers to `NodeFacts.export`.
    func exported(_ reply: SnapshotExport.Reply) { cluster.backup.take(reply) }

    /// What an attempt of this node's own worker says of itself.
    func progressed(_ assignment: Assignment, _ progress: AttemptProgress) {
        context.progress.report(
            ProgressReport(
                task: assignment.task, attempt: assignment.attempt, fence: assignment.fence,
                progress: TaskProgress(progress)))
    }

    private func route(_ call: Call) {
        let segments = call.request.segments
        guard segments.first == "v1", segments.count > 1 else {
            guard segments.count <= 1 else { return call.replyUnknownPath() }
            return PagesAPI.handle(segments.first ?? "", call)
        }
        guard segments[1] == "namespaces", segments.count > 3 else {
            return route(segments[1], segments[2...], call)
        }
        // What lives in no namespace is not found there.
        guard Self.namespaced.contains(segments[3]) else { return call.replyUnknownPath() }
        let inner = Call(
            context: call.context, request: call.request, responder: call.responder,
            namespace: Namespace(name: segments[2]))
        guard NamespacesAPI.isName(segments[2]) else {
            return call.reply(NamespacesAPI.invalidName(segments[2]))
        }
        route(segments[3], segments[4...], inner)
    }

    /// What lives in namespaces, by the first word of its paths.
    static let namespaced = [
        "tasks", "schedules", "templates", "dead", "jobs", "workflows", "events", "queues",
    ]

    private func route(_ resource: String, _ path: ArraySlice<String>, _ call: Call) {
        switch resource {
        case "tasks" where path.dropFirst().first == "attempts": AttemptsAPI.handle(path, call)
        case "tasks" where results.handles(path): results.handle(path, call)
        case "tasks": TasksAPI.handle(path, call)
        case "schedules": SchedulesAPI.handle(path, call)
        case "workers": workerSessions.handle(path, call)
        case "dead": DeadAPI.handle(path, call)
        case "jobs": BulkJobsAPI.handle(path, call)
        case "workflows": WorkflowsAPI.handle(path, call)
        case "cluster": cluster.handle(path, call)
        case "events" where path.isEmpty: events.handle(call)
        case "templates": TemplatesAPI.handle(path, call)
        case "queues": QueuesAPI.handle(path, call)
        case "namespaces": NamespacesAPI.handle(path, call)
        default: call.replyUnknownPath()
        }
    }
}
