import Raft
import Scheduler

/// Workers that attach over HTTP, in any language: `POST /v1/workers`, and what they ask for under their names. Any node
/// serves them. See docs/WORKERS.md.
final class WorkerSessionsAPI {
    private let context: APIContext
    private let desk: AssignmentDesk

    init(_ context: APIContext) {
        self.context = context
        desk = AssignmentDesk(context)
        context.gateway.onAttachedWorkerChange = { [weak desk] worker in desk?.changed(worker) }
    }

    func handle(_ path: ArraySlice<String>, _ call: Call) {
        guard let id = path.first else {
            guard call.allows(.get, .post) else { return }
            return call.request.method == .post ? attach(call) : WorkersAPI.list(call)
        }
        switch path.dropFirst().first {
        case nil:
            guard call.allows(.get, .delete), call.hasNoBody() else { return }
            if call.request.method == .delete { leave(id, call) } else { WorkersAPI.get(id, call) }
        case "assignments" where path.count == 2:
            guard call.allows(.get) else { return }
            poll(id, call)
        case "heartbeat" where path.count == 2:
            guard call.allows(.post) else { return }
            heartbeat(id, call)
        case "finish" where path.count == 2:
            guard call.allows(.post) else { return }
            FinishBatch.begin(id, call)
        default:
            WorkersAPI.handle(path, call)
        }
    }

    // MARK: Coming

    private func attach(_ call: Call) {
        guard let document = call.document() else { return }
        var query = call.query
        let options = call.options(&query)
        query.finish()
        var reader = JSONReader(document.root)
        let spec = Self.readWorker(&reader)
        reader.finish()
        var problems = reader.problems + query.problems
        let key = call.request.header("idempotency-key")
        if let key, let problem = TasksAPI.wrong(key, besides: nil) { problems.append(problem) }
        guard problems.isEmpty, let spec else { return call.reply(Problem.invalid(problems)) }
        call.perform(
            .attachWorker(spec, key: key), options, noun: "worker", name: spec.id,
            wrongState: { "" }
        ) { outcome in
            guard case .session(let session) = outcome else {
                preconditionFailure("a worker that attaches gets a session")
            }
            let settings = call.gateway.replica.settings
            call.reply(status: 201) { writer in
                writer.beginObject()
                writer.field("session", WorkerSession.text(session))
                writer.field("heartbeat", Self.duration(settings.attachedBeatNanoseconds))
                writer.field("lease", Self.duration(settings.leaseNanoseconds))
                writer.endObject()
            }
        }
    }

    /// In one unit, so that a worker needs no parser of durations.
    private static func duration(_ nanoseconds: Nanoseconds) -> String {
        "\(nanoseconds / 1_000_000)ms"
    }

    private static func readWorker(_ reader: inout JSONReader) -> WorkerSpec? {
        let id = reader.string("id", allowEmpty: false, required: true)
        if let id, !NameRule.isID(id) {
            reader.problem("id", "\"\(id)\" is not an id: \(NameRule.id)")
        }
        let handlers = reader.strings(
            "handlers", maxCount: Limits.maxHandlersPerWorker, maxBytes: Limits.maxNameBytes,
            required: true)
        for (place, name) in (handlers ?? []).enumerated() where !NameRule.isName(name) {
            reader.problem("handlers", "\(place): \"\(name)\" is not a name: \(NameRule.name)")
        }
        // Whoever had it would be told of everybody's ends, and could keep them to himself.
        if handlers?.contains(Webhook.handler) == true {
            reader.problem("handlers", "\"\(Webhook.handler)\" is run by the nodes alone")
        }
        if handlers?.isEmpty == true { reader.problem("handlers", "must not be empty") }
        let tags = reader.strings(
            "tags", maxCount: Limits.maxTags, maxBytes: Limits.maxNameBytes, allowEmpty: false)
        for tag in tags ?? [] where !NameRule.isPlain(tag) {
            reader.problem("tags", "\"\(tag)\" has control characters")
        }
        let slots = reader.integer("slots", in: 1...Int64(Limits.maxSlotsPerWorker))
        guard let id, let handlers else { return nil }
        return WorkerSpec(
            id: id, incarnation: 0, slots: UInt32(slots ?? 1), handlers: handlers, tags: tags ?? [])
    }

    // MARK: Living

    private func poll(_ id: String, _ call: Call) {
        var query = call.query
        let session = Self.session(&query)
        let wait =
            query.durationMilliseconds("wait", in: 0...APILimits.maxTimeoutMilliseconds)
            ?? APILimits.defaultPollMilliseconds
        let options = call.options(&query)
        query.finish()
        guard query.problems.isEmpty, let session else {
            return call.reply(Problem.invalid(query.problems))
        }
        // Behind a read: what the worker has finished through another node must not be handed out again.
        call.read(options) { [desk] in
            guard Self.isCurrent(id, session, call) else { return }
            let deadline = call.request.receivedAt + Nanoseconds(wait) * 1_000_000
            desk.poll(id, session: session, until: deadline, call)
        }
    }

    private func heartbeat(_ id: String, _ call: Call) {
        guard let document = call.document() else { return }
        var query = call.query
        let options = call.options(&query)
        query.finish()
        var reader = JSONReader(document.root)
        let session = Self.session(&reader)
        var running: [AssignmentDesk.Attempt] = []
        reader.objects("running", maxCount: Int(Limits.maxSlotsPerWorker), required: true) {
            _, reader in
            if let attempt = Self.attempt(&reader) { running.append(attempt) }
        }
        reader.finish()
        let problems = reader.problems + query.problems
        guard problems.isEmpty, let session else { return call.reply(Problem.invalid(problems)) }
        // Behind a read: a state that lags behind may not know the session, or what another node handed out.
        call.read(options) { [desk] in
            guard Self.isCurrent(id, session, call) else { return }
            call.gateway.beat(worker: id, session: session, deadline: options.deadline) { reply in
                if case .refused(let refusal) = reply { return call.refuse(refusal) }
                guard Self.isCurrent(id, session, call) else { return }
                let current = call.gateway.replica.scheduler.namesOfRunningAttempts(
                    worker: id, incarnation: session)
                let live = Set(
                    current.map { AssignmentDesk.Attempt(task: $0.task, attempt: $0.attempt) })
                desk.named(Set(running), by: id, session: session)
                call.reply { Self.write(cancel: running.filter { !live.contains($0) }, to: &$0) }
            }
        }
    }

    private static func write(
        cancel attempts: [AssignmentDesk.Attempt], to writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.key("cancel")
        writer.beginArray()
        for attempt in attempts {
            writer.beginObject()
            writer.field("task", attempt.task.description)
            writer.field("attempt", Int64(attempt.attempt))
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
    }

    // MARK: Going

    private func leave(_ id: String, _ call: Call) {
        var query = call.query
        let session = Self.session(&query)
        let options = call.options(&query)
        query.finish()
        guard query.problems.isEmpty, let session else {
            return call.reply(Problem.invalid(query.problems))
        }
        // Behind a read: the state machine's refusal of a session would be taken for one of this node.
        call.read(options) {
            let standing = WorkerSession.standing(id, session, call.gateway.replica.scheduler)
            // It has left already, and says so again.
            if standing == .lost { return call.reply(HTTPResponse(status: 204)) }
            guard Self.isCurrent(id, session, call) else { return }
            call.perform(
                .workerLost(id: id, incarnation: session), options, noun: "worker", name: id,
                wrongState: { "" }
            ) { _ in call.reply(HTTPResponse(status: 204)) }
        }
    }

    // MARK: Parts

    static func isCurrent(_ id: String, _ session: UInt64, _ call: Call) -> Bool {
        let standing = WorkerSession.standing(id, session, call.gateway.replica.scheduler)
        guard let problem = WorkerSession.problem(standing, id) else { return true }
        call.reply(problem)
        return false
    }

    private static func session(_ query: inout QueryReader) -> UInt64? {
        guard let text = query.text("session", maxBytes: WorkerSession.maxTextBytes) else {
            query.problem("session", "is required")
            return nil
        }
        guard let session = WorkerSession.number(text) else {
            query.problem("session", "is not a session that a node gave out")
            return nil
        }
        return session
    }

    static func session(_ reader: inout JSONReader) -> UInt64? {
        guard
            let text = reader.string(
                "session", maxBytes: WorkerSession.maxTextBytes, required: true)
        else { return nil }
        guard let session = WorkerSession.number(text) else {
            reader.problem("session", "is not a session that a node gave out")
            return nil
        }
        return session
    }

    static func attempt(_ reader: inout JSONReader) -> AssignmentDesk.Attempt? {
        let name = reader.string("task", required: true)
        let number = reader.integer("attempt", in: 1...Int64(UInt32.max), required: true)
        guard let name, let number else { return nil }
        guard let task = TaskID(name) else {
            reader.problem("task", "\"\(name)\" is not a task's id")
            return nil
        }
        return AssignmentDesk.Attempt(task: task, attempt: UInt32(number))
    }
}
