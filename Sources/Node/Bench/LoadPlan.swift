import Raft

/// How a load generator asks.
struct LoadPlan: Equatable, Sendable {
    /// Go round the targets, one after the other.
    var connections = 1
    /// Requests that are under way at a time on each connection.
    var pipeline = 1
    /// nil: each connection asks again when it has its answer.
    var ratePerSecond: UInt64?
    /// Comes before what is measured.
    var warmupNanoseconds: UInt64 = 0
    /// `.max`: until all requests are made.
    var measuredNanoseconds: UInt64 = .max
    var maxRequests: UInt64 = .max
    /// How long answers are waited for at the end.
    var patienceNanoseconds: UInt64 = 15_000_000_000
}

/// One request of a load, and what came of it.
struct LoadExchange: Equatable, Sendable {
    /// From 0, in the order in which requests were begun.
    let number: UInt64
    /// When it was meant to begin: at a given rate this is before it was sent if no connection was free.
    let intended: Nanoseconds
    let sent: Nanoseconds
}

/// What a load came to.
struct LoadTally: Sendable {
    var latencies = LatencyHistogram()
    /// Answered well within the measured time, whenever they were begun.
    var measuredAnswers: UInt64 = 0
    var measuredTasks: UInt64 = 0
    /// Tasks acknowledged in all, warm-up and last answers included.
    var acknowledgedTasks: UInt64 = 0
    var requests: UInt64 = 0
    /// What went wrong, by kind: refusals by the problem's type, broken connections by the reason.
    var failures = FailureCounts()
    /// Most requests whose time had come and that no connection was free for.
    var longestQueue: UInt64 = 0
    /// The time that was measured in the end.
    var measuredNanoseconds: UInt64 = 0

    func perSecond(_ count: UInt64) -> Double {
        measuredNanoseconds > 0 ? Double(count) * 1e9 / Double(measuredNanoseconds) : 0
    }
}
