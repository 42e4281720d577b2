import Scheduler

/// `/v1/dead`: tasks whose attempts are spent.
enum DeadAPI {
    static func handle(_ path: ArraySlice<String>, _ call: Call) {
        switch path.first {
        case nil:
            guard call.allows(.get) else { return }
            TaskList.reply(to: call, states: [.dead])
        case "retry" where path.count == 1:
            guard call.allows(.post), call.hasNoBody() else { return }
            retry(call)
        default:
            call.replyUnknownPath()
        }
    }

    private static func retry(_ call: Call) {
        var query = call.query
        let filter = TaskFilterReader.read(&query, states: [.dead])
        let limit =
            query.integer("limit", in: 1...APILimits.maxRetriedTasks) ?? APILimits.maxRetriedTasks
        let options = call.options(&query)
        query.finish()
        guard query.problems.isEmpty else {
            call.reply(Problem.invalid(query.problems))
            return
        }
        let retry = DeadRetry(call, filter, limit: limit, options)
        call.read(options) { retry.nextRound() }
    }
}

/// Brings dead tasks back, newest first and each once, in rounds: a round begins when the one before it is
/// answered, so that the number of waiting commands stays small.
private final class DeadRetry {
    private let call: Call
    private let filter: TaskFilter
    private let options: Call.Options
    private var remaining: Int
    private var before: TaskID?
    private var isExhausted = false
    private var waiting = 0
    private var retried = 0
    private var failed = 0
    private var refusal: Refusal?

    init(_ call: Call, _ filter: TaskFilter, limit: Int, _ options: Call.Options) {
        self.call = call
        self.filter = filter
        self.options = options
        remaining = limit
    }

    func nextRound() {
        guard remaining > 0, !isExhausted, refusal == nil else { return finish() }
        let page = call.gateway.replica.scheduler.list(
            filter, before: before, limit: min(remaining, APILimits.maxRetriedTasksPerRound),
            scanBudget: APILimits.maxListScan)
        before = page.next
        isExhausted = page.next == nil
        remaining -= page.items.count
        // One more than there are commands, so that an early answer doesn't end the round.
        waiting = page.items.count + 1
        for task in page.items {
            call.gateway.request(.retry(task.id), deadline: options.deadline) { answer in
                self.note(answer)
            }
        }
        endOne()
    }

    private func note(_ answer: Gateway.Answer) {
        switch answer {
        case .outcome(.rejected): failed += 1
        case .outcome: retried += 1
        case .refused(let refusal): self.refusal = refusal
        }
        endOne()
    }

    private func endOne() {
        waiting -= 1
        // In a turn of its own: an empty page must not deepen the stack.
        if waiting == 0 { call.context.facts.later { self.nextRound() } }
    }

    private func finish() {
        if let refusal, retried == 0 { return call.refuse(refusal) }
        if let refusal { call.context.metrics.count(refusal) }
        call.reply { writer in
            writer.beginObject()
            writer.field("retried", retried)
            // No longer dead when their turn came.
            writer.field("skipped", failed)
            writer.field("more", !isExhausted || refusal != nil)
            writer.endObject()
        }
    }
}
