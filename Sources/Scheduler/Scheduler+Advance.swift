/// What happens because time passes.
extension Scheduler {
    /// Wakes in the order of time, reason and id, then the firings. Of more than `Limits.maxWakesPerAdvance` wakes
    /// the rest stays due, and `nextWake` says so.
    mutating func advance(_ firings: [Firing], _ events: inout [Event]) -> Outcome {
        var budget = capacity.wakesPerAdvance
        while budget > 0, let (reason, id) = popWake() {
            wake(reason, id, &events)
            budget -= 1
        }
        while budget > 0, let wake = state.keyWake, wake <= state.time {
            forgetOldestKey()
            budget -= 1
        }
        for reason in [Wakes.Reason.finished, .dead] {
            budget -= dropOverflow(reason, atMost: budget)
        }
        _ = dropSpaceOverflow(atMost: budget)
        for firing in firings { fire(firing, &events) }
        advanceBulkJobs(&events)
        return .done
    }

    private static let ownReasons: [Wakes.Reason] = [
        .due, .expiry, .timeout, .finished, .dead, .worker, .queue, .deadline, .key,
    ]

    private mutating func popWake() -> (Wakes.Reason, UInt64)? {
        var first: (reason: Wakes.Reason, entry: Heap.Entry)?
        for reason in Self.ownReasons where !isWaiting(reason) {
            clean(reason, through: state.time)
            guard let top = index.wakes.top(reason), top.key <= UInt64(state.time) else { continue }
            if first.map({ top.key < $0.entry.key }) ?? true { first = (reason, top) }
        }
        guard let first else { return nil }
        index.wakes.pop(first.reason)
        return (first.reason, first.entry.id)
    }

    /// Nothing of the kind happens by itself.
    private func isWaiting(_ reason: Wakes.Reason) -> Bool {
        state.retention.isExported && (reason == .finished || reason == .dead)
    }

    private mutating func wake(_ reason: Wakes.Reason, _ id: UInt64, _ events: inout [Event]) {
        if reason == .worker { return forgetWorker(UInt32(id)) }
        if reason == .queue { return openQueue(UInt32(id), &events) }
        if reason == .key { return refillKey(id, &events) }
        let task = TaskID(id)
        guard let position = state.tasks.position(of: task) else {
            preconditionFailure("\(task) wakes and does not exist")
        }
        switch reason {
        case .due: makeReady(task, at: position, &events)
        case .expiry: expire(task, at: position, &events)
        case .timeout: timeOut(task, at: position, &events)
        case .finished, .dead: remove(task)
        case .deadline: passDeadline(task, at: position, &events)
        case .worker, .schedule, .queue, .key: preconditionFailure("\(reason) is no wake of a task")
        }
    }

    private mutating func forgetOldestKey() {
        guard let oldest = state.keys.first else { return }
        index.keys[oldest.key] = nil
        state.keys.removeFirst()
    }

    /// Takes entries off the top that no longer hold, so that a top that is not later than `instant` tells the truth.
    mutating func clean(_ reason: Wakes.Reason, through instant: Milliseconds) {
        index.wakes.clean(reason, through: instant, in: state, index.scheduleNames)
    }

    /// Brings `nextWake` up to date, at the end of each entry.
    mutating func settle() {
        var next = state.keyWake
        var nextSchedule: Milliseconds?
        var isTidy = true
        for reason in Wakes.Reason.allCases {
            let live = keptCount(reason)
            if !index.wakes.tidy(reason, live: live, in: state, index.scheduleNames) {
                isTidy = false
            }
            guard !isWaiting(reason), let top = index.wakes.top(reason) else { continue }
            let instant = Milliseconds(top.key)
            if reason == .schedule {
                nextSchedule = instant
            } else {
                next = min(next ?? .max, instant)
            }
        }
        // The rest of what one entry's budget did not reach.
        if !isTidy || !state.endings.isEmpty || state.jobs.firstRunning != nil
            || isOverfull(.finished) || isOverfull(.dead) || isAnySpaceOverfull
        {
            next = state.time
        }
        index.nextWakeBesidesSchedules = next
        if let nextSchedule { next = min(next ?? .max, nextSchedule) }
        index.nextWake = hasDueBackfill ? state.time : next
    }
}
