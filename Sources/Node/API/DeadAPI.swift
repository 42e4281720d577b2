import Scheduler

/// `/v1/dead`: tasks whose attempts are spent.
enum DeadAPI {
    static func handle(_ path: ArraySlice<String>, _ call: Call) {
        switch path.first {
        case nil:
            guard call.allows(.get, .delete) else { return }
            guard call.request.method == .delete else {
                return TaskList.reply(to: call, states: [.dead])
            }
            guard call.hasNoBody() else { return }
            begin(.delete, call)
        case "retry" where path.count == 1:
            guard call.allows(.post), call.hasNoBody() else { return }
            begin(.retry, call)
        default:
            call.replyUnknownPath()
        }
    }

    private static func begin(_ action: TaskBatch.Action, _ call: Call) {
        var query = call.query
        let filter = TaskFilterReader.read(&query, states: [.dead], in: call.namespace)
        let limit =
            query.integer("limit", in: 1...APILimits.maxBatchTasks) ?? APILimits.maxBatchTasks
        let options = call.options(&query)
        query.finish()
        guard query.problems.isEmpty else {
            call.reply(Problem.invalid(query.problems))
            return
        }
        TaskBatch(call, action, filter, limit: limit, options).begin()
    }
}
