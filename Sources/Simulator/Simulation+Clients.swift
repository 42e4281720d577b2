import Node
import Raft
import Scheduler

/// What clients do, and what they hold the cluster to.
extension Simulation {
    private static let maxSubmissions = 1_500
    static let maxOpenOperations = 400
    static let scheduleNames = ["hourly", "nightly", "pulse"]

    func anyNode() -> SimulatedNode? {
        let up = nodes.filter(\.isUp)
        return up.isEmpty ? nil : clients.random.pick(up)
    }

    @discardableResult
    func ask(_ kind: Clients.Kind, of node: SimulatedNode, isProbe: Bool = false) -> Token {
        let token = clients.open(
            kind, node: node.number, life: node.life, now: now, isProbe: isProbe)
        switch kind {
        case .submit(let spec): deliver(.request(token, .submit(spec)), to: node)
        case .finish(let finish): deliver(.request(token, .finish(finish)), to: node)
        case .change(let command): deliver(.request(token, command), to: node)
        case .read: deliver(.read(token), to: node)
        case .readRegister(let register):
            oracle.registers.begin(token, on: register)
            deliver(.read(token), to: node)
        case .attached: preconditionFailure("attached workers ask by themselves")
        }
        return token
    }

    func clientActs() {
        guard phase == .chaos else { return }
        after(1 + clients.random.below(2 * scenario.work.actEvery), .acts(.clients))
        guard clients.openCount < Self.maxOpenOperations, let node = anyNode() else { return }
        let kind: Clients.Kind
        switch clients.random.index(100) {
        case 0..<60:
            guard clients.submissions < Self.maxSubmissions else { return }
            var spec = inNamespace(clients.drawSpec(scenario.work))
            label(&spec)
            kind = .submit(spec)
        case 60..<66:
            guard let task = recentTask() else { return }
            kind = .change(.cancel(task))
        case 66..<72:
            guard let task = recentTask() else { return }
            kind = .change(.retry(task))
        case 72..<86:
            registerActs(node)
            return
        default:
            kind = .read(minApplied: clients.visibleIndex, clients.known.last)
        }
        let token = ask(kind, of: node)
        after(
            clients.random.within(300_000_000...8_000_000_000), .clientDeadline(token))
    }

    private func registerActs(_ node: SimulatedNode) {
        let register = clients.random.index(Registers.count)
        let token: Token
        if clients.random.chance(permille: 500) {
            token = ask(.readRegister(register), of: node)
        } else {
            token = ask(.change(clients.drawWrite(register)), of: node)
            oracle.registers.begin(token, on: register)
        }
        after(clients.random.within(300_000_000...8_000_000_000), .clientDeadline(token))
    }

    private func recentTask() -> TaskID? {
        guard !clients.known.isEmpty else { return nil }
        let back = clients.random.index(min(40, clients.known.count))
        return clients.known[clients.known.count - 1 - back]
    }

    /// The client gives up.
    func abandon(_ token: Token) {
        let operation = clients[token]
        guard operation.status == .open, !operation.isProbe,
            let node = node(operation.node, life: operation.life)
        else { return }
        switch operation.kind {
        case .read, .readRegister:
            clients.close(token, .refused)
            deliver(.abandonRead(token), to: node)
        case .submit, .finish, .change:
            deliver(.abandonRequest(token), to: node)
        case .attached(let question):
            switch question.kind {
            case .attach, .stray, .finish: return deliver(.abandonRequest(token), to: node)
            case .beat, .poll: deliver(.abandonRead(token), to: node)
            case .heard: deliver(.abandonWorkerBeat(token), to: node)
            }
            clients.close(token, .refused)
            failed(question)
        }
    }

    // MARK: Schedules

    func scheduleActs() {
        guard phase == .chaos, let every = scenario.work.scheduleEvery else { return }
        after(1 + clients.random.below(2 * every), .acts(.schedules))
        guard let node = anyNode(), let replica = node.replica else { return }
        let state = replica.scheduler
        let name = clients.random.pick(Self.scheduleNames)
        let time = max(
            replica.clusterTime(at: node.clockModel.clock(at: now)), state.time)
        let command: Command
        switch clients.random.index(10) {
        case 0..<4:
            let (spec, timing) = clients.drawSchedule(at: time)
            command = .putSchedule(
                name: name, spec, paused: drawPause(), next: timing.next(after: time),
                replacing: replacement(of: name, state, time))
        case 4: command = .pauseSchedule(name: name)
        case 5, 6:
            guard let resume = resumption(of: name, state, time) else { return }
            command = resume
        case 7, 8: command = .triggerSchedule(name: name)
        default: command = .deleteSchedule(name: name)
        }
        let token = ask(.change(command), of: node)
        after(5_000_000_000, .clientDeadline(token))
    }

    /// Likewise what a schedule that is replaced has let pass.
    private func replacement(
        of name: String, _ state: Scheduler, _ time: Milliseconds
    ) -> Replacement? {
        guard let view = state.schedule(name), let kept = view.next,
            let timing = ScheduleBooks.timing(of: view.spec)
        else { return nil }
        let end = view.spec.policy.until ?? .max
        let last = min(time, end)
        let passed = last < kept ? 0 : (last - kept) / timing.period + 1
        let first = kept + passed * timing.period
        let upcoming = (0..<Milliseconds(Limits.maxUpcomingOccurrences))
            .map { first + $0 * timing.period }.filter { $0 <= end }
        return Replacement(
            revision: view.revision, expectedNext: kept, passed: UInt32(clamping: passed),
            upcoming: upcoming)
    }

    /// The API counts what was skipped from the schedule as the node knows it.
    private func resumption(
        of name: String, _ state: Scheduler, _ time: Milliseconds
    ) -> Command? {
        guard let view = state.schedule(name), let kept = view.next,
            let timing = ScheduleBooks.timing(of: view.spec)
        else { return nil }
        let now = min(time, view.spec.policy.until ?? .max)
        let next = max(kept, timing.next(after: now))
        return .resumeSchedule(
            name: name,
            Resumption(
                revision: view.revision, expectedNext: kept,
                skipped: UInt32(clamping: (next - kept) / timing.period), next: next))
    }

    // MARK: Answers

    func completed(
        _ token: Token, _ outcome: Outcome, on node: SimulatedNode
    ) throws(Violation) {
        let operation = clients[token]
        guard operation.status == .open, operation.node == node.number,
            operation.life == node.life
        else {
            throw Violation("a request is answered once", "token \(token): \(operation)")
        }
        clients.close(token, .answered)
        report.answers += 1
        switch (operation.kind, outcome) {
        case (.submit(let spec), .task(let id, let existed)):
            let index = try oracle.checkSubmitted(spec, id, existed: existed)
            clients.saw(index)
            clients.known.append(id)
            report.acknowledged += 1
        case (.submit(let spec), .rejected(let reason)):
            guard
                reason == .full || reason == .queueFull || reason == .namespaceFull
                    || reason == .namespaceRate || reason == .keyConflict && spec.key != nil
                    || reason == .missingDependency && !spec.after.isEmpty
            else {
                throw Violation("good tasks are taken", "\(spec) rejected: \(reason)")
            }
        case (.finish(let finish), .done):
            try oracle.checkFinished(finish)
        case (.finish(let finish), .rejected(let reason)):
            guard
                reason == .staleAttempt
                    || reason == .notFound && oracle.retention.isDropped(finish.task)
            else {
                throw Violation("finishes are stale or taken", "\(finish) rejected: \(reason)")
            }
            report.staleFinishes += 1
        case (.change(.putSchedule(let name, let spec, _, _, _)), .schedule)
        where Registers.isRegister(name):
            try oracle.registers.endWrite(token, spec.task.payload)
        case (.change(.submitGraph(let graph)), .task(let first, false)):
            try workflowSubmitted(graph, first)
        case (.change, _): break
        case (.attached(let question), _): try answered(question, outcome)
        default: throw Violation("answers fit", "\(operation.kind) answered by \(outcome)")
        }
    }

    /// One schedule in ten is put as a paused one; of the others some stay as they are.
    private func drawPause() -> Bool? {
        if clients.random.chance(permille: 100) { return true }
        return clients.submissions % 3 == 0 ? nil : false
    }

    /// "Nothing was done" has to be true for good; what is repeated for the same payload is not asked about.
    private func checkRefusal(
        _ operation: Clients.Operation, _ refusal: Refusal
    ) throws(Violation) {
        guard refusal != .outcomeUnknown, !operation.isProbe else { return }
        switch operation.kind {
        case .submit(let spec) where spec.key == nil: try oracle.noteRefused(spec.payload)
        case .change(.putSchedule(let name, let spec, _, _, _)) where Registers.isRegister(name):
            try oracle.noteRefused(spec.task.payload)
        case .change(.submitGraph(let graph)):
            for item in graph.items { try oracle.noteRefused(item.spec.payload) }
        default: return
        }
    }

    func refused(
        _ token: Token, _ refusal: Refusal, on node: SimulatedNode
    ) throws(Violation) {
        let operation = clients[token]
        guard operation.status == .open else { return }
        try checkRefusal(operation, refusal)
        clients.close(token, refusal == .outcomeUnknown ? .unknown : .refused)
        report.refusals += 1
        switch operation.kind {
        case .finish where refusal == .outcomeUnknown:
            // Its node is no member any more.
            report.staleFinishes += 1
        case .finish(let finish):
            // The worker keeps what it has to report.
            retryLater(.finish(finish), on: node, isProbe: false)
        case .submit(let spec) where spec.key != nil: planRetry(token)
        case .attached(let question):
            after(Self.attachedRetryNanoseconds, .attachedFailed(question))
        default:
            guard operation.isProbe else { return }
            retryLater(operation.kind, on: node, isProbe: true)
        }
    }

    /// A careful client asks somebody else in a while, under the same key.
    func planRetry(_ token: Token) {
        guard phase == .chaos, case .submit(let spec) = clients[token].kind, spec.key != nil else {
            return
        }
        after(clients.random.within(20_000_000...1_000_000_000), .clientRetries(token))
    }

    func askAgain(_ token: Token) {
        guard phase == .chaos, let other = anyNode() else { return }
        let next = ask(clients[token].kind, of: other)
        after(3_000_000_000, .clientDeadline(next))
    }

    private func retryLater(_ kind: Clients.Kind, on node: SimulatedNode, isProbe: Bool) {
        let token = clients.open(
            kind, node: node.number, life: node.life, now: now, isProbe: isProbe)
        let input: ReplicaInput
        switch kind {
        case .submit(let spec): input = .request(token, .submit(spec))
        case .finish(let finish): input = .request(token, .finish(finish))
        case .change(let command): input = .request(token, command)
        case .read, .readRegister: input = .read(token)
        case .attached: preconditionFailure("attached workers ask by themselves")
        }
        after(500_000_000, .input(node: node.number, life: node.life, input))
    }

    /// Linearizable: what was acknowledged, or read, before this read was asked for is there.
    func readReady(_ token: Token, on node: SimulatedNode) throws(Violation) {
        let operation = clients[token]
        // Given up at the same moment.
        guard operation.status == .open, let replica = node.replica else { return }
        clients.close(token, .answered)
        report.reads += 1
        if case .attached(let question) = operation.kind {
            return try readReady(question, on: node)
        }
        if case .readRegister(let register) = operation.kind {
            let name = Registers.name(register)
            try oracle.registers.endRead(
                token, replica.scheduler.schedule(name)?.spec.task.payload)
            return
        }
        guard case .read(let minApplied, let task) = operation.kind else {
            throw Violation("answers fit", "\(operation.kind) answered as a read")
        }
        guard replica.applied >= minApplied else {
            throw Violation(
                "reads are linearizable",
                "\(node.id) answers at \(replica.applied), \(minApplied) was visible before")
        }
        if let task, replica.scheduler.state(of: task) == nil, !oracle.retention.isDropped(task) {
            throw Violation("reads see what was acknowledged", "\(task) is not on \(node.id)")
        }
        clients.saw(replica.applied)
    }
}
