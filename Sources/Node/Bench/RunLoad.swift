import Raft

/// One load of `bench run`, from its first submission to its last end.
final class RunLoad {
    private(set) var flights = TaskFlights()
    /// How often the node had more to tell than it holds: ends are missing then.
    private(set) var gaps: UInt64 = 0
    private let bench: RunBench
    private let loop: Loop
    private let bulk: UInt64
    private let generator: LoadGenerator
    private var watch: EventWatch?
    private var service: HTTPServer?
    private var refused = FailureCounts()
    /// Tasks that were asked for, but for those that came to nothing.
    private var asked: UInt64 = 0
    private var isHeldBack = false
    private var failure: String?
    private var isOver = false

    private static let endPatienceNanoseconds: Nanoseconds = 60_000_000_000
    private static let unheardNanoseconds: Nanoseconds = 100_000_000

    init(_ bench: RunBench, _ shape: LoadShape) throws(CommandFailure) {
        self.bench = bench
        loop = try BenchSession.loop()
        bulk = UInt64(shape.bulk)
        let name = JSONValueText.quoted(bench.handler)
        var template = RequestTemplate(
            head: bench.session.head.bytes("POST", "/v1/tasks"), form: shape.form(lines: false),
            fields: "\"handler\":\(name)", payloadBytes: shape.payloadBytes, keyPrefix: nil)
        generator = LoadGenerator(
            loop: loop, targets: bench.session.targets, plan: bench.plan(shape))
        generator.compose = { [unowned self] number in
            asked += bulk
            return template.request(numberedFrom: number * bulk)
        }
        generator.onReply = { [unowned self] in replied($0, $1, $2) }
        generator.onLoss = { [unowned self] _ in asked -= min(asked, bulk) }
        if bench.rate == nil {
            generator.mayBegin = { [unowned self] in
                isHeldBack =
                    asked + bulk > flights.endedCount + bench.outstanding
                    && asked > flights.endedCount
                return !isHeldBack
            }
        }
    }

    var tally: LoadTally {
        var tally = generator.tally
        tally.failures.merge(refused)
        return tally
    }

    func drive() throws(CommandFailure) -> GeneratorUsage {
        if let endpoint = bench.service {
            do throws(IOError) {
                service = try HTTPServer(loop: loop, endpoint: endpoint) { _, responder in
                    responder.send(.json(Array("{}".utf8)))
                }
            } catch {
                throw .failed("--serve \(endpoint): \(error.description)")
            }
        }
        defer { service?.close() }
        var hearing = EventWatch.Hearing()
        hearing.onStart = { [unowned self] in flights.started($0, at: $1) }
        hearing.onEnd = { [unowned self] in ended($0, $1, $2) }
        hearing.onGap = { [unowned self] in resynchronize() }
        let types = EventWatch.ends + (bench.rate == nil ? [] : [EventWatch.start])
        let before = GeneratorUsage.now()
        watch = EventWatch(
            bench.session, loop: loop, types: types, hearing: hearing,
            onBegin: { [unowned self] in
                generator.start { [unowned self] in submitted($0) }
            },
            onLoss: { [unowned self] in stop(watch?.loss) })
        loop.run()
        watch?.close()
        if let failure { throw .failed(failure) }
        return GeneratorUsage.now().since(before)
    }

    private func stop(_ failure: String?) {
        self.failure = self.failure ?? failure
        isOver = true
        loop.stop()
    }

    private func replied(
        _ exchange: LoadExchange, _ head: ReplyHead, _ body: Span<UInt8>
    ) -> UInt64 {
        flights.measured = generator.begin..<generator.end
        let count = SubmissionReply.acknowledged(head, body, asked: Int(bulk), &refused)
        asked -= min(asked, bulk - count)
        if count > 0 {
            TaskNumbers.each(in: body) { flights.acknowledged($0, intended: exchange.intended) }
        }
        return count
    }

    private func ended(_ task: UInt64, _ now: Nanoseconds, _ failure: String?) {
        flights.ended(task, at: now, failure: failure)
        if isHeldBack { generator.wake() }
        if !generator.isRunning { stopIfDone() }
    }

    /// All submissions are answered.
    private func submitted(_ failure: String?) {
        guard failure == nil else { return stop(failure) }
        loop.schedule(at: loop.now + Self.endPatienceNanoseconds) { [weak self] in
            self?.stop(nil)
        }
        if gaps > 0 { awaitUnheard() } else { stopIfDone() }
    }

    private func stopIfDone() {
        guard generator.isOver, flights.openCount == 0, !isOver else { return }
        stop(nil)
    }

    /// Ends were told of that were not heard: what is on its way is asked for once.
    private func resynchronize() {
        gaps += 1
        guard let unfinished = unfinished() else { return }
        asked = flights.endedCount + unfinished
        if generator.isOver { awaitUnheard() } else { generator.wake() }
    }

    /// nil: nobody says, and the run has failed, for how much is under way is not known any more.
    private func unfinished() -> UInt64? {
        do throws(CommandFailure) {
            return try bench.session.space.unfinished()
        } catch {
            stop(error.message)
            return nil
        }
    }

    /// Of some tasks the end will never be heard of.
    private func awaitUnheard() {
        guard !isOver, let unfinished = unfinished() else { return }
        if unfinished == 0 { return stop(nil) }
        loop.schedule(at: loop.now + Self.unheardNanoseconds) { [weak self] in
            self?.awaitUnheard()
        }
    }
}
