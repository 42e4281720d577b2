/// How late tasks started by the cluster's own record: `startedAt` minus `runAt`, in whole milliseconds of log time.
struct RecordedLateness {
    private(set) var lateness = LatencyHistogram()
    private(set) var early: UInt64 = 0
    private(set) var neverStarted: UInt64 = 0
    /// They ran more than once: the record tells of the last start.
    private(set) var repeated: UInt64 = 0

    private static let maxTasks: Int64 = 20_000_000

    static func read(_ client: ClusterClient) throws(CommandFailure) -> RecordedLateness {
        var result = RecordedLateness()
        try ItemList.forEachPage("/v1/tasks", query: [], limit: maxTasks, client: client) { tasks in
            for task in tasks { result.take(task) }
        }
        return result
    }

    mutating func take(_ task: JSONValue) {
        if (task["attempt"]?.integer ?? 0) > 1 { repeated += 1 }
        guard let due = Self.instant(task, "runAt"), let started = Self.instant(task, "startedAt")
        else {
            neverStarted += 1
            return
        }
        if started < due { early += 1 }
        lateness.record(UInt64(max(0, started - due)) * 1_000_000)
    }

    private static func instant(_ task: JSONValue, _ name: String) -> Int64? {
        task[name]?.string.flatMap { try? Timestamp.parse($0) }
    }

    func add(to figures: inout BenchFigures) {
        figures.add("recorded", "recordedLateness", lateness)
        figures.add("recorded early", "recordedEarly", .count(early))
        if neverStarted > 0 { figures.add("never started", "neverStarted", .count(neverStarted)) }
        if repeated > 0 { figures.add("run again", "repeated", .count(repeated)) }
    }
}

/// How late starts were heard of, by the wall clock of this machine.
struct HeardLateness {
    private(set) var lateness = LatencyHistogram()
    /// Heard of before they were due: an early start, or clocks that disagree.
    private(set) var early: UInt64 = 0

    /// - Parameter now: by the wall clock, in nanoseconds since 1970.
    mutating func heard(
        dueMilliseconds: Int64, at now: Int64 = SystemClock.wallNanoseconds()
    ) {
        let late = now - dueMilliseconds * 1_000_000
        if late < 0 { early += 1 }
        lateness.record(UInt64(max(0, late)))
    }

    func add(to figures: inout BenchFigures) {
        figures.add("heard", "heardLateness", lateness)
        figures.add("heard early", "heardEarly", .count(early))
    }
}
