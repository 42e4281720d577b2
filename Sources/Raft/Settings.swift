/// Timing and limits of the consensus core.
public struct Settings: Equatable, Sendable {
    public var heartbeatNanoseconds: Nanoseconds = 50_000_000
    /// Elections start after a random time in [election, 2 × election) without a leader.
    public var electionNanoseconds: Nanoseconds = 300_000_000
    public var maxAppendBytes: Int = 1 << 20
    public var maxInFlightMessages: Int = 256
    public var maxInFlightBytes: Int = 8 << 20
    public var maxSnapshotChunkBytes: Int = 256 << 10
    /// Proposals are refused while more than this waits for commit, or for the leader's own disk.
    public var maxUncommittedBytes: Int = 64 << 20
    /// A leader whose disk has not finished a batch for this long steps down.
    public var diskStallNanoseconds: Nanoseconds = 2_000_000_000
    /// Compaction keeps this much behind the snapshot for followers that are a little slow.
    public var retainedLogBytes: Int = 8 << 20

    public init() {}
}
