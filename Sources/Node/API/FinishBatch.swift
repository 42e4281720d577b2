import Scheduler

/// The ends of many attempts in one report: `POST /v1/workers/{id}/finish`, on any node. Each stands on its own, as if it
/// were reported alone; the commands travel together.
final class FinishBatch {
    private struct Item {
        let name: AttemptName
        let end: AttemptEnd
    }

    private enum Answer {
        case waiting
        case state(TaskState?)
        case problem(Problem)
    }

    private let call: Call
    private let items: [Item]
    private var answers: [Answer]
    private var unanswered: Int

    private init(_ call: Call, _ items: [Item]) {
        self.call = call
        self.items = items
        answers = Array(repeating: .waiting, count: items.count)
        unanswered = items.count
    }

    static func begin(_ worker: String, _ call: Call) {
        call.largeDocument(maxBytes: APILimits.maxFinishItemsBytes) { document in
            begin(worker, document, call)
        }
    }

    private static func begin(_ worker: String, _ document: JSONDocument, _ call: Call) {
        var query = call.query
        let options = call.options(&query)
        query.finish()
        var reader = JSONReader(document.root)
        let session = WorkerSessionsAPI.session(&reader)
        var items: [Item] = []
        reader.objects("items", maxCount: APILimits.maxFinishItems, required: true) { _, reader in
            let attempt = WorkerSessionsAPI.attempt(&reader)
            guard let end = AttemptEnd(&reader), let attempt else { return }
            items.append(Item(name: AttemptName(attempt.task, attempt.attempt), end: end))
        }
        reader.finish()
        let problems = reader.problems + query.problems
        guard problems.isEmpty, let session else { return call.reply(Problem.invalid(problems)) }
        let batch = FinishBatch(call, items)
        // Behind a read: what this node has not applied yet is not to be taken for over.
        call.read(options) {
            guard WorkerSessionsAPI.isCurrent(worker, session, call) else { return }
            batch.perform(session, options)
        }
    }

    private func perform(_ session: UInt64, _ options: Call.Options) {
        guard !items.isEmpty else { return reply() }
        for (place, item) in items.enumerated() {
            let found = AttemptsAPI.find(
                item.name.task, item.name.attempt, .session(session), call)
            guard let found else {
                answer(place, isRejected: true)
                continue
            }
            call.context.results.settle(item.end.finish(found), log: item.end.log) {
                [self] finish in report(finish, place, options)
            }
        }
    }

    private func report(_ finish: Finish, _ place: Int, _ options: Call.Options) {
        call.gateway.request(.finish(finish), deadline: options.deadline) { [self] answer in
            call.context.results.answered(finish)
            switch answer {
            case .refused(let refusal):
                call.context.metrics.count(refusal)
                take(.problem(Problem.refused(refusal)), place)
            case .outcome(.rejected): self.answer(place, isRejected: true)
            case .outcome: self.answer(place, isRejected: false)
            }
        }
    }

    private func answer(_ place: Int, isRejected: Bool) {
        let item = items[place]
        let state = call.gateway.replica.scheduler
        if isRejected,
            let problem = AttemptsAPI.problem(
                item.name.task, item.name.attempt, endedBy: item.end.result, state)
        {
            return take(.problem(problem), place)
        }
        take(.state(state.state(of: item.name.task)), place)
    }

    private func take(_ answer: Answer, _ place: Int) {
        answers[place] = answer
        unanswered -= 1
        if unanswered == 0 { reply() }
    }

    private func reply() {
        call.reply { writer in
            writer.beginObject()
            writer.key("items")
            writer.beginArray()
            for (item, answer) in zip(items, answers) {
                writer.beginObject()
                writer.field("task", item.name.task.description)
                writer.field("attempt", Int64(item.name.attempt))
                switch answer {
                case .waiting: preconditionFailure("all are answered")
                case .state(let state): writer.optionalField("state", state?.name)
                case .problem(let problem):
                    writer.key("error")
                    problem.write(to: &writer)
                }
                writer.endObject()
            }
            writer.endArray()
            writer.endObject()
        }
    }
}
