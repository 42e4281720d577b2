/// What a node may never forget: its term and whom it voted for in that term.
public struct HardState: Equatable, Sendable {
    public var term: Term
    public var vote: NodeID?

    public init(term: Term = 0, vote: NodeID? = nil) {
        self.term = term
        self.vote = vote
    }
}

/// The last entry a snapshot covers, and the configuration committed there.
public struct SnapshotMark: Equatable, Sendable {
    public var index: Index
    public var term: Term
    public var configuration: Configuration

    public init(index: Index, term: Term, configuration: Configuration) {
        self.index = index
        self.term = term
        self.configuration = configuration
    }
}

/// What storage found on disk, synced before it was handed over (DESIGN rule 11).
public struct Recovered: Equatable, Sendable {
    public var hardState: HardState
    /// For an empty disk: index 0, term 0 and the initial configuration.
    public var snapshot: SnapshotMark
    /// Consecutive, beginning at `snapshot.index + 1`. Damaged ones have the payload `.lost`.
    public var entries: [Entry]
    /// The state at `snapshot` is damaged and has to come from a peer; the mark itself is known.
    public var isStateLost: Bool

    public init(
        hardState: HardState, snapshot: SnapshotMark, entries: [Entry], isStateLost: Bool = false
    ) {
        self.hardState = hardState
        self.snapshot = snapshot
        self.entries = entries
        self.isStateLost = isStateLost
    }
}
