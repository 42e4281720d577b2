import Raft
import Scheduler

/// What the resources of the API share.
final class APIContext {
    let node: String
    let configuration: ClusterConfiguration
    let gateway: Gateway
    let metrics: Metrics
    let facts: NodeFacts
    let progress: ProgressBoard
    let scans: ScanQueue
    let bulkJobs: BulkJobWaiters
    let results: ResultDesk
    /// Reads bodies that are too large for the loop.
    let bodies: BackgroundThread<Result<JSONDocument, JSONError>>
    /// Read as schedules name them.
    var zones: ZoneTable
    /// The release of the time-zone data behind `zones`, if it says so.
    let zoneData: String?
    /// Kept from the last answer: pieces of its size are too large for what the C library has at hand, and each would be searched for.
    private var writer = JSONWriter(capacity: APIContext.usualAnswerBytes)

    private static let usualAnswerBytes = 2_048
    /// What a larger answer took is given back.
    private static let maxKeptBytes = 16 << 10

    init(
        node: String, configuration: ClusterConfiguration, gateway: Gateway, metrics: Metrics,
        facts: NodeFacts, results: ResultDesk, zones: ZoneTable
    ) {
        self.node = node
        self.configuration = configuration
        self.gateway = gateway
        self.metrics = metrics
        self.facts = facts
        progress = ProgressBoard(gateway: gateway, facts: facts)
        scans = ScanQueue(later: facts.later)
        bulkJobs = BulkJobWaiters(gateway: gateway, facts: facts)
        self.results = results
        bodies = facts.bodies
        self.zones = zones
        zoneData = zones.release()
    }

    /// Calls `body` with an empty writer, and `then` with what was written. Within them others may write.
    func write(_ body: (inout JSONWriter) -> Void, then: ([UInt8]) -> Void) {
        var taken = JSONWriter(capacity: 0)
        swap(&taken, &writer)
        // What still waits for its turn on a connection stays as it is: this takes other memory then.
        taken.removeAll()
        body(&taken)
        then(taken.bytes)
        writer =
            taken.bytes.capacity <= Self.maxKeptBytes
            ? taken : JSONWriter(capacity: Self.usualAnswerBytes)
    }

    /// What "now" means for anything that the cluster is to do later.
    var clusterTime: Milliseconds { gateway.replica.clusterTime(at: facts.clock()) }
}
