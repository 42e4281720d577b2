/// Timing and limits of the consensus core.
public struct Settings: Equatable, Sendable {
    /// Between two heartbeats of a leader; a fraction of the election timeout (section 5.6).
    public var heartbeatNanoseconds: Nanoseconds = 50_000_000
    /// Elections start after a random time in [election, 1.5 × election) without a leader.
    public var electionNanoseconds: Nanoseconds = 300_000_000
    /// The most entries of one append count for; a single larger entry goes alone. Who makes one, and who gets it, does
    /// nothing else meanwhile.
    public var maxAppendBytes: Int = 256 << 10
    /// Appends with entries on their way to one peer (dissertation, section 10.2.2).
    public var maxInFlightMessages: Int = 256
    /// What is on its way to one peer; the append that reaches it is the last.
    public var maxInFlightBytes: Int = 8 << 20
    /// A learner is sent so much from the log with each heartbeat, and twice of what is appended if that is more: a newcomer
    /// that got everything at once would take disk and processors from those that serve. 10 MiB a second by default.
    public var learnerBytesPerHeartbeat: Int = 512 << 10
    /// One piece of a snapshot; one is on its way to a peer at a time.
    public var maxSnapshotChunkBytes: Int = 256 << 10
    /// Proposals are refused while more than this waits for commit, or for the leader's own disk.
    public var maxUncommittedBytes: Int = 64 << 20
    /// A leader whose disk has not finished a batch for this long steps down.
    public var diskStallNanoseconds: Nanoseconds = 2_000_000_000
    /// Compaction keeps this much of what the snapshot covers, for followers that are a little slow.
    public var retainedLogBytes: Int = 8 << 20
    /// It keeps up to this much for those that are heard and still need it, or are being sent an older snapshot.
    public var maxRetainedLogBytes: Int = 64 << 20
    /// The leader answers reads by itself while a majority followed it recently enough to be sure that nobody
    /// else leads. That rests on clocks: see `maxClockDriftPPM`. All members need the same setting.
    public var leaseReads = false
    /// No member's monotonic clock gains or loses more than this against true time, in parts per million.
    public var maxClockDriftPPM: UInt64 = 10_000

    /// The defaults above: for members that are a few milliseconds apart.
    public init() {}
}
