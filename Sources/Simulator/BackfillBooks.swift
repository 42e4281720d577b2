import Scheduler

/// Accounts for backfills by books of its own: every occurrence of the range is dealt with, none twice.
struct BackfillBooks {
    /// Occurrences with their last tasks.
    private var seen: [String: TaskID] = [:]
    private var known: Set<TaskID> = []
    /// Schedules of tasks that backfills made, and those tasks that have not ended.
    private var owners: [TaskID: String] = [:]
    private var unfinished: [String: Set<TaskID>] = [:]
    /// Schedules whose backfills ran after the last entry, with the range.
    private var running: [String: ClosedRange<Milliseconds>] = [:]
    private(set) var fired = 0
    private(set) var finished = 0

    /// Takes in one entry: `requests` and `events` as they stand in it, `state` after it.
    mutating func note(
        _ requests: [Request], _ events: [Event], _ state: Scheduler
    ) throws(Violation) {
        var byTime: Set<TaskID> = []
        for case .scheduleFired(_, _, let task) in events { byTime.insert(task) }
        for case .taskChanged(let id, let new) in events {
            if known.insert(id).inserted {
                try open(id, isByTime: byTime.contains(id), requests, state)
            }
            guard let name = owners[id] else { continue }
            if new.isFinal {
                unfinished[name]?.remove(id)
            } else {
                unfinished[name, default: []].insert(id)
            }
        }
        for request in requests {
            switch request.command {
            case .startBackfill(let name, _, _), .cancelBackfill(let name),
                .putSchedule(let name, _, _, _, _),
                .deleteSchedule(let name):
                // What became of it within the entry is not asked.
                rebase(name, state)
            case .fillBack(let portion): try check(portion.schedule, state)
            default: continue
            }
        }
    }

    private mutating func open(
        _ id: TaskID, isByTime: Bool, _ requests: [Request], _ state: Scheduler
    ) throws(Violation) {
        guard let view = state.task(id), let name = view.schedule,
            let occurrence = view.occurrence
        else { return }
        let former = seen.updateValue(id, forKey: occurrence)
        guard !isByTime else { return }
        fired += 1
        // Of one whose task is dropped nobody can tell for ever that it was there.
        if let former, state.state(of: former) != nil {
            throw Violation(
                "an occurrence is made up for once", "\(occurrence) as \(former) and \(id)")
        }
        owners[id] = name
        // Which backfill it is of can be told if none began in this entry.
        let isBegun = requests.contains { request in
            if case .startBackfill(name, _, _) = request.command { true } else { false }
        }
        guard !isBegun, state.schedule(name)?.backfill?.isSequential ?? false,
            let others = unfinished[name], !others.isEmpty
        else { return }
        throw Violation(
            "occurrences are made up for one after the other",
            "\(id) of \(name) beside \(others.sorted())")
    }

    private mutating func rebase(_ name: String, _ state: Scheduler) {
        running[name] = nil
        guard let backfill = state.schedule(name)?.backfill, backfill.state == .running else {
            return
        }
        running[name] = backfill.from...backfill.to
    }

    private mutating func check(_ name: String, _ state: Scheduler) throws(Violation) {
        guard let range = running[name], let view = state.schedule(name),
            let timing = ScheduleBooks.timing(of: view.spec), let backfill = view.backfill,
            range == backfill.from...backfill.to
        else { return }
        let done = backfill.ran + backfill.repeated + backfill.skipped
        let end = min(range.upperBound, view.spec.policy.until ?? .max)
        let first = timing.next(after: range.lowerBound - 1)
        let upTo = backfill.next ?? timing.next(after: end)
        guard upTo >= first, done == UInt64((upTo - first) / timing.period) else {
            throw Violation(
                "every occurrence of a backfill is dealt with once",
                "\(name): \(done) from \(first) to \(upTo), \(backfill)")
        }
        guard backfill.state != .running else { return }
        running[name] = nil
        finished += 1
    }
}
