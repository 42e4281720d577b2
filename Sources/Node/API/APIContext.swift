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

    /// What "now" means for anything that the cluster is to do later.
    var clusterTime: Milliseconds { gateway.replica.clusterTime(at: facts.clock()) }
}
