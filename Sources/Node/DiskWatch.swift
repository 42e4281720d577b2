import Raft

/// Judges the log's disk by the batch that waits longest, and remembers which snapshots may be removed
/// once the log no longer needs them.
struct DiskWatch {
    enum Verdict: Equatable {
        case fine
        /// A leader this slow holds the cluster up: another should lead.
        case slow
        case stalled(seconds: UInt64)
    }

    /// `verdict` is asked for at this interval.
    static let intervalNanoseconds: Nanoseconds = 500_000_000
    static let slowChecks = 2
    static let stallChecks = 30

    private var waitingSince: Nanoseconds?
    /// Checks that found the same batch waiting. Counted rather than measured: while the process or the machine was
    /// paused time went on, but the disk had no chance.
    private var checks = 0
    private var prunable: [(mark: SnapshotMark, ticket: Ticket)] = []

    mutating func verdict(pendingSince: Nanoseconds?) -> Verdict {
        guard let pendingSince, pendingSince == waitingSince else {
            waitingSince = pendingSince
            checks = 0
            return .fine
        }
        checks += 1
        if checks >= Self.stallChecks {
            return .stalled(seconds: UInt64(checks) * Self.intervalNanoseconds / 1_000_000_000)
        }
        return checks >= Self.slowChecks ? .slow : .fine
    }

    mutating func pruneWhenDurable(_ mark: SnapshotMark, _ ticket: Ticket) {
        prunable.append((mark, ticket))
    }

    /// Marks whose batch is durable now: older snapshot files may go.
    mutating func takePrunable(durable ticket: Ticket) -> [SnapshotMark] {
        guard let first = prunable.first, first.ticket <= ticket else { return [] }
        let marks = prunable.filter { $0.ticket <= ticket }.map(\.mark)
        prunable.removeAll { $0.ticket <= ticket }
        return marks
    }
}
