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

    static let intervalNanoseconds: Nanoseconds = 500_000_000
    static let slowNanoseconds: Nanoseconds = 1_000_000_000
    static let stallNanoseconds: Nanoseconds = 15_000_000_000

    private var prunable: [(mark: SnapshotMark, ticket: Ticket)] = []

    func verdict(pendingSince: Nanoseconds?, now: Nanoseconds) -> Verdict {
        guard let pendingSince, now > pendingSince else { return .fine }
        let waited = now - pendingSince
        if waited >= Self.stallNanoseconds { return .stalled(seconds: waited / 1_000_000_000) }
        return waited >= Self.slowNanoseconds ? .slow : .fine
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
