import Scheduler

/// What attached workers say of the attempts they run: `/v1/tasks/{id}/attempts/{n}/…`, on any node.
enum AttemptsAPI {
    /// - Parameter path: the task, `attempts`, and what follows.
    static func handle(_ path: ArraySlice<String>, _ call: Call) {
        let parts = Array(path)
        guard parts.count == 4, let number = UInt32(parts[2]), number > 0 else {
            return call.replyUnknownPath()
        }
        guard let task = TaskID(parts[0]) else {
            return call.reply(Problem.notFound("task", parts[0]))
        }
        switch parts[3] {
        case "finish":
            guard call.allows(.post) else { return }
            finish(task, number, call)
        case "progress":
            guard call.allows(.post) else { return }
            progress(task, number, call)
        default:
            call.replyUnknownPath()
        }
    }

    // MARK: On the way

    /// Who says something of an attempt.
    enum Reporter {
        /// The attached worker that runs it.
        case session(UInt64)
        /// Whoever was handed its fence, such as a server that a node's worker has called.
        case fence(UInt64)

        fileprivate init?(_ reader: inout JSONReader) {
            if reader.has("fence") {
                guard let fence = reader.integer("fence", in: 1...Int64.max) else { return nil }
                self = .fence(UInt64(fence))
            } else {
                guard let session = WorkerSessionsAPI.session(&reader) else { return nil }
                self = .session(session)
            }
        }

        func speaks(for running: Assignment) -> Bool {
            switch self {
            case .session(let session): running.incarnation == session
            case .fence(let fence): running.fence == fence
            }
        }
    }

    private static func progress(_ task: TaskID, _ number: UInt32, _ call: Call) {
        guard let document = call.document() else { return }
        var query = call.query
        let options = call.options(&query)
        query.finish()
        var reader = JSONReader(document.root)
        let reporter = Reporter(&reader)
        let percent = reader.integer("progress", in: 0...100)
        let note = reader.string("note", maxBytes: Limits.maxProgressNoteBytes)
        if percent == nil, note == nil {
            reader.problem("neither \"progress\" nor \"note\" is there")
        }
        reader.finish()
        let problems = reader.problems + query.problems
        guard problems.isEmpty, let reporter else { return call.reply(Problem.invalid(problems)) }
        // Behind a read: what was cancelled through another node is not taken for running. Unlike an end, a report is answered
        // before the log has checked it.
        call.read(options) {
            guard let assignment = find(task, number, reporter, call) else {
                return notCurrent(task, number, call)
            }
            call.context.progress.report(
                ProgressReport(
                    task: task, attempt: number, fence: assignment.fence,
                    progress: TaskProgress(percent: percent.map(UInt8.init), note: note)))
            call.reply(HTTPResponse(status: 204))
        }
    }

    private static func notCurrent(_ task: TaskID, _ number: UInt32, _ call: Call) {
        call.reply(notCurrent(task, number, call.gateway.replica.scheduler.task(task)))
    }

    private static func notCurrent(_ task: TaskID, _ number: UInt32, _ view: TaskView?) -> Problem {
        guard let view else { return Problem.notFound("task", task.description) }
        let attempt = view.attempts.last { $0.number == number }
        let outcome = attempt.map { " It is \($0.outcome)." } ?? ""
        return Problem.conflict(
            "Attempt \(number) of \(task) is not yours, or not the current one any more.\(outcome)")
    }

    // MARK: The end

    private static func finish(_ task: TaskID, _ number: UInt32, _ call: Call) {
        call.largeDocument(maxBytes: APILimits.maxFinishBytes) { document in
            finish(task, number, document, call)
        }
    }

    private static func finish(
        _ task: TaskID, _ number: UInt32, _ document: JSONDocument, _ call: Call
    ) {
        var query = call.query
        let options = call.options(&query)
        query.finish()
        var reader = JSONReader(document.root)
        let session = WorkerSessionsAPI.session(&reader)
        let end = AttemptEnd(&reader)
        reader.finish()
        let problems = reader.problems + query.problems
        guard problems.isEmpty, let session, let end else {
            return call.reply(Problem.invalid(problems))
        }
        current(task, number, .session(session), options, call) { assignment in
            guard let assignment else { return ended(task, number, end.result, call) }
            call.context.results.settle(end.finish(assignment), log: end.log) { finish in
                report(finish, options, call)
            }
        }
    }

    private static func report(_ finish: Finish, _ options: Call.Options, _ call: Call) {
        call.gateway.request(.finish(finish), deadline: options.deadline) { answer in
            call.context.results.answered(finish)
            switch answer {
            case .refused(let refusal): call.refuse(refusal)
            // An earlier copy of this report may have come in between.
            case .outcome(.rejected): ended(finish.task, finish.attempt, finish.result, call)
            case .outcome: replyState(of: finish.task, call)
            }
        }
    }

    /// The attempt is not the current one. If it ended just as it is reported now, the report was sent again because its
    /// answer got lost: it is answered as the first time.
    private static func ended(
        _ task: TaskID, _ number: UInt32, _ result: AttemptResult, _ call: Call
    ) {
        if let problem = problem(task, number, endedBy: result, call.gateway.replica.scheduler) {
            return call.reply(problem)
        }
        replyState(of: task, call)
    }

    /// What is wrong with this end of an attempt that is not the current one; nil: it ended just so.
    static func problem(
        _ task: TaskID, _ number: UInt32, endedBy result: AttemptResult, _ scheduler: Scheduler
    ) -> Problem? {
        let view = scheduler.task(task)
        let attempt = view?.attempts.last { $0.number == number }
        guard let attempt, attempt.finishedAt != nil, attempt.outcome == result.outcomeName else {
            return notCurrent(task, number, view)
        }
        return nil
    }

    private static func replyState(of task: TaskID, _ call: Call) {
        let state = call.gateway.replica.scheduler.state(of: task)
        call.reply { writer in
            writer.beginObject()
            writer.field("id", task.description)
            writer.optionalField("state", state?.name)
            writer.endObject()
        }
    }

    // MARK: The current attempt

    /// Finds the attempt if it is the current one and the reporter's, else gives nil: at first in what this node has applied, and
    /// if it isn't there, in everything that the cluster has. Whatever the state says, the log checks the fence again.
    private static func current(
        _ task: TaskID, _ number: UInt32, _ reporter: Reporter, _ options: Call.Options,
        _ call: Call, then: @escaping (Assignment?) -> Void
    ) {
        if let found = find(task, number, reporter, call) { return then(found) }
        call.read(options) { then(find(task, number, reporter, call)) }
    }

    static func find(
        _ task: TaskID, _ number: UInt32, _ reporter: Reporter, _ call: Call
    ) -> Assignment? {
        guard let running = call.gateway.replica.scheduler.runningAttempt(of: task),
            running.attempt == number, reporter.speaks(for: running)
        else { return nil }
        return running
    }
}

extension AttemptResult {
    /// How an attempt that ended so stands in its task's history.
    fileprivate var outcomeName: String {
        switch self {
        case .succeeded, .stored: "succeeded"
        case .failed(let failure): failure.kind == "timeout" ? "timeout" : "failed"
        case .returned: "returned"
        }
    }
}
