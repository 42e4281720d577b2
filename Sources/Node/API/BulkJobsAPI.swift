import Scheduler

/// `/v1/jobs`: bulk actions and how far they are.
enum BulkJobsAPI {
    static func handle(_ path: ArraySlice<String>, _ call: Call) {
        guard let name = path.first else {
            guard call.allows(.get) else { return }
            return list(call)
        }
        guard path.count == 1 else { return call.replyUnknownPath() }
        guard call.allows(.get, .delete) else { return }
        guard let id = BulkJobID(name) else { return call.reply(Problem.notFound("job", name)) }
        if call.request.method == .delete { stop(id, call) } else { get(id, call) }
    }

    private static func list(_ call: Call) {
        var query = call.query
        let limit =
            query.integer("limit", in: 1...APILimits.maxListItems) ?? APILimits.defaultListItems
        let cursor = query.text("cursor")
        let before = cursor.flatMap { BulkJobID($0) }
        if cursor != nil, before == nil { query.problem("cursor", "is none that was given out") }
        let options = call.options(&query, readsState: true)
        query.finish()
        guard query.problems.isEmpty else { return call.reply(Problem.invalid(query.problems)) }
        call.read(options) {
            let all = call.gateway.replica.scheduler.bulkJobs(in: call.namespace).filter {
                $0.id.number < before?.number ?? .max
            }
            call.reply { writer in
                writer.beginObject()
                writer.key("items")
                writer.beginArray()
                for job in all.prefix(limit) { writer.bulkJob(job) }
                writer.endArray()
                writer.optionalField(
                    "next", all.count > limit ? all[limit - 1].id.description : nil)
                writer.endObject()
            }
        }
    }

    /// At once, or with `wait` as soon as it has ended.
    private static func get(_ id: BulkJobID, _ call: Call) {
        var query = call.query
        let isAwaited = call.request.query.contains { $0.name == "wait" }
        let wait = TaskBatch.wait(&query)
        let options = call.options(&query, readsState: true)
        query.finish()
        guard query.problems.isEmpty else { return call.reply(Problem.invalid(query.problems)) }
        let deadline = isAwaited ? call.request.receivedAt + wait : 0
        call.read(options) {
            guard reaches(id, call) else {
                return call.reply(Problem.notFound("job", id.description))
            }
            call.context.bulkJobs.wait(for: id, until: deadline) { job in
                guard let job else { return call.reply(Problem.notFound("job", id.description)) }
                call.reply { $0.bulkJob(job) }
            }
        }
    }

    private static func stop(_ id: BulkJobID, _ call: Call) {
        guard call.hasNoBody(), let options = call.options() else { return }
        // This node may not know the job yet, and has to, to tell whose it is.
        call.read(options) {
            guard reaches(id, call) else {
                return call.reply(Problem.notFound("job", id.description))
            }
            call.perform(
                .stopBulkJob(id), options, noun: "job", name: id.description,
                wrongState: { "The job has ended already." }
            ) { _ in
                guard let job = call.gateway.replica.scheduler.bulkJob(id) else {
                    return call.reply(Problem.notFound("job", id.description))
                }
                call.reply { $0.bulkJob(job) }
            }
        }
    }

    /// Whether it is one of the request's namespace.
    private static func reaches(_ id: BulkJobID, _ call: Call) -> Bool {
        call.gateway.replica.scheduler.bulkJob(id)?.spec.namespace == call.namespace
    }

    /// What a request that began a job is answered: 200 and what it did if it has ended, 202 and where to look if not.
    static func reply(_ job: BulkJobView?, _ id: BulkJobID, _ call: Call) {
        guard let job else { return call.reply(Problem.notFound("job", id.description)) }
        var writer = JSONWriter()
        writer.bulkJob(job)
        var response = HTTPResponse.json(writer.bytes, status: job.state == .running ? 202 : 200)
        if job.state == .running {
            response.headers.append(("location", "\(call.base)/jobs/\(id)"))
        }
        call.reply(response)
    }
}

extension JSONWriter {
    mutating func bulkJob(_ job: BulkJobView) {
        beginObject()
        field("id", job.id.description)
        field("state", job.state.rawValue)
        field("action", job.spec.action.name)
        key("filter")
        filter(job.spec.filter)
        key("limit")
        if let limit = job.spec.limit { uint(limit) } else { null() }
        optionalField("key", job.spec.key)
        field(JSONName(job.spec.action.done), job.met)
        field("progress", job.progress)
        field("more", job.hasMore)
        timestampField("createdAt", job.createdAt)
        optionalTimestampField("finishedAt", job.finishedAt)
        endObject()
    }

    /// As it is read.
    private mutating func filter(_ filter: TaskFilter) {
        beginObject()
        if let states = filter.states { field("state", states.map(\.name)) }
        let names = [
            ("queue", filter.queue.map(Namespace.bare)), ("handler", filter.handler),
            ("schedule", filter.schedule.map(Namespace.bare)),
            ("worker", filter.worker), ("tag", filter.tag), ("q", filter.text),
            ("workflow", filter.workflow?.description),
        ]
        for (name, value) in names { if let value { field(JSONName(name), value) } }
        if let since = filter.since { timestampField("since", since) }
        if let until = filter.until { timestampField("until", until) }
        if !filter.meta.isEmpty {
            key("meta")
            beginObject()
            for label in filter.meta { field(JSONName(label.name), label.value) }
            endObject()
        }
        endObject()
    }
}
