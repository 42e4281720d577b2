import Scheduler

/// Checks by books of its own what is dropped, and when: nothing that has not ended, nothing before its time unless
/// somebody asks for it or there are too many, the oldest first; and what is to go goes.
struct RetentionBooks {
    private struct End {
        let isDead: Bool
        let state: TaskState
        let time: Milliseconds
    }

    private var ends: [TaskID: End] = [:]
    private var open: Set<TaskID> = []
    private var dropped: Set<TaskID> = []
    private var retention = Scheduler().retention
    /// Bulk jobs that delete, as they stood before the entry at hand.
    private var deleting: [BulkSpec] = []
    /// Nothing has to be dropped for its age before.
    private var quietUntil: Milliseconds = .max
    private var deadCount = 0

    var droppedCount: Int { dropped.count }

    func isDropped(_ id: TaskID) -> Bool { dropped.contains(id) }

    /// Takes in one entry: `requests` and `events` as they stand in it, `state` after it.
    mutating func note(
        _ requests: [Request], _ events: [Event], _ state: Scheduler,
        _ tasks: [TaskID: Oracle.TaskAccount]
    ) throws(Violation) {
        var returned: [Bool: Int] = [:]
        for event in events {
            guard case .taskChanged(let id, let new) = event else { continue }
            if let end = take(id) { returned[end.isDead, default: 0] += 1 }
            guard new.isFinal else {
                open.insert(id)
                continue
            }
            open.remove(id)
            let end = End(isDead: new == .dead, state: new, time: state.time)
            ends[id] = end
            deadCount += end.isDead ? 1 : 0
            quietUntil = min(quietUntil, Self.dropTime(end, state.retention))
        }
        let before = retention
        retention = state.retention
        let isChanged = before != retention
        if state.counts.tasksByState.reduce(0, +) != open.count + ends.count {
            let gone = ends.keys.filter { state.state(of: $0) == nil }
            var asked = Set(gone.filter { isBeingDeleted($0, tasks) })
            for request in requests {
                switch request.command {
                case .deleteTask(let id): asked.insert(id)
                case .dropExported(let departures): asked.formUnion(departures.map(\.task))
                default: continue
                }
            }
            try takeDropped(
                [before, retention].filter { !$0.isExported }, asked, returned, state)
        }
        noteJobs(requests, state)
        // By itself nothing goes that is to be on record first.
        guard !retention.isExported else { return }
        if isChanged || quietUntil <= state.time { try checkAges(state) }
        for isDead in [false, true] where count(isDead) > Self.limit(isDead, retention) {
            // More go with the next entry, which is due at once.
            try checkWake(state, "\(count(isDead)) are kept, \(retention)")
        }
    }

    private mutating func takeDropped(
        _ rules: [Retention], _ asked: Set<TaskID>, _ returned: [Bool: Int], _ state: Scheduler
    ) throws(Violation) {
        if let id = open.first(where: { state.state(of: $0) == nil }) {
            throw Violation("what has not ended is kept", "\(id)")
        }
        let gone = ends.filter { state.state(of: $0.key) == nil }
        for id in gone.keys {
            _ = take(id)
            dropped.insert(id)
        }
        let early = gone.filter { task in
            !asked.contains(task.key)
                && !rules.contains { task.value.time + Self.age(task.value, $0) <= state.time }
        }
        for (id, end) in early {
            // Those that came back or were deleted in this entry may have been among the others when it was dropped.
            let others =
                count(end.isDead) + (returned[end.isDead] ?? 0)
                + asked.count { gone[$0]?.isDead == end.isDead }
            guard rules.contains(where: { others >= Self.limit(end.isDead, $0) }) else {
                throw Violation(
                    "what has ended is kept for as long as was asked",
                    "\(id) of \(end) at \(state.time), \(others) others, \(retention)")
            }
            // All of one rule.
            guard rules.count == 2, rules[0] == rules[1] else { continue }
            let older = ends.first {
                $0.value.isDead == end.isDead
                    && Self.dropTime($0.value, retention) < Self.dropTime(end, retention)
            }
            if let older {
                throw Violation("the oldest go first", "\(id) of \(end) before \(older)")
            }
        }
    }

    private func isBeingDeleted(_ id: TaskID, _ tasks: [TaskID: Oracle.TaskAccount]) -> Bool {
        guard let account = tasks[id] else { return false }
        return deleting.contains { spec in
            spec.filter.queue ?? account.queue == account.queue
                && spec.filter.handler ?? account.handler == account.handler
        }
    }

    private mutating func noteJobs(_ requests: [Request], _ state: Scheduler) {
        let isBegun = requests.contains { request in
            if case .beginBulkJob(let spec) = request.command {
                spec.action == .delete
            } else {
                false
            }
        }
        guard isBegun || !deleting.isEmpty else { return }
        deleting = state.bulkJobs().filter { $0.state == .running && $0.spec.action == .delete }
            .map(\.spec)
    }

    private mutating func checkAges(_ state: Scheduler) throws(Violation) {
        quietUntil = .max
        for end in ends.values {
            quietUntil = min(quietUntil, Self.dropTime(end, retention))
        }
        if quietUntil <= state.time { try checkWake(state, "due at \(quietUntil)") }
    }

    private func checkWake(_ state: Scheduler, _ text: String) throws(Violation) {
        guard state.nextWake.map({ $0 <= state.time }) ?? false else {
            throw Violation(
                "what is to go goes", "\(text); next at \(String(describing: state.nextWake))")
        }
    }

    private mutating func take(_ id: TaskID) -> End? {
        guard let end = ends.removeValue(forKey: id) else { return nil }
        deadCount -= end.isDead ? 1 : 0
        return end
    }

    private func count(_ isDead: Bool) -> Int { isDead ? deadCount : ends.count - deadCount }

    private static func limit(_ isDead: Bool, _ rule: Retention) -> Int {
        Int(isDead ? rule.maxDead : rule.maxFinished)
    }

    private static func age(_ end: End, _ rule: Retention) -> Milliseconds {
        switch end.state {
        case .succeeded: rule.succeededMilliseconds
        case .cancelled: rule.cancelledMilliseconds
        case .expired: rule.expiredMilliseconds
        default: rule.deadMilliseconds
        }
    }

    /// Many at once: at whole seconds.
    private static func dropTime(_ end: End, _ rule: Retention) -> Milliseconds {
        (end.time + age(end, rule) + 999) / 1_000 * 1_000
    }
}
