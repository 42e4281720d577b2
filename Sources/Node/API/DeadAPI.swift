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
            TaskBatch.handle(call, .delete, states: [.dead])
        case "retry" where path.count == 1:
            guard call.allows(.post), call.hasNoBody() else { return }
            TaskBatch.handle(call, .retry, states: [.dead])
        default:
            call.replyUnknownPath()
        }
    }
}
