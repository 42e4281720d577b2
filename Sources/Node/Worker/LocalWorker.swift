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
    var onProgress: (Assignment, AttemptProgress) -> Void = { _, _ in }
    /// What the attempt wrote to standard error, as it comes; of each attempt a bounded amount.
    var onLog: (Assignment, ArraySlice<UInt8>) -> Void = { _, _ in }

    private let loop: Loop
    private let handlers: [String: HandlerDefinition]
    private let environment: AttemptEnvironment
    private let graceMilliseconds: Int64
    private var runs: [AttemptKey: Run] = [:]
    /// Processes to be launched, oldest first, when enough are being launched.
    private var launches: [AttemptKey] = []
    private var launchesInFlight = 0
    private var launcher: ProcessLauncher?
    private var finished: [Finish] = []
    private var client: HTTPClient?

    private struct AttemptKey: Hashable {
        let task: TaskID
        let attempt: UInt32
    }

    private final class Run {
        let assignment: Assignment
        let timeoutMilliseconds: Int64
        var timeout: TimerID?
        var work = Work.waiting
        /// Set when it has to end before it is done.
        var ending: Ending?

        init(_ assignment: Assignment, timeoutMilliseconds: Int64) {
            self.assignment = assignment
            self.timeoutMilliseconds = timeoutMilliseconds
        }

        var key: AttemptKey { AttemptKey(task: assignment.task, attempt: assignment.attempt) }
    }

    private enum Work {
        /// To be launched, or between two states.
        case waiting
        /// Not to be stopped before it is there.
        case launching
        case timer(TimerID)
        case process(ChildProcess)
        case request(Int)
    }

    private enum Ending: Equatable {
        case timedOut
        case stopped(StopReason)
    }

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
            if case .timer(let timer) = run.work { loop.cancel(timer) }
        }
    }

    /// Sorted.
    var handlerNames: [String] { handlers.keys.sorted() }

    var runningCount: Int { runs.count }

    /// In order of task and attempt.
    var running: [(task: TaskID, attempt: UInt32)] {
        runs.keys.map { ($0.task, $0.attempt) }.sorted { one, other in
            one.task != other.task ? one.task < other.task : one.attempt < other.attempt
        }
    }

    /// Starts an attempt; one that runs already is left alone.
    func start(_ assignment: Assignment) {
        let key = AttemptKey(task: assignment.task, attempt: assignment.attempt)
        guard runs[key] == nil else { return }
        let handler = handlers[assignment.handler]
        let timeout = min(
            assignment.timeoutMilliseconds, handler?.timeoutMilliseconds ?? Int64.max)
        let run: Run
        do {
            run = Run(try assignment.filled(), timeoutMilliseconds: timeout)
        } catch {
            report(assignment, .failure(.payload, error.description, isRetryable: false))
            return
        }
        guard runs.count < WorkerLimits.maxRunning else {
            report(assignment, .returned)
            return
        }
        runs[key] = run
        run.timeout = loop.schedule(at: deadline(afterMilliseconds: timeout)) { [unowned self] in
            run.timeout = nil
            end(run, .timedOut)
        }
        switch handler {
        case .builtin(let builtin): startBuiltin(builtin, run)
        case .command:
            launches.append(key)
            launchSome()
        case .http(let http): startRequest(http, run)
        case nil:
            let message = "this worker has no handler \"\(assignment.handler)\""
            complete(run, .failure(.handler, message))
        }
    }

    /// Stops an attempt, if it runs. Processes get SIGTERM, and SIGKILL after the grace: who lost its lease
    /// must leave less than the time after which its work is assigned elsewhere.
    func stop(
        task: TaskID, attempt: UInt32, reason: StopReason, graceMilliseconds: Int64? = nil
    ) {
        guard let run = runs[AttemptKey(task: task, attempt: attempt)] else { return }
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
            switch run.work {
            case .process(let process): process.killGroup()
            case .launching: run.ending = run.ending ?? .stopped(.shutdown)
            case .waiting, .timer, .request: break
            }
        }
    }

    // MARK: Built in

    private func startBuiltin(_ handler: BuiltinHandler, _ run: Run) {
        let course = handler.run(
            payload: run.assignment.payload, attempt: run.assignment.attempt)
        guard course.afterMilliseconds > 0 else {
            complete(run, course.result)
            return
        }
        let deadline = deadline(afterMilliseconds: course.afterMilliseconds)
        run.work = .timer(
            loop.schedule(at: deadline) { [unowned self] in
                run.work = .waiting
                complete(run, course.result)
            })
    }

    // MARK: Processes

    private func launchSome() {
        while launchesInFlight < WorkerLimits.maxLaunchesInFlight, !launches.isEmpty {
            let key = launches.removeFirst()
            // Stopped while it waited.
            guard let run = runs[key] else { continue }
            launch(run)
        }
    }

    private func launch(_ run: Run) {
        guard case .command(let command)? = handlers[run.assignment.handler] else {
            preconditionFailure("only commands are launched")
        }
        do {
            let launcher = try lazyLauncher()
            run.work = .launching
            launchesInFlight += 1
            launcher.launch(
                arguments: command.arguments, environment: environment.entries(for: run.assignment)
            ) { [unowned self] process in
                launchesInFlight -= 1
                launched(run, process, command)
                launchSome()
            }
        } catch {
            complete(run, Self.launchFailure(error, command))
        }
    }

    private func launched(_ run: Run, _ process: LaunchedProcess, _ command: CommandHandler) {
        let assignment = run.assignment
        do {
            let child = try ChildProcess(
                try process.take(), loop: loop, input: assignment.payload,
                onProgress: { [unowned self] in onProgress(assignment, $0) },
                onLog: { [unowned self] in onLog(assignment, $0) },
                // The run owns the process; `runs` keeps it until its exit was told.
                onExit: { [unowned self, unowned run] in ended(run, $0) })
            run.work = .process(child)
            // Stopped or timed out meanwhile: nothing of it may outlast the launch.
            if run.ending != nil { child.killGroup() }
        } catch {
            run.work = .waiting
            complete(run, Self.launchFailure(error, command))
        }
    }

    private func lazyLauncher() throws(IOError) -> ProcessLauncher {
        if let launcher { return launcher }
        let made = try ProcessLauncher(loop: loop)
        launcher = made
        return made
    }

    private func ended(_ run: Run, _ exit: ChildProcess.Exit) {
        run.work = .waiting
        complete(run, Self.result(of: exit))
    }

    private static func launchFailure(_ error: IOError, _ command: CommandHandler) -> AttemptResult
    {
        // A lack of memory, processes or descriptors passes; a lack of the executable does not.
        let isMissing = [ENOENT, EACCES, ENOEXEC, ENOTDIR, ELOOP, EISDIR].contains(error.code)
        guard isMissing, error.operation == "posix_spawn" else {
            return .failure(.error, "can't launch: \(error.description)")
        }
        return .failure(
            .handler, "can't execute \"\(command.arguments[0])\": \(error.reason)",
            isRetryable: false)
    }

    private static func result(of exit: ChildProcess.Exit) -> AttemptResult {
        let detail = exit.lastErrorLine.isEmpty ? "" : ": \(exit.lastErrorLine)"
        switch exit.status {
        case .exited(0): return .success(output: exit.output, isCutOff: exit.isOutputCutOff)
        case .exited(let code): return .failure(.exit, "exit \(code)\(detail)")
        case .signaled(let signal):
            return .failure(.signal, "killed by \(SignalName.of(signal))\(detail)")
        }
    }

    // MARK: Requests

    private func startRequest(_ handler: HTTPHandler, _ run: Run) {
        let request: OutgoingRequest
        do {
            request = try OutgoingRequest(handler, for: run.assignment)
        } catch {
            complete(run, .failure(.payload, error.description, isRetryable: false))
            return
        }
        do {
            let number = try lazyClient().send(request) { [unowned self] reply in
                run.work = .waiting
                complete(run, reply.result(now: SystemClock.wallMilliseconds()))
            }
            guard let number else {
                let message = "\"\(request.url)\" is not a URL"
                complete(run, .failure(.payload, message, isRetryable: false))
                return
            }
            run.work = .request(number)
        } catch {
            complete(run, .failure(.error, "can't send: \(error.description)"))
        }
    }

    private func lazyClient() throws(IOError) -> HTTPClient {
        if let client { return client }
        let made = try HTTPClient(loop: loop)
        client = made
        return made
    }

    // MARK: Ends

    /// Ends an attempt before it is done. What ends it first decides what is reported, except that an
    /// attempt taken away meanwhile is not reported at all.
    private func end(_ run: Run, _ ending: Ending, graceMilliseconds: Int64? = nil) {
        if run.ending == nil || ending == .stopped(.revoked) { run.ending = ending }
        switch run.work {
        case .waiting: break
        case .launching: return
        case .timer(let timer): loop.cancel(timer)
        case .request(let number): client?.cancel(number)
        case .process(let process):
            // Its exit completes it.
            process.terminate(graceMilliseconds: graceMilliseconds ?? self.graceMilliseconds)
            return
        }
        run.work = .waiting
        complete(run, .returned)
    }

    /// The one way out. `result` is what the work came to, unless it was ended before.
    private func complete(_ run: Run, _ result: AttemptResult) {
        guard runs.removeValue(forKey: run.key) != nil else {
            preconditionFailure("an attempt ends once")
        }
        if let timeout = run.timeout { loop.cancel(timeout) }
        run.timeout = nil
        switch run.ending {
        case nil: report(run.assignment, result)
        case .stopped(.revoked): break
        case .stopped: report(run.assignment, .returned)
        case .timedOut:
            let limit = DurationText.format(run.timeoutMilliseconds)
            report(run.assignment, .failure(.timeout, "did not finish within \(limit)"))
        }
    }

    private func report(_ assignment: Assignment, _ result: AttemptResult) {
        let isFirst = finished.isEmpty
        finished.append(
            Finish(
                task: assignment.task, attempt: assignment.attempt, fence: assignment.fence,
                result: result))
        guard isFirst else { return }
        loop.later { [weak self] in self?.tellFinished() }
    }

    private func tellFinished() {
        let batch = finished
        finished = []
        for finish in batch { onFinish(finish) }
    }

    private func deadline(afterMilliseconds milliseconds: Int64) -> Nanoseconds {
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
