import Glibc
import Raft

/// One strike at the leader, under a steady load.
final class FailoverRound {
    /// From the strike to the first acknowledgement of a task that was submitted after it.
    private(set) var gapNanoseconds: UInt64 = 0
    /// The longest time around the strike within which nothing was acknowledged.
    private(set) var silenceNanoseconds: UInt64 = 0
    private(set) var failures = FailureCounts()
    var acknowledged: UInt64 { generator.tally.acknowledgedTasks }

    private let bench: FailoverBench
    private let loop: Loop
    private let leader: String
    private let leaderTarget: Int?
    private let process: pid_t?
    private var command: ChildProcess?
    private var isCommandOver = true
    private let generator: LoadGenerator
    private var struckAt: Nanoseconds?
    private var lastAnswer: Nanoseconds = 0
    private var hasRecovered = false
    private var hasSeenLeaderGo = false
    private var failure: String?

    /// Before the strike: half a second, and up to as much again, so that strikes don't keep step with heartbeats.
    private static let calmNanoseconds: Nanoseconds = 500_000_000
    /// The load goes on for so long after the first acknowledgement: the silence may not be over with it.
    private static let tailNanoseconds: Nanoseconds = 300_000_000
    private static let patienceNanoseconds: Nanoseconds = 30_000_000_000

    init(
        _ bench: FailoverBench, _ cluster: BenchCluster, number: Int
    ) throws(CommandFailure) {
        self.bench = bench
        loop = try BenchSession.loop()
        leader = cluster.leader
        process = try bench.strike.process(of: leader)
        let endpoints = cluster.members.map(\.api)
        leaderTarget = cluster.members.firstIndex(where: \.isLeader)
        let head = RequestHead(
            bench.session.space.client, namespace: bench.session.space.name, to: endpoints)
        var template = RequestTemplate(
            head: head.bytes("POST", "/v1/tasks"), form: .single,
            fields: "\"handler\":\"echo\",\"delay\":\"1d\"", payloadBytes: 64, keyPrefix: nil)
        let first = UInt64(number) * 1_000_000
        generator = LoadGenerator(
            loop: loop, targets: try BenchCluster.addresses(endpoints),
            plan: LoadPlan(connections: bench.connections, ratePerSecond: bench.rate))
        generator.compose = { template.request(numberedFrom: first + $0) }
        generator.onReply = { [unowned self] in
            SubmissionReply.acknowledged($1, $2, asked: 1, &failures)
        }
        generator.onAnswer = { [unowned self] in answered($0) }
        generator.onBreak = { [unowned self] in connectionBroke(to: $0) }
    }

    func drive() throws(CommandFailure) {
        generator.start { [unowned self] in ended($0) }
        let calm = Self.calmNanoseconds + UInt64.random(in: 0..<Self.calmNanoseconds)
        loop.schedule(at: Loop.clock() + calm) { [unowned self] in strike() }
        loop.schedule(at: Loop.clock() + Self.patienceNanoseconds) { [unowned self] in
            giveUp()
        }
        loop.run()
        goOn()
        if let failure { throw .failed(failure) }
        failures.merge(generator.tally.failures)
    }

    private func strike() {
        guard lastAnswer > 0 else {
            // None was ever acknowledged: there is nothing to interrupt.
            return fail("no task was acknowledged before the strike")
        }
        struckAt = Loop.clock()
        if let process {
            guard kill(process, bench.strike.signal.number) == 0 else {
                return fail("process \(process) of \(leader): \(String(cString: strerror(errno)))")
            }
        } else if case .command(let template) = bench.strike.means {
            isCommandOver = false
            do throws(CommandFailure) {
                command = try ShellCommand.start(
                    ShellCommand.text(template, id: leader), on: loop
                ) { [unowned self] failure in
                    isCommandOver = true
                    if let failure { return fail(failure) }
                    stopIfDone()
                }
            } catch {
                fail(error.message)
            }
        }
    }

    /// A command takes a while before it does what it is for: the node is gone when its connections are.
    private func connectionBroke(to target: Int) {
        guard case .command = bench.strike.means, struckAt != nil, target == leaderTarget,
            !hasSeenLeaderGo
        else { return }
        hasSeenLeaderGo = true
        struckAt = Loop.clock()
        hasRecovered = false
    }

    private func answered(_ exchange: LoadExchange) {
        let now = Loop.clock()
        if let struckAt {
            silenceNanoseconds = max(silenceNanoseconds, now - lastAnswer)
            if !hasRecovered, exchange.sent > struckAt, exchange.intended > struckAt {
                hasRecovered = true
                gapNanoseconds = now - struckAt
                loop.schedule(at: now + Self.tailNanoseconds) { [weak self] in self?.stopIfDone() }
            }
        }
        lastAnswer = now
    }

    private func stopIfDone() {
        guard hasRecovered, isCommandOver, let struckAt,
            Loop.clock() >= struckAt + gapNanoseconds + Self.tailNanoseconds
        else { return }
        finish()
    }

    private func giveUp() {
        if hasRecovered { finish() } else { fail("nothing was acknowledged for half a minute") }
    }

    private func finish() {
        goOn()
        generator.stop()
    }

    /// What was only stopped answers those that it has kept waiting.
    private func goOn() {
        if bench.strike.signal == .stop, struckAt != nil, let process { kill(process, SIGCONT) }
    }

    private func fail(_ reason: String) {
        failure = failure ?? reason
        loop.stop()
    }

    private func ended(_ failure: String?) {
        self.failure = self.failure ?? failure
        loop.stop()
    }
}
