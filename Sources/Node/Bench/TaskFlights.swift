import Raft

/// Tasks on their way from their submission to their end, as one client sees them: it hears of acknowledgements on some
/// connections and of starts and ends on another, in any order.
struct TaskFlights {
    private struct Flight {
        /// nil: it is not acknowledged yet.
        var intended: Nanoseconds?
        var started: Nanoseconds?
        var ended: Nanoseconds?
    }

    private var flights: [UInt64: Flight] = [:]
    /// From when the submission was meant to begin to the news of the start, and of the end.
    private(set) var starts = LatencyHistogram()
    private(set) var ends = LatencyHistogram()
    /// Ends that were told of.
    private(set) var endedCount: UInt64 = 0
    /// Those of them that fell into the measured time.
    private(set) var measuredEnds: UInt64 = 0
    /// Ends that were no success, by state.
    private(set) var badEnds = FailureCounts()
    /// Only submissions that were meant to begin in this time are recorded, and ends in it counted as measured.
    var measured: Range<Nanoseconds> = 0..<0

    /// Acknowledged tasks whose end is not known.
    private(set) var openCount = 0

    mutating func acknowledged(_ task: UInt64, intended: Nanoseconds) {
        // A node may answer with a task that it has answered with before.
        guard flights[task]?.intended == nil else { return }
        flights[task, default: Flight()].intended = intended
        openCount += 1
        settle(task)
    }

    /// The first start counts.
    mutating func started(_ task: UInt64, at now: Nanoseconds) {
        if flights[task]?.started == nil { flights[task, default: Flight()].started = now }
    }

    /// - Parameter failure: the state, if it is no success.
    mutating func ended(_ task: UInt64, at now: Nanoseconds, failure: String?) {
        endedCount += 1
        if measured.contains(now) { measuredEnds += 1 }
        if let failure { badEnds.add(failure) }
        flights[task, default: Flight()].ended = now
        settle(task)
    }

    private mutating func settle(_ task: UInt64) {
        guard let flight = flights[task], let intended = flight.intended, let ended = flight.ended
        else { return }
        flights[task] = nil
        openCount -= 1
        guard measured.contains(intended) else { return }
        ends.record(ended - min(ended, intended))
        if let started = flight.started { starts.record(started - min(started, intended)) }
    }
}
