import Node
import Raft
import Scheduler

/// The workers: virtual attempts in place of processes.
extension Simulation {
    /// Between the order to stop and the end of what runs.
    private static let killNanoseconds: ClosedRange<Nanoseconds> = 0...50_000_000

    func launch(_ assignment: Assignment, on node: SimulatedNode) throws(Violation) {
        try oracle.checkLaunch(assignment, on: node.id, known: node.knownCommitted)
        let key = SimulatedNode.LaunchKey(task: assignment.task, attempt: assignment.attempt)
        guard node.launched.insert(key).inserted else {
            throw Violation(
                "an attempt is launched once",
                "\(node.id) launches \(assignment.task)/\(assignment.attempt) again")
        }
        if oracle.wasLost(assignment.task, attempt: assignment.attempt),
            !nodes.contains(where: isExcused)
        {
            throw Violation(
                "a lost worker launches nothing",
                "\(node.id) launches \(assignment.task)/\(assignment.attempt), declared lost before"
            )
        }
        try checkOverlap(assignment, on: node.id.name)
        let wait = launchQueues.drawWait()
        let course = delayed(drawCourse(assignment, node), by: wait, assignment)
        let number = executions.count
        executions.append(
            Execution(
                owner: .node(node.number, life: node.life), assignment: assignment,
                result: course.result, startedAt: now))
        node.executions.append(number)
        running[assignment.task, default: []].append(number)
        report.executions += 1
        mix(7, assignment.task.number, UInt64(assignment.attempt), assignment.fence)
        if phase == .chaos, launchQueues.isFull() {
            executions[number].isBeingKilled = true
            return after(1_000_000, .attemptOver(execution: number, cause: .handedBack))
        }
        if wait == 0 {
            try beginExecution(number)
        } else {
            after(wait, .attemptBegins(execution: number))
        }
        after(course.length, .attemptOver(execution: number, cause: .done))
    }

    /// The time-out counts from the assignment.
    private func delayed(
        _ course: (length: Nanoseconds, result: AttemptResult), by wait: Nanoseconds,
        _ assignment: Assignment
    ) -> (length: Nanoseconds, result: AttemptResult) {
        let timeout = Nanoseconds(assignment.timeoutMilliseconds) * 1_000_000
        guard wait + course.length <= timeout else { return (timeout, Self.tooSlow) }
        return (wait + course.length, course.result)
    }

    private static let tooSlow = AttemptResult.failed(.init(message: "too slow", kind: "timeout"))

    /// Nothing begins of what has ended while it waited, nor while its process stands still.
    func beginExecution(_ number: Int) throws(Violation) {
        let execution = executions[number]
        guard execution.isRunning, !execution.isBeingKilled else { return }
        if case .node(let owner, let life) = execution.owner {
            guard let node = node(owner, life: life) else { return }
            guard !node.isPaused else {
                return after(10_000_000, .attemptBegins(execution: number))
            }
        }
        executions[number].hasBegun = true
        try oracle.noteBeginning(of: execution.assignment)
    }

    /// Two attempts of a task may run at once only if the older one's node was stopped, or if the client took
    /// the older one away while its node had not heard of it yet.
    func checkOverlap(_ assignment: Assignment, on worker: String) throws(Violation) {
        for number in running[assignment.task] ?? [] {
            let older = executions[number]
            report.overlaps += 1
            guard !isExcused(older),
                oracle.wasLost(assignment.task, attempt: older.assignment.attempt)
            else { continue }
            throw Violation(
                "a lost worker has stopped before its work goes on elsewhere",
                "\(assignment.task): attempt \(older.assignment.attempt) runs on \(older.assignment.worker) since "
                    + "\(older.startedAt), \(assignment.attempt) begins on \(worker)"
            )
        }
    }

    private func isExcused(_ execution: Execution) -> Bool {
        switch execution.owner {
        case .node(let number, _): return isExcused(nodes[number])
        case .attached(let number):
            // A session that another one has replaced ends at once, and its worker hears of that with its next beat. One that
            // was silent for longer than its lease was not replaced while it lived, and has to have stopped.
            let assignment = execution.assignment
            let isReplaced =
                oracle.reference.worker(assignment.worker)?.spec.incarnation
                != assignment.incarnation
            let settings = scenario.settings
            let end =
                attached.workers[number].heardAt + settings.leaseNanoseconds
                + settings.attachedBeatNanoseconds / 4
            return isReplaced && now <= end
        }
    }

    private func isExcused(_ node: SimulatedNode) -> Bool {
        node.isPaused || now < node.excusedUntil
    }

    private func drawCourse(
        _ assignment: Assignment, _ node: SimulatedNode
    ) -> (length: Nanoseconds, AttemptResult) {
        let timeout = Nanoseconds(assignment.timeoutMilliseconds) * 1_000_000
        let work = scenario.work
        var length = node.random.latency(work.runLength)
        if phase != .chaos {
            length = min(length, 20_000_000)
        } else if node.random.chance(permille: work.endlessPermille) {
            length = .max
        }
        guard length < timeout else {
            return (timeout, Self.tooSlow)
        }
        let fails =
            assignment.handler == "fail" || node.random.chance(permille: work.failPermille)
        if fails, phase == .chaos || assignment.handler == "fail" {
            let retry: Milliseconds? = node.random.chance(permille: 100) ? 300 : nil
            return (
                length,
                .failed(
                    .init(
                        message: "failed", kind: "error",
                        isRetryable: !node.random.chance(permille: 100),
                        retryAfterMilliseconds: retry))
            )
        }
        let number = executions.count
        if number % 3 == 0, Questions.isQuestion(assignment.payload) {
            return (length, .stored(Questions.storedAnswer(number, node.id.name)))
        }
        return (length, .succeeded(Array("{\"execution\":\(number)}".utf8)))
    }

    func stop(_ task: TaskID, attempt: UInt32, on node: SimulatedNode) {
        for number in node.executions {
            let assignment = executions[number].assignment
            if assignment.task == task, assignment.attempt == attempt { kill(number, .revoked) }
        }
    }

    func stopAll(on node: SimulatedNode) {
        report.leasesLost += 1
        log.write(
            now, .process, "\(node.id) lost its lease and stops \(node.executions.count) attempts")
        for number in node.executions { kill(number, .handedBack) }
    }

    private func kill(_ number: Int, _ cause: Execution.Cause) {
        guard !executions[number].isBeingKilled else { return }
        executions[number].isBeingKilled = true
        after(
            random.latency(Self.killNanoseconds), .attemptOver(execution: number, cause: cause))
    }

    func stopCounting(_ number: Int) {
        guard executions[number].isRunning else { return }
        executions[number].isRunning = false
        let task = executions[number].assignment.task
        running[task]?.removeAll { $0 == number }
        if running[task]?.isEmpty ?? false { running[task] = nil }
    }

    /// While its node is paused the end waits in the inbox, and is told late.
    func endExecution(_ number: Int, _ cause: Execution.Cause) {
        let execution = executions[number]
        guard execution.isRunning, case .node(let owner, let life) = execution.owner,
            let node = node(owner, life: life)
        else { return }
        stopCounting(number)
        node.executions.removeAll { $0 == number }
        let assignment = execution.assignment
        deliver(.attemptEnded(assignment.task, attempt: assignment.attempt), to: node)
        let result: AttemptResult
        switch cause {
        case .done: result = execution.result
        case .revoked: return
        case .handedBack: result = .returned
        }
        requestFinish(
            Finish(
                task: assignment.task, attempt: assignment.attempt, fence: assignment.fence,
                result: result, hasBegun: execution.hasBegun), on: node)
    }

    func requestFinish(_ finish: Finish, on node: SimulatedNode) {
        let token = clients.open(.finish(finish), node: node.number, life: node.life, now: now)
        deliver(.request(token, .finish(finish)), to: node)
    }
}
