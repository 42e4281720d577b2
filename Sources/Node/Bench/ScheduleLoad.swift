/// The schedules of `bench schedules`, from the first that is put to the last end of a task.
final class ScheduleLoad {
    /// A task whose start and whose occurrence are not both known yet.
    private enum Half {
        case occurrence(nominalMilliseconds: Int64)
        /// It was heard of then, before its occurrence was.
        case start(wallNanoseconds: Int64)
    }

    private(set) var lateness = HeardLateness()
    private(set) var failures = FailureCounts()
    private let bench: ScheduleBench
    private let instants: [Int64]
    private let loop: Loop
    private var halves: [UInt64: Half] = [:]
    /// Occurrences that ran and whose task has ended, or that passed without one.
    private var done: UInt64 = 0
    private var watch: EventWatch?
    private let generator: LoadGenerator
    private var failure: String?

    private static let connections = 16
    private static let patienceMilliseconds: Int64 = 60_000

    init(_ bench: ScheduleBench, instants: [Int64]) throws(CommandFailure) {
        self.bench = bench
        self.instants = instants
        loop = try BenchSession.loop()
        generator = LoadGenerator(
            loop: loop, targets: bench.session.targets,
            plan: LoadPlan(
                connections: Self.connections, maxRequests: UInt64(bench.schedules)))
        generator.compose = { [unowned self] in request($0) }
        generator.onReply = { [unowned self] _, head, body in
            guard head.status == 200 || head.status == 201 else {
                failures.add(SubmissionReply.problem(head, body))
                return 0
            }
            return 1
        }
    }

    private func request(_ number: UInt64) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("at")
        writer.beginArray()
        for instant in instants { writer.timestamp(instant) }
        writer.endArray()
        writer.rawField("task", Array("{\"handler\":\"echo\"}".utf8))
        writer.endObject()
        return bench.session.head.request("PUT", "/v1/schedules/s\(number)", body: writer.bytes)
    }

    func drive() throws(CommandFailure) -> GeneratorUsage {
        var hearing = EventWatch.Hearing()
        hearing.onStart = { [unowned self] task, _ in started(task) }
        hearing.onFiring = { [unowned self] in fired($0, nominalMilliseconds: $1) }
        hearing.onPassing = { [unowned self] in ended($0) }
        hearing.onEnd = { [unowned self] _, _, failure in
            if let failure { failures.add("task \(failure)") }
            ended(1)
        }
        hearing.onGap = { [unowned self] in failures.add("events missed") }
        let before = GeneratorUsage.now()
        watch = EventWatch(
            bench.session, loop: loop,
            types: EventWatch.ends + [EventWatch.start, EventWatch.schedules], hearing: hearing,
            onBegin: { [unowned self] in
                generator.start { [unowned self] in areMade($0) }
            },
            onLoss: { [unowned self] in stop(watch?.loss) })
        loop.run()
        watch?.close()
        if let failure { throw .failed(failure) }
        return GeneratorUsage.now().since(before)
    }

    private func started(_ task: UInt64) {
        switch halves[task] {
        case .occurrence(let nominal):
            lateness.heard(dueMilliseconds: nominal)
            halves[task] = nil
        case .start: break
        case nil: halves[task] = .start(wallNanoseconds: SystemClock.wallNanoseconds())
        }
    }

    private func fired(_ task: UInt64, nominalMilliseconds: Int64) {
        if case .start(let heard) = halves[task] {
            lateness.heard(dueMilliseconds: nominalMilliseconds, at: heard)
            halves[task] = nil
        } else {
            halves[task] = .occurrence(nominalMilliseconds: nominalMilliseconds)
        }
    }

    private func ended(_ count: UInt64) {
        done += count
        if done >= UInt64(bench.schedules) * UInt64(instants.count) { stop(nil) }
    }

    private func areMade(_ failure: String?) {
        guard failure == nil else { return stop(failure) }
        failures.merge(generator.tally.failures)
        let made = generator.tally.acknowledgedTasks
        guard made == UInt64(bench.schedules) else {
            return stop("only \(made) schedules could be made: \(failures)")
        }
        let now = SystemClock.wallMilliseconds()
        guard let first = instants.first, let last = instants.last, now < first else {
            return stop(
                "to make \(made) schedules took too long: the first instant has passed; give more time with "
                    + "--lead")
        }
        let rest = UInt64(last - now + Self.patienceMilliseconds) * 1_000_000
        loop.schedule(at: Loop.clock() + rest) { [weak self] in self?.stop(nil) }
    }

    private func stop(_ failure: String?) {
        self.failure = self.failure ?? failure
        loop.stop()
    }
}
