/// Names a batch of writes. Tickets rise by one; `durable(t)` means t and all before it are on disk.
public typealias Ticket = UInt64

/// One atomic, ordered unit of writing: applied to the log in the order of the fields below, behind one
/// checksum chain and one sync. A later batch never overtakes an earlier one.
public struct Batch: Equatable, Sendable {
    /// To be named in `Input.durable` once the batch is on disk.
    public var ticket: Ticket
    /// nil: unchanged since the previous batch.
    public var hardState: HardState?
    /// The log now starts behind this snapshot, whose file is already durable. Entries at or below it may
    /// be dropped. With `resetsLog` every entry is dropped: a snapshot of another history was installed.
    public var snapshot: SnapshotMark?
    /// See `snapshot`; only ever set together with it.
    public var resetsLog: Bool
    /// Entries at and above this index are dropped before `entries` are appended.
    public var truncateFrom: Index?
    /// Consecutive, and beginning right behind what is left of the log.
    public var entries: [Entry]

    /// What is left out does not change.
    ///
    /// - Precondition: `entries` are consecutive; tickets rise by one.
    public init(
        ticket: Ticket, hardState: HardState? = nil, snapshot: SnapshotMark? = nil,
        resetsLog: Bool = false, truncateFrom: Index? = nil, entries: [Entry] = []
    ) {
        self.ticket = ticket
        self.hardState = hardState
        self.snapshot = snapshot
        self.resetsLog = resetsLog
        self.truncateFrom = truncateFrom
        self.entries = entries
    }
}
