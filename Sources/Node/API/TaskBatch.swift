import Scheduler

/// Does one thing to all tasks that match a filter, newest first and each once, in rounds: a round begins when the one
/// before it is answered, so that the number of waiting commands stays small.
///
/// At most `limit` of them; the reply says whether there may be more, and the client asks again. So nothing is left
/// half known when a node is lost: what was done is done, and asking once more does the rest.
final class TaskBatch {
    enum Action: String, CaseIterable {
        case cancel, retry, delete

        func command(_ task: TaskID) -> Command {
            switch self {
            case .cancel: .cancel(task)
            case .retry: .retry(task)
            case .delete: .deleteTask(task)
            }
        }

        /// Those that it can be done to, if the filter does not say.
        var states: [TaskState] {
            switch self {
            case .cancel: TaskState.allCases.filter { !$0.isFinal }
            case .retry: [.dead, .cancelled, .expired]
            case .delete: TaskState.allCases.filter(\.isFinal)
            }
        }

        /// As the reply counts them.
        var done: String {
            switch self {
            case .cancel: "cancelled"
            case .retry: "retried"
            case .delete: "deleted"
            }
        }
    }

    private let call: Call
    private let action: Action
    private let filter: TaskFilter
    private let options: Call.Options
    private var remaining: Int
    private var before: TaskID?
    private var isExhausted = false
    private var waiting = 0
    private var done = 0
    private var skipped = 0
    private var refusal: Refusal?

    init(
        _ call: Call, _ action: Action, _ filter: TaskFilter, limit: Int, _ options: Call.Options
    ) {
        self.call = call
        self.action = action
        self.filter = filter
        self.options = options
        remaining = limit
    }

    /// `POST /v1/tasks/batch`.
    static func handle(_ call: Call) {
        guard let document = call.document() else { return }
        var query = call.query
        let options = call.options(&query)
        query.finish()
        var reader = JSONReader(document.root)
        let word = reader.choice("action", of: Action.allCases.map(\.rawValue), required: true)
        var filter = TaskFilter()
        reader.object("filter", required: true) {
            filter = TaskFilterReader.read(&$0, in: call.namespace)
        }
        let limit = reader.integer("limit", in: 1...Int64(APILimits.maxBatchTasks))
        reader.finish()
        let problems = reader.problems + query.problems
        guard problems.isEmpty, let action = word.flatMap(Action.init(rawValue:)) else {
            return call.reply(Problem.invalid(problems))
        }
        filter.states = filter.states ?? action.states
        TaskBatch(
            call, action, filter, limit: limit.map(Int.init) ?? APILimits.maxBatchTasks, options
        ).begin()
    }

    func begin() { call.read(options) { self.nextRound() } }

    private func nextRound() {
        guard remaining > 0, !isExhausted, refusal == nil else { return finish() }
        let page = call.gateway.replica.scheduler.list(
            filter, before: before, limit: min(remaining, APILimits.maxBatchTasksPerRound),
            scanBudget: APILimits.maxListScan)
        before = page.next
        isExhausted = page.next == nil
        remaining -= page.items.count
        // One more than there are commands, so that an early answer doesn't end the round.
        waiting = page.items.count + 1
        for task in page.items {
            call.gateway.request(action.command(task.id), deadline: options.deadline) { answer in
                self.note(answer)
            }
        }
        endOne()
    }

    private func note(_ answer: Gateway.Answer) {
        switch answer {
        case .outcome(.rejected): skipped += 1
        case .outcome: done += 1
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
        if let refusal, done == 0 { return call.refuse(refusal) }
        if let refusal { call.context.metrics.count(refusal) }
        call.reply { writer in
            writer.beginObject()
            writer.field(action.done, done)
            // In another state, or gone, when their turn came.
            writer.field("skipped", skipped)
            writer.field("more", !isExhausted || refusal != nil)
            writer.endObject()
        }
    }
}
