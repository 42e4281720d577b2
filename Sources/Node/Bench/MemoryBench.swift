/// `carillon bench memory`: what waiting tasks take of each node's memory.
struct MemoryBench {
    static let spec = CommandSpec(
        name: "memory", summary: "memory of each node with many tasks waiting",
        details: [
            "It fills the cluster with tasks that are due in a day, in bulk, and asks each node before, after the",
            "last task and some seconds later how much of it is resident. Begin with a cluster that has just been",
            "started: memory that a node has needed before hides what is measured.",
        ],
        options: [
            OptionSpec(name: "tasks", value: "N", summary: "how many (1000000)"),
            OptionSpec(name: "payload", value: "BYTES", summary: "of each task, as JSON (256)"),
            OptionSpec(
                name: "settle", value: "N",
                summary: "seconds between the last task and the last look (10)"),
            BenchOptions.direction, BenchOptions.keep,
        ],
        examples: ["carillon bench memory", "carillon bench memory --tasks 100000 --payload 64"],
        run: run)

    private static let maxTasks: Int64 = 10_000_000
    private static let perRequest = 1_000
    private static let maxRequestBytes = 8 << 20
    private static let connections = 4

    private let session: BenchSession
    private let tasks: Int
    private let payloadBytes: Int
    private let settleSeconds: Int64

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let bench = try MemoryBench(invocation)
        return try bench.session.run("memory", settings: bench.describe) {
            (report) throws(CommandFailure) in
            report.runs += try bench.measure()
        }
    }

    private init(_ invocation: Invocation) throws(CommandFailure) {
        tasks = Int(try invocation.integer("tasks", in: 1...Self.maxTasks) ?? 1_000_000)
        let least = Int64(RequestTemplate.minPayloadBytes)
        payloadBytes = Int(
            try invocation.integer("payload", in: least...BenchOptions.maxPayloadBytes) ?? 256)
        settleSeconds = try invocation.integer("settle", in: 0...3_600) ?? 10
        session = try BenchSession(invocation)
    }

    private func describe(_ settings: inout BenchFigures) {
        settings.add("tasks", "tasks", .count(UInt64(tasks)))
        settings.add("payload", "payloadBytes", .count(UInt64(payloadBytes)))
    }

    /// A run for each node.
    private func measure() throws(CommandFailure) -> [BenchFigures] {
        let before = try residentBytes()
        let tally = try fill()
        session.tell("\(tally.acknowledgedTasks) tasks are waiting")
        let filled = try residentBytes()
        Pause.take(milliseconds: settleSeconds * 1_000)
        let settled = try residentBytes()
        return session.cluster.members.indices.map { node in
            var figures = BenchFigures()
            figures.add("node", "node", .text(session.cluster.members[node].id))
            figures.add("before", "beforeBytes", .bytes(before[node]))
            figures.add("filled", "filledBytes", .bytes(filled[node]))
            figures.add("settled", "settledBytes", .bytes(settled[node]))
            let grown = settled[node] - min(settled[node], before[node])
            figures.add("bytes a task", "bytesPerTask", .count(grown / UInt64(tasks)))
            figures.add(
                "filled at", "tasksPerSecond", .perSecond(tally.perSecond(tally.measuredTasks)))
            figures.add("errors", "errors", .failures(tally.failures))
            return figures
        }
    }

    private func residentBytes() throws(CommandFailure) -> [UInt64] {
        var result: [UInt64] = []
        for member in session.cluster.members {
            result.append(try NodeMemory.residentBytes(of: member.api, session.space.client))
        }
        return result
    }

    /// Until the cluster holds all of them: what a node had no room for at the moment is asked for again.
    private func fill() throws(CommandFailure) -> LoadTally {
        let perRequest = max(1, min(Self.perRequest, Self.maxRequestBytes / (payloadBytes + 128)))
        var tally = LoadTally()
        var rounds = 0
        while tally.acknowledgedTasks < UInt64(tasks) {
            rounds += 1
            let missing = tasks - Int(tally.acknowledgedTasks)
            let round = try fill(missing, perRequest, numberedFrom: tally.acknowledgedTasks)
            guard round.acknowledgedTasks > 0 else {
                throw .failed("\(missing) tasks were not taken: \(round.failures)")
            }
            tally.acknowledgedTasks += round.acknowledgedTasks
            tally.measuredTasks += round.measuredTasks
            tally.measuredNanoseconds += round.measuredNanoseconds
            tally.failures.merge(round.failures)
        }
        return tally
    }

    private func fill(
        _ count: Int, _ perRequest: Int, numberedFrom first: UInt64
    ) throws(CommandFailure) -> LoadTally {
        let bulk = min(perRequest, count)
        let loop = try BenchSession.loop()
        var template = RequestTemplate(
            head: session.head.bytes("POST", "/v1/tasks"), form: .array(bulk),
            fields: "\"handler\":\"echo\",\"delay\":\"1d\"", payloadBytes: payloadBytes,
            keyPrefix: nil)
        var refused = FailureCounts()
        let generator = LoadGenerator(
            loop: loop, targets: session.targets,
            plan: LoadPlan(
                connections: Self.connections, maxRequests: UInt64(count / bulk),
                patienceNanoseconds: 60_000_000_000))
        generator.compose = { template.request(numberedFrom: first + $0 * UInt64(bulk)) }
        generator.onReply = { SubmissionReply.acknowledged($1, $2, asked: bulk, &refused) }
        _ = try session.drive(loop, generator)
        var tally = generator.tally
        tally.failures.merge(refused)
        return tally
    }
}
