/// What a node may never forget: its term and whom it voted for in that term.
public struct HardState: Equatable, Sendable {
    /// The newest term this node has heard of (section 5.1).
    public var term: Term
    /// Whom it voted for in that term; nil if for nobody yet (section 5.2).
    public var vote: NodeID?

    /// That of an empty disk, unless said otherwise.
    public init(term: Term = 0, vote: NodeID? = nil) {
        self.term = term
        self.vote = vote
    }
}

/// The last entry a snapshot covers, and the configuration committed there.
public struct SnapshotMark: Equatable, Sendable {
    /// The last entry it covers, which is committed.
    public var index: Index
    /// The term of that entry, for the consistency check of the one behind it (section 7).
    public var term: Term
    /// As of that entry; never one that might be rolled back (dissertation, section 5.1).
    public var configuration: Configuration

    /// The state after the entry `index`; 0, 0 and nobody before the first one.
    public init(index: Index, term: Term, configuration: Configuration) {
        self.index = index
        self.term = term
        self.configuration = configuration
    }
}

/// What storage found on disk, synced before it was handed over: after a crash the page cache may show what the disk does
/// not have.
public struct Recovered: Equatable, Sendable {
    /// Term and vote. Where they are not certain the node must not start: it might vote twice.
    public var hardState: HardState
    /// For an empty disk: index 0, term 0 and a configuration of nobody (`Input.found`).
    public var snapshot: SnapshotMark
    /// Consecutive, beginning at `snapshot.index + 1`. Damaged ones have the payload `.lost`.
    public var entries: [Entry]
    /// The state at `snapshot` is damaged and has to come from a peer; the mark itself is known.
    public var isStateLost: Bool

    /// - Precondition: `entries` begin right behind `snapshot` and are consecutive; see the fields.
    public init(
        hardState: HardState, snapshot: SnapshotMark, entries: [Entry], isStateLost: Bool = false
    ) {
        self.hardState = hardState
        self.snapshot = snapshot
        self.entries = entries
        self.isStateLost = isStateLost
    }
}
