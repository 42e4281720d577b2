/// `carillon bench submit`: how many tasks are acknowledged, and how long that takes.
struct SubmitBench {
    static let spec = CommandSpec(
        name: "submit", summary: "tasks acknowledged a second, and how long each takes",
        details: [
            "The tasks are due in a day, so that nothing runs meanwhile. Without --rate each connection asks",
            "again when it has its answer.",
        ],
        options: [
            BenchOptions.connections, BenchOptions.pipeline, BenchOptions.bulk, BenchOptions.lines,
            BenchOptions.payload, BenchOptions.rate, BenchOptions.seconds, BenchOptions.warmup,
            OptionSpec(name: "keys", summary: "each task has a key of its own"),
            BenchOptions.direction, BenchOptions.keep,
        ],
        examples: [
            "carillon bench submit --connections 1,16,64,256",
            "carillon bench submit --bulk 100,1000 --to leader",
            "carillon bench submit --rate 5000 --payload 64,256,4096",
        ],
        run: run)

    private let session: BenchSession
    private let pipeline: Int
    private let rate: UInt64?
    private let seconds: UInt64
    private let warmup: UInt64
    private let hasKeys: Bool
    private let hasLines: Bool

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let shapes = try LoadShape.all(invocation)
        let bench = try SubmitBench(invocation)
        return try bench.session.run("submit", settings: bench.describe) {
            (report) throws(CommandFailure) in
            for (number, shape) in shapes.enumerated() {
                // Each run meets the same state.
                if number > 0 { try bench.session.space.removeTasks() }
                bench.session.tell("\(number + 1) of \(shapes.count): \(shape.description)")
                report.runs.append(try bench.measure(shape, run: number))
            }
        }
    }

    private init(_ invocation: Invocation) throws(CommandFailure) {
        pipeline = Int(
            try invocation.integer("pipeline", in: 1...BenchOptions.maxPipeline) ?? 1)
        rate = try invocation.integer("rate", in: 1...BenchOptions.maxRate).map { UInt64($0) }
        seconds = try BenchOptions.seconds("seconds", default: 10, invocation)
        warmup = try BenchOptions.seconds("warmup", default: 2, least: 0, invocation)
        hasKeys = invocation.flag("keys")
        hasLines = invocation.flag("lines")
        session = try BenchSession(invocation)
    }

    private func describe(_ settings: inout BenchFigures) {
        settings.add("seconds", "seconds", .count(seconds))
        settings.add("loop", "loop", .text(rate.map { "open, \($0)/s" } ?? "closed"))
        if pipeline > 1 { settings.add("pipeline", "pipeline", .count(UInt64(pipeline))) }
        if hasKeys { settings.add("keys", "keys", .text("yes")) }
    }

    private func measure(_ shape: LoadShape, run: Int) throws(CommandFailure) -> BenchFigures {
        let loop = try BenchSession.loop()
        var template = RequestTemplate(
            head: session.head.bytes("POST", "/v1/tasks"), form: shape.form(lines: hasLines),
            fields: "\"handler\":\"echo\",\"delay\":\"1d\"", payloadBytes: shape.payloadBytes,
            keyPrefix: hasKeys ? "\(SystemClock.wallMilliseconds())-\(run)" : nil)
        let bulk = UInt64(shape.bulk)
        var refused = FailureCounts()
        let generator = LoadGenerator(
            loop: loop, targets: session.targets,
            plan: LoadPlan(
                connections: shape.connections, pipeline: pipeline, ratePerSecond: rate,
                warmupNanoseconds: BenchSession.nanoseconds(warmup),
                measuredNanoseconds: BenchSession.nanoseconds(seconds)))
        generator.compose = { template.request(numberedFrom: $0 * bulk) }
        generator.onReply = { SubmissionReply.acknowledged($1, $2, asked: shape.bulk, &refused) }
        let usage = try session.drive(loop, generator)
        var tally = generator.tally
        tally.failures.merge(refused)
        var figures = Self.figures(shape, tally, isOpen: rate != nil)
        let held = try session.space.unfinished()
        figures.add("held", "heldTasks", .count(held))
        figures.add(usage)
        // Whatever else a figure says, this must not be.
        guard held >= tally.acknowledgedTasks else {
            throw .failed(
                "\(tally.acknowledgedTasks) tasks were acknowledged, and the cluster has \(held)")
        }
        return figures
    }

    private static func figures(
        _ shape: LoadShape, _ tally: LoadTally, isOpen: Bool
    ) -> BenchFigures {
        var figures = BenchFigures()
        figures.add("conns", "connections", .count(UInt64(shape.connections)))
        figures.add("bulk", "bulk", .count(UInt64(shape.bulk)))
        figures.add("payload", "payloadBytes", .count(UInt64(shape.payloadBytes)))
        figures.add(
            "requests/s", "requestsPerSecond", .perSecond(tally.perSecond(tally.measuredAnswers)))
        figures.add("tasks/s", "tasksPerSecond", .perSecond(tally.perSecond(tally.measuredTasks)))
        figures.add("", "latency", tally.latencies)
        if isOpen { figures.add("queued", "longestQueue", .count(tally.longestQueue)) }
        figures.add("errors", "errors", .failures(tally.failures))
        figures.add("acknowledged", "acknowledgedTasks", .count(tally.acknowledgedTasks))
        return figures
    }
}
