/// The overall time-out of a task, over all its attempts and the pauses between them.
extension Scheduler {
    /// The task can start, or could if it were due: from now on, or from when it is due, its time runs. A user who
    /// brings it back gives it all of it anew.
    mutating func setDeadline(_ id: TaskID, at position: TaskTable.Position) {
        let record = state.tasks[position]
        guard let limit = state.profiles[record.profile].overallTimeoutMilliseconds else { return }
        let deadline = min(max(record.dueAt, state.time) + limit, Limits.maxTime)
        state.tasks[position].changeExtra { $0.deadline = deadline }
        index.wakes.push(.deadline, at: deadline, id: id.number)
    }

    /// Its time is over: it is dead, whatever it does at the moment.
    mutating func passDeadline(
        _ id: TaskID, at position: TaskTable.Position, _ events: inout [Event]
    ) {
        let record = state.tasks[position]
        let limit = state.profiles[record.profile].overallTimeoutMilliseconds ?? 0
        var message = "did not end within its overall time-out of \(limit) ms"
        if let last = record.extra?.fields.error { message += "; last error: \(last.message)" }
        let isRunning = record.state == .running
        if isRunning {
            revoke(id, record, &events)
            endAttempt(id, at: position, .timeout, &events)
        } else {
            moveAttemptToHistory(at: position)
        }
        setError(at: position, message: message, kind: "overallTimeout")
        complete(id, at: position, .dead, &events)
        if isRunning { fill(record.worker, &events) }
    }
}
