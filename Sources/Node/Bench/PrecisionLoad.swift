/// The tasks of `bench precision`, from their submission to the last end.
final class PrecisionLoad {
    private(set) var lateness = HeardLateness()
    private(set) var failures = FailureCounts()
    private let session: BenchSession
    private let loop: Loop
    private let instants: [Int64]
    /// Of acknowledged tasks that have not started.
    private var due: [UInt64: Int64] = [:]
    private var ended = 0
    private var watch: EventWatch?
    private let generator: LoadGenerator
    private var failure: String?

    private static let perRequest = 500
    private static let connections = 4
    /// For those that are still missing when the last one was due.
    private static let patienceMilliseconds: Int64 = 30_000

    init(_ session: BenchSession, instants: [Int64]) throws(CommandFailure) {
        self.session = session
        self.instants = instants
        loop = try BenchSession.loop()
        let requests = (instants.count + Self.perRequest - 1) / Self.perRequest
        generator = LoadGenerator(
            loop: loop, targets: session.targets,
            plan: LoadPlan(connections: Self.connections, maxRequests: UInt64(requests)))
        generator.compose = { [unowned self] in request($0) }
        generator.onReply = { [unowned self] in replied($0, $1, $2) }
    }

    private func tasks(of request: UInt64) -> Range<Int> {
        let first = Int(request) * Self.perRequest
        return first..<min(first + Self.perRequest, instants.count)
    }

    private func request(_ number: UInt64) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginArray()
        for task in tasks(of: number) {
            writer.beginObject()
            writer.field("handler", "echo")
            writer.timestampField("runAt", instants[task])
            writer.endObject()
        }
        writer.endArray()
        return session.head.request("POST", "/v1/tasks", body: writer.bytes)
    }

    private func replied(
        _ exchange: LoadExchange, _ head: ReplyHead, _ body: Span<UInt8>
    ) -> UInt64 {
        let tasks = tasks(of: exchange.number)
        let count = SubmissionReply.acknowledged(head, body, asked: tasks.count, &failures)
        // Which of them were taken, if not all were, is not worth knowing: the figures say that they are missing.
        guard count == tasks.count else { return count }
        var index = tasks.lowerBound
        TaskNumbers.each(in: body) {
            due[$0] = instants[index]
            index += 1
        }
        return count
    }

    /// - Parameters: first and last instant, in milliseconds since 1970.
    func drive(start: Int64, end: Int64) throws(CommandFailure) -> GeneratorUsage {
        var hearing = EventWatch.Hearing()
        hearing.onStart = { [unowned self] task, _ in
            if let instant = due.removeValue(forKey: task) {
                lateness.heard(dueMilliseconds: instant)
            }
        }
        hearing.onEnd = { [unowned self] _, _, failure in
            ended += 1
            if let failure { failures.add("task \(failure)") }
            if ended == instants.count { loop.stop() }
        }
        hearing.onGap = { [unowned self] in failures.add("events missed") }
        let before = GeneratorUsage.now()
        watch = EventWatch(
            session, loop: loop, types: EventWatch.ends + [EventWatch.start], hearing: hearing,
            onBegin: { [unowned self] in
                generator.start { [unowned self] in submitted($0, start: start, end: end) }
            },
            onLoss: { [unowned self] in stop(watch?.loss) })
        loop.run()
        watch?.close()
        if let failure { throw .failed(failure) }
        return GeneratorUsage.now().since(before)
    }

    private func submitted(_ failure: String?, start: Int64, end: Int64) {
        guard failure == nil else { return stop(failure) }
        failures.merge(generator.tally.failures)
        let now = SystemClock.wallMilliseconds()
        guard now < start else {
            return stop(
                "to submit \(instants.count) tasks took \(now - start) ms too long: the first was due by then; "
                    + "give more time with --lead")
        }
        let rest = UInt64(end - now + Self.patienceMilliseconds) * 1_000_000
        loop.schedule(at: Loop.clock() + rest) { [weak self] in self?.stop(nil) }
    }

    private func stop(_ failure: String?) {
        self.failure = self.failure ?? failure
        loop.stop()
    }
}
