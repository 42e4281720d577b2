import Scheduler

/// What became of the occurrences of schedules in the entries that this process has applied.
public struct OccurrenceStatistics: Sendable {
    /// They got tasks.
    private(set) var fired: UInt64 = 0
    private(set) var skipped: UInt64 = 0
    private(set) var missed: UInt64 = 0
    /// Their tasks could not start in time.
    private(set) var expired: UInt64 = 0
    /// From an occurrence's instant to the log time at which it got its task.
    private(set) var lateness = Histogram()

    mutating func note(_ event: Event, in scheduler: Scheduler) {
        switch event {
        case .scheduleFired(_, let nominal, _):
            fired += 1
            lateness.record(microseconds: UInt64(max(0, scheduler.time - nominal)) * 1_000)
        case .occurrencesPassed(_, _, let count, let end, _):
            if end == .missed { missed += UInt64(count) } else { skipped += UInt64(count) }
        case .taskChanged(let id, .expired):
            if scheduler.isOccurrence(id) { expired += 1 }
        default: return
        }
    }
}
