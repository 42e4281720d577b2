/// `carillon bench precision`: how late tasks start that are due at given instants.
struct PrecisionBench {
    static let spec = CommandSpec(
        name: "precision", summary: "how late tasks start that are due at given instants",
        details: [
            "All tasks are submitted before the first of them is due. Lateness is told three times: as the cluster has",
            "recorded it, in whole milliseconds; as the workers of the nodes have begun, by the steps of their metrics;",
            "and as this client hears of each start in the events of a node, which needs a clock that agrees with the",
            "cluster's.",
        ],
        options: [
            OptionSpec(name: "per-second", value: "N", summary: "tasks due in each second (20)"),
            OptionSpec(
                name: "together",
                summary: "those of a second are due at its beginning; else at instants by chance"),
            BenchOptions.seconds,
            OptionSpec(
                name: "lead", value: "N",
                summary: "seconds before the first is due (3, and one for every 20,000 tasks)"),
            BenchOptions.direction, BenchOptions.keep,
        ],
        examples: [
            "carillon bench precision --per-second 20 --seconds 30",
            "carillon bench precision --per-second 1000 --seconds 60 --together",
        ],
        run: run)

    private static let maxPerSecond: Int64 = 100_000
    private static let maxTasks = 5_000_000
    private static let defaultLeadSeconds = 3
    private static let tasksPerLeadSecond = 20_000

    let session: BenchSession
    private let perSecond: Int
    private let seconds: Int
    private let isTogether: Bool
    private let lead: Int

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let bench = try PrecisionBench(invocation)
        return try bench.session.run("precision", settings: bench.describe) {
            (report) throws(CommandFailure) in
            report.runs.append(try bench.measure())
        }
    }

    private init(_ invocation: Invocation) throws(CommandFailure) {
        perSecond = Int(try invocation.integer("per-second", in: 1...Self.maxPerSecond) ?? 20)
        seconds = Int(try BenchOptions.seconds("seconds", default: 20, invocation))
        guard perSecond * seconds <= Self.maxTasks else {
            throw .usage(
                "--per-second \(perSecond) --seconds \(seconds): at most \(Self.maxTasks) tasks")
        }
        let count = perSecond * seconds
        lead = Int(
            try invocation.integer("lead", in: 1...3_600)
                ?? Int64(Self.defaultLeadSeconds + count / Self.tasksPerLeadSecond))
        isTogether = invocation.flag("together")
        session = try BenchSession(invocation)
    }

    private func describe(_ settings: inout BenchFigures) {
        settings.add("tasks a second", "perSecond", .count(UInt64(perSecond)))
        settings.add("seconds", "seconds", .count(UInt64(seconds)))
        settings.add("due", "due", .text(isTogether ? "together" : "by chance"))
    }

    /// Instants in milliseconds since 1970, each second's own.
    private func instants(from start: Int64) -> [Int64] {
        var seed: UInt64 = 0x2545_F491_4F6C_DD1D
        return (0..<perSecond * seconds).map { index in
            let second = start + Int64(index / perSecond) * 1_000
            guard !isTogether else { return second }
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return second + Int64((seed >> 33) % 1_000)
        }
    }

    private func measure() throws(CommandFailure) -> BenchFigures {
        // At the beginning of a second.
        let start = (SystemClock.wallMilliseconds() / 1_000 + Int64(lead) + 1) * 1_000
        session.tell("the first is due at \(Timestamp.format(start))")
        let load = try PrecisionLoad(session, instants: instants(from: start))
        let before = BegunLateness.read(session)
        let usage = try load.drive(start: start, end: start + Int64(seconds) * 1_000)
        let recorded = try RecordedLateness.read(session.space.client)
        guard recorded.early == 0 else {
            throw .failed("\(recorded.early) tasks were started before they were due")
        }
        var figures = BenchFigures()
        figures.add("tasks", "tasks", .count(UInt64(perSecond * seconds)))
        figures.add("slots", "slots", .count(try session.slots()))
        figures.add("started", "startedTasks", .count(load.lateness.lateness.count))
        recorded.add(to: &figures)
        let begun = before.flatMap { BegunLateness.read(session)?.since($0) }
        BegunLateness.add(begun, to: &figures)
        load.lateness.add(to: &figures)
        figures.add("errors", "errors", .failures(load.failures))
        figures.add(usage)
        return figures
    }
}
