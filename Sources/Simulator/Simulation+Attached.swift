import Node
import Raft
import Scheduler

/// Workers outside of the cluster: each request goes to any node, may fail, and its answer may get lost.
extension Simulation {
    static let attachedRetryNanoseconds: Nanoseconds = 100_000_000
    private static let requestNanoseconds: Nanoseconds = 1_000_000_000

    func attachWorkers() {
        for number in attached.workers.indices { take(.attach, number, in: 300_000_000) }
    }

    /// Of the process that is there now.
    private func take(_ step: AttachedWorker.Step, _ number: Int, in delay: Nanoseconds) {
        after(
            delay,
            .attachedStep(
                worker: number, process: attached.workers[number].process, step))
    }

    func perform(_ step: AttachedWorker.Step, worker number: Int, process: Int) {
        guard attached.workers[number].process == process else { return }
        let worker = attached.workers[number]
        switch step {
        case .attach:
            attached.workers[number].attachingSince = worker.attachingSince ?? now
            askAttached(.attach(key: worker.attachmentKey), number)
        case .beat: askAttached(.beat, number)
        case .poll:
            guard worker.session != nil else { return }
            if worker.running.count < Int(worker.spec.slots) { return askAttached(.poll, number) }
            take(.poll, number, in: Self.attachedRetryNanoseconds)
        case .watchLease: watchLease(number)
        case .end(let attempt):
            guard let execution = worker.running[attempt] else { return }
            finish(attempt, executions[execution].result, number)
        case .crash: crashAttached(number)
        }
    }

    // MARK: Asking

    private func askAttached(_ kind: AttachedWorker.Question.Kind, _ number: Int) {
        let worker = attached.workers[number]
        let question = AttachedWorker.Question(
            kind: kind, worker: number, process: worker.process, session: worker.session ?? 0,
            sentAt: now)
        let up = nodes.filter(\.isUp)
        guard !up.isEmpty else { return failed(question) }
        if case .attach(let key) = kind, let delay = attached.drawStray() {
            var stray = question
            stray.kind = .stray(key: key)
            after(delay, .attachedStray(stray))
        }
        pass(question, to: attached.random.pick(up))
    }

    func passStray(_ question: AttachedWorker.Question) {
        let up = nodes.filter(\.isUp)
        if !up.isEmpty { pass(question, to: attached.pickForStray(up)) }
    }

    private func pass(_ question: AttachedWorker.Question, to node: SimulatedNode) {
        let token = clients.open(
            .attached(question), node: node.number, life: node.life, now: now)
        let spec = attached.workers[question.worker].spec
        switch question.kind {
        case .attach(let key), .stray(let key):
            deliver(.request(token, .attachWorker(spec, key: key)), to: node)
        case .beat, .poll: deliver(.read(token), to: node)
        case .heard:
            deliver(.workerBeat(token, worker: spec.id, session: question.session), to: node)
        case .finish(let finish): deliver(.request(token, .finish(finish)), to: node)
        }
        after(Self.requestNanoseconds, .clientDeadline(token))
    }

    /// Whoever asked still waits for the answer.
    private func hears(_ question: AttachedWorker.Question) -> Bool {
        attached.workers[question.worker].process == question.process
    }

    /// The worker can't tell what became of it, and asks somebody else in a while.
    func failed(_ question: AttachedWorker.Question) {
        guard hears(question) else { return }
        let number = question.worker
        switch question.kind {
        case .attach: take(.attach, number, in: Self.attachedRetryNanoseconds)
        case .stray: return
        case .beat, .heard:
            guard attached.workers[number].session == question.session else { return }
            take(.beat, number, in: Self.attachedRetryNanoseconds / 4)
        case .poll:
            guard attached.workers[number].session == question.session else { return }
            take(.poll, number, in: Self.attachedRetryNanoseconds)
        case .finish(let finish):
            let attempt = AttachedWorker.Attempt(task: finish.task, number: finish.attempt)
            guard attached.workers[number].reported.contains(attempt) else { return }
            let up = nodes.filter(\.isUp)
            // Somebody comes back sooner or later.
            guard !up.isEmpty else {
                return after(Self.attachedRetryNanoseconds, .attachedFailed(question))
            }
            pass(question, to: attached.random.pick(up))
        }
    }

    private var isAnswerLost: Bool { phase == .chaos && attached.random.chance(permille: 30) }

    // MARK: Answers

    func answered(
        _ question: AttachedWorker.Question, _ outcome: Outcome
    ) throws(Violation) {
        switch (question.kind, outcome) {
        case (.stray, .session): return
        case (.attach, .session(let session)):
            guard hears(question) else { return }
            guard !isAnswerLost else { return failed(question) }
            began(session, question)
        case (.finish(let finish), .done):
            try oracle.checkFinished(finish)
            noteReported(finish, question)
        case (.finish(let finish), .rejected(.staleAttempt)): noteReported(finish, question)
        case (.finish(let finish), .rejected(.notFound))
        where oracle.retention.isDropped(finish.task):
            noteReported(finish, question)
        default:
            throw Violation("answers fit", "\(question) answered by \(outcome)")
        }
    }

    private func began(_ session: UInt64, _ question: AttachedWorker.Question) {
        let number = question.worker
        attached.workers[number].session = session
        attached.workers[number].attachments += 1
        // The session began with the first try that came through, and nobody heard of those that followed.
        attached.workers[number].heardAt =
            attached.workers[number].attachingSince ?? question.sentAt
        attached.workers[number].attachingSince = nil
        attached.workers[number].isExpired = false
        log.write(now, .process, "\(attached.workers[number].spec.id) has session \(session)")
        take(.beat, number, in: 0)
        take(.poll, number, in: 0)
        take(.watchLease, number, in: 0)
    }

    private func noteReported(_ finish: Finish, _ question: AttachedWorker.Question) {
        guard hears(question) else { return }
        guard !isAnswerLost else { return failed(question) }
        attached.workers[question.worker].reported.remove(
            AttachedWorker.Attempt(task: finish.task, number: finish.attempt))
    }

    /// The node has taken in what was visible when it was asked.
    func readReady(
        _ question: AttachedWorker.Question, on node: SimulatedNode
    ) throws(Violation) {
        guard let replica = node.replica else { return }
        guard isCurrent(question, replica) else { return sessionOver(question) }
        switch question.kind {
        case .beat:
            var heard = question
            heard.kind = .heard
            pass(heard, to: node)
        case .poll:
            guard hears(question) else { return }
            guard !isAnswerLost else { return failed(question) }
            for assignment in current(question, replica) {
                try launchAttached(assignment, question, known: replica.applied)
            }
            take(.poll, question.worker, in: Self.attachedRetryNanoseconds / 2)
        case .attach, .stray, .heard, .finish:
            throw Violation("answers fit", "\(question) answered as a read")
        }
    }

    func beatAnswered(_ token: Token, _ reply: BeatAnswer, on node: SimulatedNode) {
        let operation = clients[token]
        guard operation.status == .open, case .attached(let question) = operation.kind,
            let replica = node.replica
        else { return }
        clients.close(token, .answered)
        guard reply == .heard, isCurrent(question, replica) else { return sessionOver(question) }
        let number = question.worker
        guard hears(question), attached.workers[number].session == question.session else { return }
        guard !isAnswerLost else { return failed(question) }
        attached.workers[number].heardAt = max(
            attached.workers[number].heardAt, question.sentAt)
        attached.workers[number].isExpired = false
        let live = Set(
            current(question, replica).map {
                AttachedWorker.Attempt(task: $0.task, number: $0.attempt)
            })
        for attempt in attached.workers[number].held where !live.contains(attempt) {
            drop(attempt, number)
        }
        take(.beat, number, in: replica.settings.attachedBeatNanoseconds)
    }

    private func isCurrent(_ question: AttachedWorker.Question, _ replica: Replica) -> Bool {
        let id = attached.workers[question.worker].spec.id
        guard let known = replica.scheduler.workerStanding(id) else { return false }
        return known.incarnation == question.session && known.state != .lost
    }

    private func current(
        _ question: AttachedWorker.Question, _ replica: Replica
    ) -> [Assignment] {
        replica.scheduler.runningAttempts(
            worker: attached.workers[question.worker].spec.id, incarnation: question.session)
    }

    /// The log has taken everything away: what runs is stopped, and another session begun.
    private func sessionOver(_ question: AttachedWorker.Question) {
        let number = question.worker
        guard hears(question), attached.workers[number].session == question.session else { return }
        for attempt in attached.workers[number].held { drop(attempt, number) }
        attached.workers[number].session = nil
        take(.attach, number, in: Self.attachedRetryNanoseconds)
    }

    // MARK: Attempts

    private func launchAttached(
        _ assignment: Assignment, _ question: AttachedWorker.Question, known: Index
    ) throws(Violation) {
        let number = question.worker
        let worker = attached.workers[number]
        let attempt = AttachedWorker.Attempt(task: assignment.task, number: assignment.attempt)
        // A worker that has lost the cluster begins nothing, and one passes over what it has.
        let isLeaseOver = now >= worker.heardAt + scenario.settings.leaseNanoseconds
        guard worker.session == question.session, !worker.isExpired, !isLeaseOver,
            !worker.holds(attempt)
        else { return }
        try oracle.checkLaunch(assignment, on: NodeID(worker.spec.id, directory: 0), known: known)
        try checkOverlap(assignment, on: worker.spec.id)
        let wait = launchQueues.drawWait()
        let length = min(
            wait + attached.random.latency(1_000_000...800_000_000),
            Nanoseconds(assignment.timeoutMilliseconds) * 1_000_000)
        let fails =
            assignment.handler == "fail" || phase == .chaos && attached.random.chance(permille: 100)
        let execution = executions.count
        executions.append(
            Execution(
                owner: .attached(number), assignment: assignment,
                result: fails
                    ? .failed(.init(message: "failed", kind: "error"))
                    : .succeeded(Array("{\"execution\":\(execution)}".utf8)), startedAt: now))
        running[assignment.task, default: []].append(execution)
        attached.workers[number].running[attempt] = execution
        report.attachedExecutions += 1
        mix(17, assignment.task.number, UInt64(assignment.attempt), assignment.fence)
        if phase == .chaos, launchQueues.isFull() {
            finish(attempt, .returned, number)
        } else {
            if wait == 0 {
                try beginExecution(execution)
            } else {
                after(wait, .attemptBegins(execution: execution))
            }
            take(.end(attempt), number, in: length)
        }
        if phase == .chaos, attached.random.chance(permille: 20) {
            take(.crash, number, in: attached.random.latency(1_000_000...500_000_000))
        }
    }

    private func finish(
        _ attempt: AttachedWorker.Attempt, _ result: AttemptResult, _ number: Int
    ) {
        guard let execution = attached.workers[number].running.removeValue(forKey: attempt) else {
            return
        }
        stopCounting(execution)
        let assignment = executions[execution].assignment
        attached.workers[number].reported.insert(attempt)
        askAttached(
            .finish(
                Finish(
                    task: assignment.task, attempt: assignment.attempt, fence: assignment.fence,
                    result: result, hasBegun: executions[execution].hasBegun)), number)
    }

    private func drop(_ attempt: AttachedWorker.Attempt, _ number: Int) {
        if let execution = attached.workers[number].running.removeValue(forKey: attempt) {
            stopCounting(execution)
        }
        attached.workers[number].reported.remove(attempt)
    }

    /// Who hears nothing from the cluster stops by itself, before its work is given to somebody else.
    private func watchLease(_ number: Int) {
        let worker = attached.workers[number]
        guard worker.session != nil else { return }
        let settings = scenario.settings
        if now >= worker.heardAt + settings.leaseNanoseconds, !worker.isExpired {
            attached.workers[number].isExpired = true
            report.attachedLeasesLost += 1
            log.write(now, .process, "\(worker.spec.id) lost the cluster")
            for attempt in worker.running.keys.sorted(by: { $0.task < $1.task }) {
                finish(attempt, .returned, number)
            }
        }
        take(.watchLease, number, in: settings.attachedBeatNanoseconds / 4)
    }

    /// It comes back under its name, and with a session of its own.
    private func crashAttached(_ number: Int) {
        log.write(now, .process, "\(attached.workers[number].spec.id) crashes")
        for execution in attached.workers[number].running.values { stopCounting(execution) }
        var fresh = AttachedWorker(attached.workers[number].spec)
        fresh.process = attached.workers[number].process + 1
        attached.workers[number] = fresh
        take(.attach, number, in: attached.random.latency(10_000_000...5_000_000_000))
    }
}
