import Scheduler

/// `/v1/workers`, for whoever looks after workers.
enum WorkersAPI {
    static func handle(_ path: ArraySlice<String>, _ call: Call) {
        guard let id = path.first else {
            guard call.allows(.get) else { return }
            return list(call)
        }
        switch path.dropFirst().first {
        case "drain" where path.count == 2:
            guard call.allows(.post), call.hasNoBody() else { return }
            change(id, call) { .drainWorker(id: id, incarnation: $0) }
        case "undrain" where path.count == 2:
            guard call.allows(.post), call.hasNoBody() else { return }
            change(id, call) { .undrainWorker(id: id, incarnation: $0) }
        default:
            call.replyUnknownPath()
        }
    }

    static func list(_ call: Call) {
        var query = call.query
        let limit =
            query.integer("limit", in: 1...APILimits.maxListItems) ?? APILimits.defaultListItems
        let after = query.text("cursor")
        let options = call.options(&query, readsState: true)
        query.finish()
        guard query.problems.isEmpty else {
            call.reply(Problem.invalid(query.problems))
            return
        }
        call.read(options) {
            let all = call.gateway.replica.scheduler.workers()
                .filter { worker in after.map { $0 < worker.spec.id } ?? true }
                .sorted { $0.spec.id < $1.spec.id }
            call.reply { writer in
                writer.beginObject()
                writer.key("items")
                writer.beginArray()
                for worker in all.prefix(limit) { write(worker, call, to: &writer) }
                writer.endArray()
                let next = all.count > limit ? all[limit - 1].spec.id : nil
                writer.optionalField("next", next)
                writer.endObject()
            }
        }
    }

    static func get(_ id: String, _ call: Call) {
        guard let options = call.options(readsState: true) else { return }
        call.read(options) { reply(id, call) }
    }

    private static func reply(_ id: String, _ call: Call) {
        guard let worker = find(id, call) else {
            return call.reply(Problem.notFound("worker", id))
        }
        call.reply { write(worker, call, to: &$0) }
    }

    /// The command names the incarnation that the state knows: what is drained is the process that the
    /// client saw, not its successor.
    private static func change(
        _ id: String, _ call: Call, _ command: @escaping (UInt64) -> Command
    ) {
        guard let options = call.options() else { return }
        call.read(options) {
            guard let worker = find(id, call) else {
                return call.reply(Problem.notFound("worker", id))
            }
            call.perform(
                command(worker.spec.incarnation), options, noun: "worker", name: id,
                wrongState: { "The worker \"\(id)\" is \(find(id, call)?.state.name ?? "gone")." }
            ) { _ in reply(id, call) }
        }
    }

    private static func find(_ id: String, _ call: Call) -> WorkerView? {
        call.gateway.replica.scheduler.worker(id)
    }

    private static func write(_ worker: WorkerView, _ call: Call, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("id", worker.spec.id)
        writer.field("state", worker.state.name)
        writer.field("slots", Int64(worker.spec.slots))
        writer.field("running", Int64(worker.running))
        writer.field("handlers", worker.spec.handlers)
        writer.field("tags", worker.spec.tags)
        writer.optionalTimestampField(
            "lastHeartbeat", call.context.facts.lastHeartbeat(worker.spec.id))
        writer.endObject()
    }
}
