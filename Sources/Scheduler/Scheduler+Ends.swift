/// How attempts and tasks end.
extension Scheduler {
    /// The report of a worker. Only the current attempt's is accepted.
    mutating func finish(_ finish: Finish, _ events: inout [Event]) -> Outcome {
        guard let position = state.tasks.position(of: finish.task) else {
            return .rejected(.notFound)
        }
        let record = state.tasks[position]
        guard record.state == .running, record.attempt == finish.attempt,
            record.fence == finish.fence
        else { return .rejected(.staleAttempt) }
        guard isAcceptable(finish) else { return .rejected(.malformed) }
        if let log = finish.attemptLog { keep(log, at: position) }
        switch finish.result {
        case .succeeded(let result):
            succeed(finish, at: position, &events) { $0.result = result }
        case .stored(let output):
            succeed(finish, at: position, &events) { record in
                record.changeExtra { fields in
                    fields.stored = StoredResult(
                        task: finish.task, attempt: finish.attempt, fence: finish.fence,
                        output: output)
                }
            }
        case .failed(let failure):
            let outcome: AttemptOutcome = failure.kind == "timeout" ? .timeout : .failed
            failAttempt(
                finish.task, at: position, failure, outcome, hasBegun: finish.hasBegun, &events)
        case .returned:
            if loseAttempt(
                finish.task, at: position, .returned, hasBegun: finish.hasBegun, &events)
            {
                resettle([finish.task], freed: record.worker, &events)
            } else {
                fill(record.worker, &events)
            }
        }
        return .done
    }

    private func isAcceptable(_ finish: Finish) -> Bool {
        if let log = finish.log, log.node.utf8.count > Limits.maxNameBytes { return false }
        return switch finish.result {
        case .succeeded(let result): result.count <= Limits.maxResultBytes
        case .stored(let output): output.isAcceptable
        case .failed(let failure): failure.kind.utf8.count <= Limits.maxNameBytes
        case .returned: true
        }
    }

    private mutating func succeed(
        _ finish: Finish, at position: TaskTable.Position, _ events: inout [Event],
        keep: (inout TaskRecord) -> Void
    ) {
        let worker = state.tasks[position].worker
        endAttempt(finish.task, at: position, .succeeded, &events)
        keep(&state.tasks[position])
        // Most tasks have no such thing, and are none the larger for their result.
        if state.tasks[position].extra != nil {
            state.tasks[position].changeExtra { fields in
                fields.error = nil
                fields.dependencies?.dropResults()
            }
        }
        noteCacheable(finish.task, state.tasks[position], finishedAt: state.time)
        complete(finish.task, at: position, .succeeded, &events)
        fill(worker, &events)
    }

    /// The running attempt is over and its slot free; the caller gives slot and task their next use.
    mutating func endAttempt(
        _ id: TaskID, at position: TaskTable.Position, _ outcome: AttemptOutcome,
        _ events: inout [Event]
    ) {
        state.tasks[position].finishedAt = state.time
        state.tasks[position].lastOutcome = outcome
        index.dispatch.release(state.tasks[position].worker, id)
        noteEnd(at: position, &events)
    }

    /// The attempt counts against the budget: the task is tried again later, or is dead. A task that must not run twice is
    /// tried again only after a failure that its handler has told of, or when that never began.
    private mutating func failAttempt(
        _ id: TaskID, at position: TaskTable.Position, _ failure: AttemptResult.Failure,
        _ outcome: AttemptOutcome, hasBegun: Bool, _ events: inout [Event]
    ) {
        endAttempt(id, at: position, outcome, &events)
        state.tasks[position].spent &+= 1
        setError(at: position, message: failure.message, kind: failure.kind)
        let record = state.tasks[position]
        let profile = state.profiles[record.profile]
        let retry = profile.retry
        let mayRepeat =
            profile.delivery == .atLeastOnce || !hasBegun
            || !RetryPolicy.untoldKinds.contains(failure.kind)
        guard failure.isRetryable, mayRepeat, retry.covers(failure.kind),
            UInt32(record.spent) < retry.attempts
        else {
            complete(id, at: position, .dead, &events)
            return fill(record.worker, &events)
        }
        let wanted =
            failure.retryAfterMilliseconds
            ?? retry.delayMilliseconds(
                spent: Int(record.spent), task: id, attempt: record.attempt)
        let delay = min(max(wanted, 0), Limits.maxDelayMilliseconds)
        state.tasks[position].dueAt = min(state.time + delay, Limits.maxTime)
        if state.tasks[position].dueAt > state.time {
            schedule(id, at: position, &events)
            fill(record.worker, &events)
        } else {
            // It had its turn.
            giveTag(at: position)
            resettle([id], freed: record.worker, &events)
        }
    }

    /// The attempt ended without a verdict of its handler. True if the task shall be ready again: then the caller
    /// resettles it, and it keeps its place. An attempt that may have begun may have done its work, so a task that must
    /// not run twice is dead; and so is one that went down with too many workers.
    mutating func loseAttempt(
        _ id: TaskID, at position: TaskTable.Position, _ outcome: AttemptOutcome,
        hasBegun: Bool = true, _ events: inout [Event]
    ) -> Bool {
        endAttempt(id, at: position, outcome, &events)
        let record = state.tasks[position]
        let profile = state.profiles[record.profile]
        let isCovered = outcome == .returned || profile.retry.covers(RetryPolicy.lostKind)
        let isOver = profile.delivery == .atMostOnce && hasBegun
        if !isOver, isCovered, record.losses < Limits.maxLosses {
            state.tasks[position].losses += 1
            return true
        }
        let message =
            if isOver {
                "the attempt was started and its end is not known"
            } else if isCovered {
                "lost with its worker more than \(Limits.maxLosses) times"
            } else {
                "lost with its worker"
            }
        setError(at: position, message: message, kind: RetryPolicy.lostKind)
        complete(id, at: position, .dead, &events)
        return false
    }

    /// The worker did not report an end in time. It may still run.
    mutating func timeOut(_ id: TaskID, at position: TaskTable.Position, _ events: inout [Event]) {
        let record = state.tasks[position]
        revoke(id, record, &events)
        let failure = AttemptResult.Failure(
            message: "no end was reported within the time-out", kind: "timeout")
        failAttempt(id, at: position, failure, .timeout, hasBegun: true, &events)
    }

    func revoke(_ id: TaskID, _ record: TaskRecord, _ events: inout [Event]) {
        guard let worker = state.workers.record(record.worker) else {
            preconditionFailure("\(id) runs on a worker that is not known")
        }
        events.append(
            .revoked(
                worker: state.workers.name(record.worker), incarnation: worker.incarnation,
                task: id, attempt: record.attempt))
    }

    mutating func setError(
        at position: TaskTable.Position, message: String, kind: String
    ) {
        let error = TaskView.AttemptError(
            message: Self.shortened(message), kind: kind, attempt: state.tasks[position].attempt)
        state.tasks[position].changeExtra { $0.error = error }
    }

    /// Cut to `Limits.maxErrorMessageBytes`, between characters of UTF-8.
    private static func shortened(_ message: String) -> String {
        guard message.utf8.count > Limits.maxErrorMessageBytes else { return message }
        var bytes = Array(message.utf8.prefix(Limits.maxErrorMessageBytes + 1))
        while let last = bytes.popLast(), last & 0xC0 == 0x80 {}
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Final states

    mutating func cancel(_ id: TaskID, _ events: inout [Event]) -> Outcome {
        guard let position = state.tasks.position(of: id) else { return .rejected(.notFound) }
        let record = state.tasks[position]
        guard !record.state.isFinal else { return .rejected(.wrongState) }
        if record.state == .running {
            endAttempt(id, at: position, .cancelled, &events)
            revoke(id, record, &events)
            complete(id, at: position, .cancelled, &events)
            fill(record.worker, &events)
        } else {
            moveAttemptToHistory(at: position)
            complete(id, at: position, .cancelled, &events)
        }
        return .done
    }

    mutating func expire(_ id: TaskID, at position: TaskTable.Position, _ events: inout [Event]) {
        if let schedule = state.tasks[position].extra?.fields.schedule {
            countExpiry(id, of: schedule, createdAt: state.tasks[position].createdAt)
        }
        complete(id, at: position, .expired, &events)
    }

    /// With fresh attempts; their numbers go on rising, so that no old attempt can be taken for a new one.
    mutating func retry(_ id: TaskID, _ events: inout [Event]) -> Outcome {
        guard let position = state.tasks.position(of: id) else { return .rejected(.notFound) }
        let old = state.tasks[position].state
        guard old == .dead || old == .cancelled || old == .expired else {
            return .rejected(.wrongState)
        }
        state.tasks[position].spent = 0
        state.tasks[position].losses = 0
        state.tasks[position].dueAt = state.time
        state.endings.remove(id)
        if old == .expired, let schedule = state.tasks[position].extra?.fields.schedule {
            uncountExpiry(id, of: schedule, createdAt: state.tasks[position].createdAt)
        }
        noteUnfinished(id, state.tasks[position])
        beginAgain(id, at: position, &events)
        return .done
    }

    /// Its key stays remembered: what was submitted under it is not submitted again.
    mutating func deleteTask(_ id: TaskID) -> Outcome {
        guard let position = state.tasks.position(of: id) else { return .rejected(.notFound) }
        guard state.tasks[position].state.isFinal else { return .rejected(.wrongState) }
        remove(id)
        return .done
    }

    /// Makes the task final. May drop older tasks: positions are not valid afterwards.
    mutating func complete(
        _ id: TaskID, at position: TaskTable.Position, _ new: TaskState, _ events: inout [Event]
    ) {
        state.tasks[position].finishedAt = state.time
        setState(new, id, at: position, &events)
        noteEnd(id, at: position)
        noteFinished(id, state.tasks[position])
        noteNotices(of: id, at: position)
        pushEnd(id, state.tasks[position])
        // More than one, so that a smaller number is reached sooner or later whatever ends meanwhile.
        _ = dropOverflow(new == .dead ? .dead : .finished, atMost: 2)
        if !index.kept.spaces.isEmpty { _ = dropSpaceOverflow(atMost: 2) }
    }

    func keptCount(_ reason: Wakes.Reason) -> Int {
        func count(_ state: TaskState) -> Int { index.counts[Int(state.rawValue)] }
        return switch reason {
        case .due: count(.scheduled)
        case .expiry: count(.ready) + count(.blocked)
        case .timeout: count(.running)
        case .finished: count(.succeeded) + count(.cancelled) + count(.expired)
        case .dead: count(.dead)
        case .worker: index.knownWorkers.count
        case .schedule: state.schedules.count
        case .queue: state.queues.count
        case .deadline: count(.scheduled) + count(.ready) + count(.running)
        case .key: state.keyBuckets.count
        }
    }
}
