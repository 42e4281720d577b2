import Raft
import Scheduler

/// Timing and limits of a replica.
public struct ReplicaSettings: Sendable {
    public var raft = Settings()
    /// A worker whose beats are missed for this long is lost.
    public var workerTimeoutNanoseconds: Nanoseconds = 2_000_000_000
    /// A snapshot is taken when the log behind the last one is longer than this.
    public var snapshotLogBytes = 64 << 20
    /// Counted from when the last one was written. Only a log of `hastySnapshotFactor` times those bytes, and of as many as
    /// that snapshot has, does not wait for that: under a flood the whole state would be written again for every few seconds
    /// of it.
    public var snapshotRestNanoseconds: Nanoseconds = 10_000_000_000
    var hastySnapshotFactor: Int { 4 }
    public var maxPendingRequests = 65_536
    public var maxPendingBytes = 128 << 20
    /// Groups are joined into one entry up to this size; a single group may be larger.
    public var maxEntryBytes = 1 << 20
    /// While an entry is on its way, what comes in is gathered for the next one until it is so large, or so long.
    public var companyBytes = 64 << 10
    public var companyNanoseconds: Nanoseconds = 2_000_000
    public var maxForwardBytes = 1 << 20
    /// Unanswered requests are sent again after this time without news of them.
    public var resendNanoseconds: Nanoseconds = 1_000_000_000
    /// Entries applied in one turn, so that a long log does not hold the loop.
    public var applyBudgetBytes = 256 << 10
    /// A node that had caught up counts as ready until it is further behind than this.
    public var maxReadyLagEntries: UInt64 = 1_000
    public var maxFiringsPerAdvance = 200
    public var maxBackfillsPerAdvance = 3

    /// Events held for those who follow them; 0: none.
    public var maxFeedRecords = 0

    /// What the configuration says of queues. As leader this node declares those that nobody has declared.
    public var initialQueues: [InitialQueue] = []

    /// What the configuration says of tasks that have ended: that of the leader holds.
    public var retention = Retention()

    /// The nodes that found the cluster together, by name; empty: this node never founds one.
    public var founders: [String] = []
    /// A node that was never a member asks those it meets to be taken in.
    public var joins = false
    /// Where the node listens for nodes and for clients, as it tells the others.
    public var peerAddress = ""
    public var apiAddress = ""
    /// The newest rules of the state machine that this node may apply.
    public var highestStateVersion = Scheduler.latestStateVersion

    public init() {}

    var beatNanoseconds: Nanoseconds { workerTimeoutNanoseconds / 8 }

    /// How often an attached worker is to beat. Several may get lost before its lease is over.
    public var attachedBeatNanoseconds: Nanoseconds { workerTimeoutNanoseconds / 4 }

    /// How long a worker goes on, counted from when it sent the last beat that was answered (on the leader: the last round
    /// that a majority answered). Counted from the answer's arrival it would outlast the leader's patience. The rest of
    /// `workerTimeout` is the margin in which running attempts are stopped before the leader assigns them again.
    public var leaseNanoseconds: Nanoseconds { workerTimeoutNanoseconds / 10 * 7 }

    var leaseMarginNanoseconds: Nanoseconds { workerTimeoutNanoseconds - leaseNanoseconds }
}
