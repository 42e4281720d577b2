import Node
import Raft
import Scheduler

/// In some runs somebody changes queues all the time. By a random source of its own, so that all others stay as they
/// are.
extension Simulation {
    static let queueNames = ["default", "mail"]

    func queuesAct() {
        guard phase == .chaos, let every = scenario.work.queueEvery else { return }
        after(1 + queueRandom.below(2 * every), .acts(.queues))
        let up = nodes.filter(\.isUp)
        guard !up.isEmpty, clients.openCount < Self.maxOpenOperations else { return }
        let name = queueRandom.pick(Self.queueNames)
        var command: Command
        switch queueRandom.index(10) {
        case 0: command = .pauseQueue(name: name)
        case 1, 2: command = .resumeQueue(name: name)
        default:
            command = .putQueue(
                name: name, drawQueue(name),
                paused: queueRandom.chance(permille: 700) ? false : nil,
                isInitial: queueRandom.chance(permille: 100))
        }
        if queueResets.chance(permille: 80) { command = .resetQueue(name: name) }
        let token = ask(.change(command), of: queueRandom.pick(up))
        after(5_000_000_000, .clientDeadline(token))
    }

    private func drawQueue(_ name: String) -> QueueSpec {
        var spec = QueueSpec()
        if queueRandom.chance(permille: 500) {
            spec.concurrency = UInt32(queueRandom.within(1...6))
        }
        if queueRandom.chance(permille: 400) {
            spec.rate = RateLimit(
                count: UInt32(queueRandom.pick([1, 5, 20, 200])), perMilliseconds: 1_000,
                burst: UInt32(queueRandom.within(1...5)))
        }
        if queueRandom.chance(permille: 400) {
            spec.breaker = BreakerSpec(
                trip: queueRandom.chance(permille: 700)
                    ? .failures(UInt32(queueRandom.within(1...4)))
                    : .ratio(permille: 400, minimum: 4, windowMilliseconds: 5_000),
                openMilliseconds: Milliseconds(queueRandom.within(50...3_000)),
                probes: UInt32(queueRandom.within(1...3)))
        }
        if queueRandom.chance(permille: 200) {
            spec.maxPending = UInt32(queueRandom.within(0...60))
        }
        clients.wishes.add(to: &spec)
        // Mostly as they are, or no value would come to its limits.
        let limits = oracle.reference.queue(name)?.spec.limits ?? []
        guard limits.isEmpty || keyRandom.chance(permille: 300) else {
            spec.limits = limits
            return spec
        }
        // The first label is the same for all that have it; of the payloads' numbers there are some for each key.
        for key in ["meta.a", "meta.customer", "payload.key"] where keyRandom.chance(permille: 400)
        {
            spec.limits.append(drawLimit(key))
        }
        return spec
    }

    /// Where queues have limits, tasks have values.
    func label(_ spec: inout TaskSpec) {
        guard scenario.work.queueEvery != nil, keyRandom.chance(permille: 600) else { return }
        let customer = keyRandom.pick(["x", "y", "z"])
        spec.meta.append(Label(name: "customer", value: customer))
    }

    private func drawLimit(_ key: String) -> KeyLimit {
        var limit = KeyLimit(key: key)
        let hasRate = keyRandom.chance(permille: 500)
        if hasRate {
            limit.rate = RateLimit(
                count: UInt32(keyRandom.pick([1, 5, 50])), perMilliseconds: 1_000,
                burst: UInt32(keyRandom.within(1...4)))
        }
        if !hasRate || keyRandom.chance(permille: 500) {
            limit.concurrency = UInt32(keyRandom.within(1...3))
        }
        return limit
    }

    /// Everything has to run in the end: queues are without limits then. nil: they are.
    func missingForQueues(_ node: SimulatedNode) -> String? {
        for view in oracle.reference.queues(after: nil, limit: 32)
        where view.isPaused || view.spec != QueueSpec() {
            if clients.openProbe(on: [node]) == nil {
                ask(
                    .change(
                        .putQueue(name: view.name, QueueSpec(), paused: false, isInitial: false)),
                    of: node, isProbe: true)
            }
            return "queue \(view.name) has limits still"
        }
        return nil
    }
}
