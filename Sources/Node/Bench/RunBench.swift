/// `carillon bench run`: how many tasks are done, and how long each takes from its submission to its start and its end.
struct RunBench {
    static let spec = CommandSpec(
        name: "run", summary: "tasks submitted, run and done a second, and how long each takes",
        details: [
            "Starts and ends are what one node tells in its events. Without --rate as many tasks are submitted as",
            "keep --outstanding on their way; with it, times count from when each submission was due.",
            "The handler is one that the nodes have: built in, or configured, such as a command or an address.",
        ],
        options: [
            OptionSpec(name: "handler", value: "NAME", summary: "what runs them (echo)"),
            BenchOptions.connections, BenchOptions.bulk, BenchOptions.payload, BenchOptions.rate,
            OptionSpec(
                name: "outstanding", value: "N",
                summary: "tasks on their way at a time, without --rate (1000)"),
            BenchOptions.seconds, BenchOptions.warmup,
            OptionSpec(
                name: "serve", value: "HOST:PORT",
                summary: "answer requests there with 200: for an http handler with that address"),
            BenchOptions.direction, BenchOptions.keep,
        ],
        examples: [
            "carillon bench run --connections 16,64",
            "carillon bench run --rate 5000",
            "carillon bench run --handler true --outstanding 200",
        ],
        run: run)

    static let maxOutstanding: Int64 = 100_000

    let session: BenchSession
    let handler: String
    let rate: UInt64?
    let outstanding: UInt64
    private let seconds: UInt64
    private let warmup: UInt64
    let service: Endpoint?

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let shapes = try LoadShape.all(invocation)
        let bench = try RunBench(invocation)
        return try bench.session.run("run", settings: bench.describe) {
            (report) throws(CommandFailure) in
            for (number, shape) in shapes.enumerated() {
                if number > 0 { try bench.session.space.removeTasks() }
                bench.session.tell("\(number + 1) of \(shapes.count): \(shape.description)")
                report.runs.append(try bench.measure(shape))
            }
        }
    }

    private init(_ invocation: Invocation) throws(CommandFailure) {
        handler = invocation.value("handler") ?? "echo"
        rate = try invocation.integer("rate", in: 1...BenchOptions.maxRate).map { UInt64($0) }
        let asked = try invocation.integer("outstanding", in: 1...Self.maxOutstanding)
        guard asked == nil || rate == nil else {
            throw .usage("--outstanding does not go with --rate")
        }
        outstanding = UInt64(asked ?? 1_000)
        seconds = try BenchOptions.seconds("seconds", default: 10, invocation)
        warmup = try BenchOptions.seconds("warmup", default: 2, least: 0, invocation)
        if let text = invocation.value("serve") {
            do throws(Endpoint.SyntaxError) {
                service = try Endpoint(text)
            } catch {
                throw .usage("--serve: \(error.description)")
            }
        } else {
            service = nil
        }
        session = try BenchSession(invocation)
    }

    private func describe(_ settings: inout BenchFigures) {
        settings.add("handler", "handler", .text(handler))
        settings.add("seconds", "seconds", .count(seconds))
        let closed = "closed, \(outstanding) outstanding"
        settings.add("loop", "loop", .text(rate.map { "open, \($0)/s" } ?? closed))
    }

    func plan(_ shape: LoadShape) -> LoadPlan {
        LoadPlan(
            connections: shape.connections, ratePerSecond: rate,
            warmupNanoseconds: BenchSession.nanoseconds(warmup),
            measuredNanoseconds: BenchSession.nanoseconds(seconds))
    }

    private func measure(_ shape: LoadShape) throws(CommandFailure) -> BenchFigures {
        let load = try RunLoad(self, shape)
        let usage = try load.drive()
        let tally = load.tally
        var figures = BenchFigures()
        figures.add("conns", "connections", .count(UInt64(shape.connections)))
        figures.add("bulk", "bulk", .count(UInt64(shape.bulk)))
        figures.add("payload", "payloadBytes", .count(UInt64(shape.payloadBytes)))
        figures.add("slots", "slots", .count(try session.slots()))
        figures.add(
            "done/s", "donePerSecond", .perSecond(tally.perSecond(load.flights.measuredEnds)))
        figures.add("done", "done", load.flights.ends)
        if rate != nil { figures.add("start", "start", load.flights.starts) }
        var failures = tally.failures
        failures.merge(load.flights.badEnds)
        figures.add("errors", "errors", .failures(failures))
        figures.add("submitted", "acknowledgedTasks", .count(tally.acknowledgedTasks))
        figures.add("ended", "endedTasks", .count(load.flights.endedCount))
        if load.gaps > 0 { figures.add("gaps", "eventGaps", .count(load.gaps)) }
        figures.add(usage)
        let unfinished = try session.space.unfinished()
        guard unfinished == 0 else {
            throw .failed(
                "\(unfinished) tasks have not ended in time; carillon bench run --keep leaves them to be "
                    + "looked at (carillon task explain)")
        }
        return figures
    }
}
