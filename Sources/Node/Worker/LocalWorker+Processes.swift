import Glibc
import Scheduler

/// Commands, as processes: one for each job.
extension LocalWorker {
    /// Of a command that has passed over for the moment what it was asked for (`EX_TEMPFAIL` of sysexits.h).
    private static let temporaryExitCode: Int32 = 75

    func launchSome() {
        while launchesInFlight < WorkerLimits.maxLaunchesInFlight, !launches.isEmpty {
            let job = launches.removeFirst()
            // Stopped while it waited.
            guard !job.members.isEmpty else { continue }
            launch(job)
        }
    }

    private func launch(_ job: Job) {
        guard case .command(let command)? = handlers[job.handler] else {
            preconditionFailure("only commands are launched")
        }
        let assignments = members(of: job).map(\.assignment)
        let variables =
            job.batch == nil
            ? environment.entries(for: assignments[0])
            : environment.entries(forBatchOf: assignments.count, in: job.kind.namespace)
        do {
            let launcher = try lazyLauncher()
            job.work = .launching
            launchesInFlight += 1
            launcher.launch(arguments: command.arguments, environment: variables) {
                [unowned self] process in
                launchesInFlight -= 1
                launched(job, assignments, process, command)
                launchSome()
            }
        } catch {
            complete(job) { _ in Self.launchFailure(error, command) }
        }
    }

    private func launched(
        _ job: Job, _ assignments: [Assignment], _ process: LaunchedProcess,
        _ command: CommandHandler
    ) {
        let isBatch = job.batch != nil
        do {
            let spawned = try process.take()
            job.hasBegun = true
            let child = try ChildProcess(
                spawned, loop: loop,
                input: isBatch ? BatchLines.input(assignments) : assignments[0].payload,
                maxOutputBytes: isBatch
                    ? WorkerLimits.maxBatchAnswerBytes : WorkerLimits.maxResultBytes,
                onProgress: { [unowned self] report in
                    for assignment in assignments { onProgress(assignment, report) }
                },
                onLog: { [unowned self] bytes in
                    for assignment in assignments { onLog(assignment, bytes) }
                },
                // The runs own the job, and it the process; they are kept until its exit was told.
                onExit: { [unowned self, unowned job] in ended(job, $0) })
            job.work = .process(child)
            // Stopped or timed out meanwhile: nothing of it may outlast the launch.
            if members(of: job).allSatisfy({ $0.ending != nil }) { child.killGroup() }
        } catch {
            // Of all that a launch does only this comes after the process: it was there for a moment.
            if error.operation == "pidfd_open" { job.hasBegun = true }
            let hasBegun = job.hasBegun
            complete(job) { _ in
                hasBegun
                    ? .failure(.unanswered, "can't watch what was launched: \(error.description)")
                    : Self.launchFailure(error, command)
            }
        }
    }

    private func ended(_ job: Job, _ exit: ChildProcess.Exit) {
        guard job.batch != nil else {
            return settle(job, bytes: exit.output.count) { Self.result(of: exit) }
        }
        let answers = BatchLines.answers(exit.output)
        let other =
            exit.status == .exited(code: 0)
            ? Self.unanswered(isCutOff: exit.isOutputCutOff) : Self.result(of: exit)
        complete(job) { answers[$0.task] ?? other }
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
        case .exited(temporaryExitCode):
            return .failure(.temporary, "exit \(temporaryExitCode)\(detail)")
        case .exited(let code): return .failure(.exit, "exit \(code)\(detail)")
        case .signaled(let signal):
            return .failure(.signal, "killed by \(SignalName.of(signal))\(detail)")
        }
    }
}
