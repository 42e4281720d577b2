import Raft
import Scheduler

/// Does one thing to all tasks that match a filter: a job of the log, which is answered when it has ended, or told as one
/// that goes on.
enum TaskBatch {
    /// `POST /v1/tasks/batch`.
    static func handle(_ call: Call) {
        guard let document = call.document() else { return }
        var query = call.query
        let wait = wait(&query)
        let options = call.options(&query)
        query.finish()
        var reader = JSONReader(document.root)
        let names = BulkSpec.Action.allCases.map(\.name)
        let word = reader.choice("action", of: names, required: true)
        let action = BulkSpec.Action.allCases.first { $0.name == word }
        var filter = TaskFilter()
        reader.object("filter", required: true) {
            filter = TaskFilterReader.read(&$0, in: call.namespace)
        }
        let limit = reader.integer("limit", in: 1...Int64(Limits.maxTasks))
        var key = reader.string("key", maxBytes: Limits.maxKeyBytes, allowEmpty: false)
        reader.finish()
        var problems = reader.problems + query.problems
        if let headerKey = call.request.header("idempotency-key") {
            if let problem = TasksAPI.wrong(headerKey, besides: key) { problems.append(problem) }
            key = headerKey
        }
        guard problems.isEmpty, let action else { return call.reply(Problem.invalid(problems)) }
        let spec = BulkSpec(action, filter, limit: limit.map { UInt64($0) }, key: key)
        begin(spec, call, options, wait: wait)
    }

    /// The same, with everything in the query, for tasks in these states.
    static func handle(_ call: Call, _ action: BulkSpec.Action, states: [TaskState]) {
        var query = call.query
        let filter = TaskFilterReader.read(&query, states: states, in: call.namespace)
        let limit = query.integer("limit", in: 1...Limits.maxTasks)
        let wait = wait(&query)
        let options = call.options(&query)
        query.finish()
        var problems = query.problems
        let key = call.request.header("idempotency-key")
        if let key, let problem = TasksAPI.wrong(key, besides: nil) { problems.append(problem) }
        guard problems.isEmpty else { return call.reply(Problem.invalid(problems)) }
        let spec = BulkSpec(action, filter, limit: limit.map { UInt64($0) }, key: key)
        begin(spec, call, options, wait: wait)
    }

    /// How long the answer waits for the job's end.
    static func wait(_ query: inout QueryReader) -> Nanoseconds {
        let milliseconds =
            query.durationMilliseconds("wait", in: 0...APILimits.maxTimeoutMilliseconds)
            ?? APILimits.defaultBulkWaitMilliseconds
        return Nanoseconds(milliseconds) * 1_000_000
    }

    private static func begin(
        _ spec: BulkSpec, _ call: Call, _ options: Call.Options, wait: Nanoseconds
    ) {
        call.perform(
            .beginBulkJob(spec), options, noun: "bulk job", name: "", wrongState: { "" }
        ) { outcome in
            guard case .bulkJob(let id, _) = outcome else {
                preconditionFailure("a bulk action comes to a job")
            }
            let deadline = call.request.receivedAt + wait
            call.context.bulkJobs.wait(for: id, until: deadline) { BulkJobsAPI.reply($0, id, call) }
        }
    }
}

extension BulkSpec.Action {
    /// As it stands in the API.
    var name: String {
        switch self {
        case .cancel: "cancel"
        case .retry: "retry"
        case .delete: "delete"
        }
    }

    /// As a job's tasks are counted.
    var done: String {
        switch self {
        case .cancel: "cancelled"
        case .retry: "retried"
        case .delete: "deleted"
        }
    }
}
