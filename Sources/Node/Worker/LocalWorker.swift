import CLinux
import Glibc
import Raft
import Scheduler

/// Runs attempts on the loop of this process: the built-in handlers, processes and requests.
///
/// Each attempt ends in exactly one `Finish`, after whatever ran it is gone, unless the log itself has
/// taken the attempt away (`StopReason.revoked`): then nobody waits for it. Finishes are told in a turn of
/// their own, never from within a call of the owner.
final class LocalWorker {
    /// Why an attempt is to stop.
    enum StopReason: Equatable, Sendable {
        /// The log no longer has it here: cancelled, or assigned elsewhere. No finish is reported.
        case revoked
        /// No leader was reached for most of the time after which the work is assigned elsewhere.
        case leaseLost
        /// The process is about to end.
        case shutdown
    }

    /// Called with the end of an attempt. `.returned` if it was stopped for `leaseLost` or `shutdown`.
    var onFinish: (Finish) -> Void = { _ in }
    /// Called when an attempt is gone that the log has taken away.
    var onRevoked: (Assignment) -> Void = { _ in }
    var onProgress: (Assignment, AttemptProgress) -> Void = { _, _ in }
    /// What the attempt wrote to standard error, as it comes; of each attempt a bounded amount.
    var onLog: (Assignment, ArraySlice<UInt8>) -> Void = { _, _ in }

    /// A task of the namespace as this process knows it, as JSON; nil if it does not.
    var describe: (TaskID, Namespace) -> [UInt8]? = { _, _ in nil }

    let loop: Loop
    let handlers: [String: HandlerDefinition]
    let environment: AttemptEnvironment
    private let graceMilliseconds: Int64
    private(set) var runs: [AttemptName: Run] = [:]
    /// Batches that wait for more to join.
    var gathering: [Job.Kind: Job] = [:]
    /// Processes to be launched, oldest first, when enough are being launched.
    var launches: [Job] = []
    var launchesInFlight = 0
    /// Attempts that code of the program runs.
    var embedded: [UInt64: Job] = [:]
    var lastEmbedded: UInt64 = 0
    private var words: Mailbox<EmbeddedAttempt.Word>?
    private var launcher: ProcessLauncher?
    private var finished: [Finish] = []
    private var client: HTTPClient?
    private var reading: BackgroundThread<AttemptResult>?

    /// `handlers` by name; the built-in ones are added. `environment` is what processes inherit;
    /// `graceMilliseconds` is the time between SIGTERM and SIGKILL.
    init(
        loop: Loop, handlers: [String: HandlerDefinition],
        environment: AttemptEnvironment = .ofProcess(),
        graceMilliseconds: Int64 = WorkerLimits.killGraceMilliseconds
    ) {
        self.loop = loop
        self.handlers = handlers.merging(HandlerDefinition.builtins) { own, _ in own }
        self.environment = environment
        self.graceMilliseconds = graceMilliseconds
        Self.prepareSignals()
    }

    deinit {
        for run in runs.values {
            if let timeout = run.timeout { loop.cancel(timeout) }
            if case .timer(let timer) = run.job.work { loop.cancel(timer) }
        }
        for job in gathering.values {
            if let linger = job.linger { loop.cancel(linger) }
        }
    }

    /// Sorted.
    var handlerNames: [String] { handlers.keys.sorted() }

    var runningCount: Int { runs.count }

    /// In order of task and attempt.
    var running: [(task: TaskID, attempt: UInt32)] {
        runs.keys.sorted().map { ($0.task, $0.attempt) }
    }

    /// Starts an attempt; one that runs already is left alone.
    ///
    /// - Parameter isFilled: the results of others stand in the payload already. Filled once more, text that somebody's
    ///   result brought in would be taken for a place to fill.
    func start(_ assignment: Assignment, isFilled: Bool = false) {
        let name = AttemptName(assignment.task, assignment.attempt)
        guard runs[name] == nil else { return }
        let handler = handlers[assignment.handler]
        let timeout = min(
            assignment.timeoutMilliseconds, handler?.timeoutMilliseconds ?? Int64.max)
        let filled: Assignment
        do {
            filled = isFilled ? assignment : try assignment.filled()
        } catch {
            let failure = AttemptResult.failure(.payload, error.description, isRetryable: false)
            return report(assignment, failure, hasBegun: false)
        }
        guard runs.count < WorkerLimits.maxRunning else {
            return report(assignment, .returned, hasBegun: false)
        }
        let job = job(for: filled, handler?.batch)
        let run = Run(filled, timeoutMilliseconds: timeout, job: job)
        runs[name] = run
        job.members.append(name)
        job.payloadBytes += filled.payload.count
        run.timeout = loop.schedule(at: deadline(afterMilliseconds: timeout)) { [unowned self] in
            run.timeout = nil
            end(run, .timedOut)
        }
        if job.batch == nil { begin(job) } else { gather(job) }
    }

    /// Starts what a job's handler says.
    func begin(_ job: Job) {
        guard let first = members(of: job).first else { return }
        switch handlers[job.handler] {
        case .builtin(let builtin): startBuiltin(builtin, first)
        case .command:
            launches.append(job)
            launchSome()
        case .http(let http): startRequest(http, job)
        case .webhook(let webhook): startWebhook(webhook, job)
        case .embedded(let handler): startEmbedded(handler, job)
        case nil:
            let message = "this worker has no handler \"\(job.handler)\""
            complete(first, .failure(.handler, message))
        }
    }

    /// Those that have not ended.
    func members(of job: Job) -> [Run] { job.members.compactMap { runs[$0] } }

    /// Stops an attempt, if it runs. Processes get SIGTERM, and SIGKILL after the grace: who lost its lease
    /// must leave less than the time after which its work is assigned elsewhere.
    func stop(
        task: TaskID, attempt: UInt32, reason: StopReason, graceMilliseconds: Int64? = nil
    ) {
        guard let run = runs[AttemptName(task, attempt)] else { return }
        end(run, .stopped(reason), graceMilliseconds: graceMilliseconds)
    }

    /// Stops whatever runs.
    func stopAll(reason: StopReason, graceMilliseconds: Int64? = nil) {
        for (task, attempt) in running {
            stop(
                task: task, attempt: attempt, reason: reason, graceMilliseconds: graceMilliseconds)
        }
    }

    /// Ends all processes by force, without waiting: this process exits now. One that is being launched
    /// is ended when it is there.
    func killAll() {
        for run in runs.values {
            switch run.job.work {
            case .process(let process): process.killGroup()
            case .launching: run.ending = run.ending ?? .stopped(.shutdown)
            case .waiting, .timer, .request, .embedded: break
            }
        }
    }

    // MARK: Built in

    private func startBuiltin(_ handler: BuiltinHandler, _ run: Run) {
        run.job.hasBegun = true
        let course = handler.run(
            payload: run.assignment.payload, attempt: run.assignment.attempt)
        guard course.afterMilliseconds > 0 else {
            complete(run, course.result)
            return
        }
        let deadline = deadline(afterMilliseconds: course.afterMilliseconds)
        run.job.work = .timer(
            loop.schedule(at: deadline) { [unowned self] in
                run.job.work = .waiting
                complete(run, course.result)
            })
    }

    // MARK: What is made when it is first needed

    func lazyLauncher() throws(IOError) -> ProcessLauncher {
        if let launcher { return launcher }
        let made = try ProcessLauncher(loop: loop)
        launcher = made
        return made
    }

    func lazyClient() throws(IOError) -> HTTPClient {
        if let client { return client }
        let made = try HTTPClient(loop: loop)
        client = made
        return made
    }

    func lazyWords() throws(IOError) -> Mailbox<EmbeddedAttempt.Word> {
        if let words { return words }
        let made = try Mailbox<EmbeddedAttempt.Word>()
        try loop.attach(made) { [weak self] word in self?.heard(word) }
        words = made
        return made
    }

    private func lazyReading() throws(IOError) -> BackgroundThread<AttemptResult> {
        if let reading { return reading }
        let made = try BackgroundThread<AttemptResult>(loop: loop, name: "carillon-output")
        reading = made
        return made
    }

    // MARK: Ends

    /// Every attempt of the job has come to what `read` makes of so many bytes. To see whether megabytes are JSON takes
    /// a tenth of a second, for which the loop must not be held.
    func settle(_ job: Job, bytes: Int, _ read: @escaping @Sendable () -> AttemptResult) {
        guard bytes > Limits.maxResultBytes else {
            let result = read()
            return complete(job) { _ in result }
        }
        job.work = .waiting
        do {
            // Whoever was stopped meanwhile has been completed, and is none of its members any more.
            try lazyReading().run(read) { [weak self] result in self?.complete(job) { _ in result }
            }
        } catch {
            complete(job) { _ in
                .failure(.unanswered, "can't read the output: \(error.description)")
            }
        }
    }

    /// Ends an attempt before it is done. What ends it first decides what is reported, except that an
    /// attempt taken away meanwhile is not reported at all. A batch goes on for as long as one of it does.
    private func end(_ run: Run, _ ending: Run.Ending, graceMilliseconds: Int64? = nil) {
        if run.ending == nil || ending == .stopped(.revoked) { run.ending = ending }
        let job = run.job
        if case .waiting = job.work {
            job.members.removeAll { $0 == run.name }
            return complete(run, .returned)
        }
        let members = members(of: job)
        guard members.allSatisfy({ $0.ending != nil }) else { return }
        switch job.work {
        case .waiting, .launching: return
        case .timer(let timer): loop.cancel(timer)
        case .request(let number): client?.cancel(number)
        case .process(let process):
            // Its exit completes them.
            process.terminate(graceMilliseconds: graceMilliseconds ?? self.graceMilliseconds)
            return
        case .embedded(let attempt):
            // So does the end of its code, whenever that comes.
            return attempt.stop()
        }
        job.work = .waiting
        for member in members { complete(member, .returned) }
    }

    /// The one way out. `result` is what the work came to, unless it was ended before.
    func complete(_ run: Run, _ result: AttemptResult) {
        guard runs.removeValue(forKey: run.name) != nil else {
            preconditionFailure("an attempt ends once")
        }
        if let timeout = run.timeout { loop.cancel(timeout) }
        run.timeout = nil
        switch run.ending {
        case nil: report(run.assignment, result, hasBegun: run.job.hasBegun)
        case .stopped(.revoked): onRevoked(run.assignment)
        case .stopped: report(run.assignment, .returned, hasBegun: run.job.hasBegun)
        case .timedOut:
            let limit = DurationText.format(run.timeoutMilliseconds)
            report(
                run.assignment, .failure(.timeout, "did not finish within \(limit)"),
                hasBegun: run.job.hasBegun)
        }
    }

    private func report(_ assignment: Assignment, _ result: AttemptResult, hasBegun: Bool) {
        let isFirst = finished.isEmpty
        finished.append(
            Finish(
                task: assignment.task, attempt: assignment.attempt, fence: assignment.fence,
                result: result, hasBegun: hasBegun))
        guard isFirst else { return }
        loop.later { [weak self] in self?.tellFinished() }
    }

    private func tellFinished() {
        let batch = finished
        finished = []
        for finish in batch { onFinish(finish) }
    }

    func deadline(afterMilliseconds milliseconds: Int64) -> Nanoseconds {
        let bounded = min(max(0, milliseconds), Limits.maxTimeoutMilliseconds)
        return loop.now + UInt64(bounded) * 1_000_000
    }

    /// Writing to a process that closed its input must fail with EPIPE rather than kill this one; and if
    /// this process was started with SIGCHLD ignored, its children would vanish unreaped.
    private static func prepareSignals() {
        var pipe = sigset_t()
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        let status = pthread_sigmask(SIG_BLOCK, &pipe, nil)
        precondition(status == 0, "a signal can be blocked")
        signal(SIGCHLD, SIG_DFL)
    }
}
