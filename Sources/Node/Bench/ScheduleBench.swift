/// `carillon bench schedules`: many schedules whose occurrences are all due at the same instants.
struct ScheduleBench {
    static let spec = CommandSpec(
        name: "schedules",
        summary: "how late occurrences of many schedules start, each accounted for",
        details: [
            "Each schedule names the same instants, one a period, and ends with the last of them. It fails if the",
            "counters of the schedules do not add up to every occurrence.",
        ],
        options: [
            OptionSpec(name: "schedules", value: "N", summary: "how many (1000)"),
            OptionSpec(name: "period", value: "DURATION", summary: "between two instants (1s)"),
            OptionSpec(name: "occurrences", value: "N", summary: "of each schedule (10)"),
            OptionSpec(
                name: "lead", value: "N",
                summary: "seconds before the first instant (3, and one for every 500 schedules)"),
            BenchOptions.direction, BenchOptions.keep,
        ],
        examples: [
            "carillon bench schedules --schedules 1000",
            "carillon bench schedules --schedules 20000 --occurrences 1",
        ],
        run: run)

    private static let maxSchedules: Int64 = 100_000
    /// A schedule names at most so many instants.
    private static let maxOccurrences: Int64 = 1_000
    private static let maxPeriodMilliseconds: Int64 = 3_600_000
    private static let defaultLeadSeconds: Int64 = 3
    private static let schedulesPerLeadSecond: Int64 = 500

    let session: BenchSession
    let schedules: Int
    let occurrences: Int
    let periodMilliseconds: Int64
    private let lead: Int64

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let bench = try ScheduleBench(invocation)
        return try bench.session.run("schedules", settings: bench.describe) {
            (report) throws(CommandFailure) in
            let (figures, unaccounted) = try bench.measure()
            report.runs.append(figures)
            guard unaccounted == 0 else {
                throw .failed("\(unaccounted) occurrences are not accounted for")
            }
        }
    }

    private init(_ invocation: Invocation) throws(CommandFailure) {
        let count = try invocation.integer("schedules", in: 1...Self.maxSchedules) ?? 1_000
        schedules = Int(count)
        occurrences = Int(
            try invocation.integer("occurrences", in: 1...Self.maxOccurrences) ?? 10)
        periodMilliseconds = try invocation.durationMilliseconds("period") ?? 1_000
        guard (1...Self.maxPeriodMilliseconds).contains(periodMilliseconds) else {
            throw .usage("--period: expected 1ms to 1h")
        }
        lead =
            try invocation.integer("lead", in: 1...3_600)
            ?? Self.defaultLeadSeconds + count / Self.schedulesPerLeadSecond
        session = try BenchSession(invocation)
    }

    private func describe(_ settings: inout BenchFigures) {
        settings.add("schedules", "schedules", .count(UInt64(schedules)))
        settings.add("occurrences of each", "occurrences", .count(UInt64(occurrences)))
        settings.add("period", "period", .text(DurationText.format(periodMilliseconds)))
    }

    private func measure() throws(CommandFailure) -> (BenchFigures, unaccounted: Int64) {
        let start = (SystemClock.wallMilliseconds() / 1_000 + lead + 1) * 1_000
        let instants = (0..<occurrences).map { start + Int64($0) * periodMilliseconds }
        session.tell("the first are due at \(Timestamp.format(start))")
        let load = try ScheduleLoad(self, instants: instants)
        let usage = try load.drive()
        let account = try ScheduleAccount.read(session.space.client)
        let recorded = try RecordedLateness.read(session.space.client)
        let expected = Int64(schedules) * Int64(occurrences)
        var figures = BenchFigures()
        figures.add("occurrences", "expectedOccurrences", .count(UInt64(expected)))
        figures.add("slots", "slots", .count(try session.slots()))
        account.add(to: &figures, expected: expected)
        recorded.add(to: &figures)
        load.lateness.add(to: &figures)
        figures.add("errors", "errors", .failures(load.failures))
        figures.add(usage)
        return (figures, abs(expected - account.total))
    }
}

/// How the occurrences of all schedules ended, by their own counters.
struct ScheduleAccount {
    private(set) var ran: Int64 = 0
    private(set) var skipped: Int64 = 0
    private(set) var missed: Int64 = 0
    private(set) var expired: Int64 = 0

    var total: Int64 { ran + skipped + missed + expired }

    static func read(_ client: ClusterClient) throws(CommandFailure) -> ScheduleAccount {
        var account = ScheduleAccount()
        try ItemList.forEachPage("/v1/schedules", query: [], limit: 1_000_000, client: client) {
            for schedule in $0 { account.take(schedule) }
        }
        return account
    }

    private mutating func take(_ schedule: JSONValue) {
        let counters = schedule["counters"]
        ran += counters?["ran"]?.integer ?? 0
        skipped += counters?["skipped"]?.integer ?? 0
        missed += counters?["missed"]?.integer ?? 0
        expired += counters?["expired"]?.integer ?? 0
    }

    func add(to figures: inout BenchFigures, expected: Int64) {
        for (name, count) in [
            ("ran", ran), ("skipped", skipped), ("missed", missed), ("expired", expired),
        ] {
            figures.add(name, name, .count(UInt64(max(0, count))))
        }
        figures.add("unaccounted", "unaccounted", .count((expected - total).magnitude))
    }
}
