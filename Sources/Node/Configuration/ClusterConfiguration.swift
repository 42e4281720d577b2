import Raft
import Scheduler

/// What `cluster.json` says: the same for all nodes of a cluster. See docs/CONFIGURATION.md.
struct ClusterConfiguration: Equatable, Sendable {
    /// Names the cluster; nodes of another cluster are turned away.
    var cluster: String
    /// Each node keeps its state in a directory of its own below this one. Relative to the working
    /// directory.
    var dataDirectory = "data"
    /// In the order of the file.
    var nodes: [Member]
    var timing = Timing()
    /// Sorted by name, without the built-in ones.
    var handlers: [Handler] = []
    /// Signs webhooks; nil: they are not signed.
    var webhookSecret: [UInt8]?
    var results = Results()
    /// Sorted by name.
    var queues: [InitialQueue] = []
    var retention = Retention()
    /// Where tasks are written to before they are dropped; nil: they are just dropped.
    var history: History?
    /// Addresses that others can reach are wanted although nothing protects them.
    var isInsecure = false

    struct Member: Equatable, Sendable {
        var id: String
        /// Where the other nodes connect.
        var peer: Endpoint
        /// Where clients connect.
        var api: Endpoint
        /// Attempts that its worker runs at a time; 0: it runs none.
        var slots: UInt32 = 8
        /// Sorted, without duplicates.
        var tags: [String] = []
    }

    struct Timing: Equatable, Sendable {
        /// How often the leader says that it is there.
        var heartbeatMilliseconds: Milliseconds = 50
        /// Without a leader for this time, up to half as long again, a node stands for election.
        var electionMilliseconds: Milliseconds = 300
        /// A worker that is silent for this time is taken for lost.
        var workerTimeoutMilliseconds: Milliseconds = 2_000
        /// The leader answers reads without asking the others, trusting the clocks.
        var leaseReads = false
        /// How much any clock may gain or lose, in parts per million.
        var clockDriftPPM: Int64 = 10_000
    }

    struct Handler: Equatable, Sendable {
        var name: String
        var definition: HandlerDefinition
    }

    /// Where large results and logs are kept, and for how long.
    struct Results: Equatable, Sendable {
        var place = Place.directory(nil)
        var retentionMilliseconds = ResultLimits.defaultRetentionMilliseconds
        /// Of a directory.
        var maxMegabytes: UInt64 = ResultLimits.defaultMaxMegabytes

        enum Place: Equatable, Sendable {
            /// Each node has one of its own below it; nil: in its data directory.
            case directory(String?)
            case bucket(BucketSettings)
        }
    }

    struct History: Equatable, Sendable {
        /// Each node has one of its own below it.
        var directory: String
        /// How often the leader looks for tasks whose time is up.
        var intervalMilliseconds = HistoryLimits.defaultIntervalMilliseconds
    }

    static let maxNodes = 7
    static let maxFileBytes = 1 << 20
    static let maxHandlers = 1_000
    static let maxQueues = 1_000
    static let maxArguments = 256
    static let maxTextBytes = 4 << 10

    func member(_ id: String) -> Member? {
        nodes.first { $0.id == id }
    }
}
