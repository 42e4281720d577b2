import Raft
import Scheduler

/// What a node counts as it goes. Owned by the loop thread; what other threads measure comes to it
/// through the mailbox.
final class Metrics {
    /// Submissions that this node answered with a task, new or known by its key.
    var submits: UInt64 = 0
    /// From the arrival of a submission to its answer.
    var submitLatency = Histogram()
    /// From the time a task was due to the start of its attempt by this node's worker.
    var startLatency = Histogram()
    /// One fdatasync of the log, with the write before it.
    var syncLatency = Histogram()
    /// Attempts that this node's worker started, and how they ended.
    var attemptsStarted: UInt64 = 0
    var attemptsSucceeded: UInt64 = 0
    var attemptsFailed: UInt64 = 0
    /// Requests that were refused because the node was full, or had no leader in time, or whose outcome
    /// stayed unknown.
    var refusedOverloaded: UInt64 = 0
    var refusedNoLeader: UInt64 = 0
    var refusedUnknown: UInt64 = 0
    var leadershipChanges: UInt64 = 0
    /// Tasks that this node wrote to files before they were dropped, and files that it could not write.
    var exportedTasks: UInt64 = 0
    var historyFailures: UInt64 = 0
    private var responsesByClass = InlineArray<6, UInt64>(repeating: 0)

    func countResponse(status: Int) {
        let statusClass = status / 100
        responsesByClass[(1...5).contains(statusClass) ? statusClass : 0] += 1
    }

    func responses(ofClass statusClass: Int) -> UInt64 {
        responsesByClass[statusClass]
    }

    func count(_ refusal: Refusal) {
        switch refusal {
        case .overloaded: refusedOverloaded += 1
        case .noLeader: refusedNoLeader += 1
        case .outcomeUnknown: refusedUnknown += 1
        }
    }
}

/// What is read off at the moment somebody asks for metrics.
struct MetricsGauges {
    struct Peer {
        var id: String
        var isConnected: Bool
        /// Theirs minus ours; nil while unknown.
        var skewMilliseconds: Milliseconds?
        var sentMessages: UInt64 = 0
        var sentBytes: UInt64 = 0
        var droppedMessages: UInt64 = 0
    }

    var node: String
    var version: String
    var isLeader: Bool
    var hasLeader: Bool
    var term: UInt64
    var commitIndex: UInt64
    var appliedIndex: UInt64
    var logBytes: UInt64
    var counts: Counts
    /// By `WorkerView.State.rawValue`.
    var workersByState: [Int]
    var pendingRequests: Int
    var loopTurns: Histogram
    var residentBytes: UInt64
    var uptimeSeconds: Double
    /// Sorted by id.
    var peers: [Peer]
    /// The first by name: each is a label's value, and their number has to be bounded. Likewise queues and schedules.
    var namespaces: [NamespaceView] = []
    var queues: [QueueView] = []
    var otherQueues = QueueTotals(queues: 0, pending: 0, running: 0)
    var schedules: [ScheduleView] = []
    var occurrences = OccurrenceStatistics()
    /// How long the first schedule that is due has been so.
    var overdueMilliseconds: Milliseconds = 0
    /// Schedules that are due and whose times this node, leading, can't compute.
    var passedOverSchedules = 0

    static let maxLabelValues = 200
}
