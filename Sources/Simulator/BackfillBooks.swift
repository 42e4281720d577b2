import Scheduler

/// Accounts for backfills by books of its own: every occurrence of the range is dealt with, none twice.
struct BackfillBooks {
    /// Ids of occurrences whose tasks came to be; in a run no task is dropped before its end.
    private var seen: Set<String> = []
    private var known: Set<TaskID> = []
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
        for case .taskChanged(let id, _) in events {
            guard known.insert(id).inserted, let occurrence = state.task(id)?.occurrence else {
                continue
            }
            let isNew = seen.insert(occurrence).inserted
            guard !byTime.contains(id) else { continue }
            fired += 1
            guard isNew else {
                throw Violation("an occurrence is made up for once", "\(occurrence) again as \(id)")
            }
        }
        for request in requests {
            switch request.command {
            case .startBackfill(let name, _, _), .cancelBackfill(let name),
                .putSchedule(let name, _, _, _),
                .deleteSchedule(let name):
                // What became of it within the entry is not asked.
                rebase(name, state)
            case .fillBack(let portion): try check(portion.schedule, state)
            default: continue
            }
        }
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
