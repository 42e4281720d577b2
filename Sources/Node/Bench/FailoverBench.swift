import Raft

/// `carillon bench failover`: for how long no task is acknowledged when the leader is struck down.
struct FailoverBench {
    static let spec = CommandSpec(
        name: "failover",
        summary: "how long no task is acknowledged when the leader is struck down",
        details: [
            "Tasks are submitted at a steady rate to all nodes. A gap goes from the strike to the first",
            "acknowledgement of a task that was submitted after it. Name what may be struck: a command, the",
            "files that hold the processes' numbers, or the numbers themselves. Nothing else is touched.",
        ],
        options: LeaderStrike.options + [
            OptionSpec(name: "rounds", value: "N", summary: "how often (10)"),
            OptionSpec(name: "rate", value: "N", summary: "submissions a second (1000)"),
            OptionSpec(name: "connections", value: "N", summary: "to all nodes in turn (64)"),
            BenchOptions.keep,
        ],
        examples: [
            "carillon bench failover --kill-command 'scripts/cluster kill {id}' --rounds 1",
            "carillon bench failover --pid-file '.cluster/{id}.pid' --signal stop --rounds 20",
            "carillon bench failover --pid n1=4711 --pid n2=4712 --pid n3=4713 --rounds 1",
        ],
        run: run)

    private static let maxRounds: Int64 = 10_000

    let session: BenchSession
    let strike: LeaderStrike
    let rate: UInt64
    let connections: Int
    private let rounds: Int

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let bench = try FailoverBench(invocation)
        return try bench.session.run("failover", settings: bench.describe) {
            (report) throws(CommandFailure) in
            report.runs.append(try bench.measure())
        }
    }

    private init(_ invocation: Invocation) throws(CommandFailure) {
        strike = try LeaderStrike(invocation)
        let asked = try invocation.integer("rounds", in: 1...Self.maxRounds)
        if let asked, let most = strike.maxRounds, asked > Int64(most) {
            throw .usage(
                "--rounds \(asked): at most \(most) without --restart-command, or by --pid")
        }
        rounds = Int(asked ?? min(10, Int64(strike.maxRounds ?? 10)))
        rate = UInt64(try invocation.integer("rate", in: 1...BenchOptions.maxRate) ?? 1_000)
        connections = Int(
            try invocation.integer("connections", in: 1...BenchOptions.maxConnections) ?? 64)
        session = try BenchSession(invocation, to: .all)
        guard session.cluster.members.count > 1 else {
            throw .failed("the cluster has one member: nobody takes over")
        }
    }

    private func describe(_ settings: inout BenchFigures) {
        settings.add("rate", "rate", .count(rate))
        settings.add("signal", "signal", .text(strike.signal.rawValue))
    }

    private func measure() throws(CommandFailure) -> BenchFigures {
        var gaps = LatencyHistogram()
        var silences = LatencyHistogram()
        var failures = FailureCounts()
        var acknowledged: UInt64 = 0
        let before = GeneratorUsage.now()
        for number in 0..<rounds {
            let cluster = try ReadyCluster.whole(session.space.client)
            let round = try FailoverRound(self, cluster, number: number)
            try round.drive()
            gaps.record(round.gapNanoseconds)
            silences.record(round.silenceNanoseconds)
            failures.merge(round.failures)
            acknowledged += round.acknowledged
            let milliseconds = round.gapNanoseconds / 1_000_000
            session.tell("\(number + 1) of \(rounds): \(cluster.leader) gone, \(milliseconds) ms")
            if let restart = strike.restart {
                try ShellCommand.run(ShellCommand.text(restart, id: cluster.leader))
            }
        }
        let held = try session.space.unfinished()
        var figures = BenchFigures()
        figures.add("rounds", "rounds", .count(gaps.count))
        figures.add("gap", "gap", gaps)
        figures.add("silence", "silence", silences)
        figures.add("errors", "errors", .failures(failures))
        figures.add("acknowledged", "acknowledgedTasks", .count(acknowledged))
        figures.add("held", "heldTasks", .count(held))
        figures.add(GeneratorUsage.now().since(before))
        guard held >= acknowledged else {
            throw .failed("\(acknowledged) tasks were acknowledged, and the cluster has \(held)")
        }
        return figures
    }
}

/// A cluster of which every member is there.
enum ReadyCluster {
    private static let patienceMilliseconds: Int64 = 60_000
    private static let pauseMilliseconds: Int64 = 20

    /// Waits until each member serves, and all name the same leader.
    static func whole(_ client: ClusterClient) throws(CommandFailure) -> BenchCluster {
        let end = SystemClock.monotonicMilliseconds() + patienceMilliseconds
        var reason = "the cluster has no leader"
        while SystemClock.monotonicMilliseconds() < end {
            do throws(CommandFailure) {
                let cluster = try BenchCluster.read(client)
                guard let missing = missing(cluster, client) else { return cluster }
                reason = missing
            } catch {
                reason = error.message
            }
            Pause.take(milliseconds: pauseMilliseconds)
        }
        throw .failed("the cluster is not whole after a minute: \(reason)")
    }

    /// What is wrong with one of the members; nil: nothing.
    private static func missing(_ cluster: BenchCluster, _ client: ClusterClient) -> String? {
        for member in cluster.members {
            let node = client.pinned(to: member.api)
            var request = ClientRequest.get("/readyz")
            request.timeoutMilliseconds = 2_000
            do throws(CommandFailure) {
                let reply = try node.send(request)
                guard reply.isSuccess else { return "\(member.id) is not ready" }
                let leader = try BenchCluster.read(node).leader
                guard leader == cluster.leader else { return "the nodes name different leaders" }
            } catch {
                return "\(member.id): \(error.message)"
            }
        }
        return nil
    }
}
