import Node
import Raft
import Scheduler

/// Clients with tasks that wait for each other, in some runs. All chance here comes from a source of its own, so that the
/// others stay as they are.
extension Simulation {
    func workflowsAct() {
        guard phase == .chaos, let every = flows.every else { return }
        after(1 + flows.random.below(2 * every), .acts(.workflows))
        let up = nodes.filter(\.isUp)
        guard clients.openCount < Self.maxOpenOperations, flows.submissions < Flows.maxSubmissions,
            !up.isEmpty
        else { return }
        let node = flows.random.pick(up)
        let token: Token
        switch flows.random.index(10) {
        case 0..<5: token = ask(.submit(flows.drawSuccessor(of: clients.known)), of: node)
        case 5..<7: token = ask(.change(.submitGraph(flows.drawGraph(clients.known))), of: node)
        case 7:
            guard !flows.known.isEmpty else { return }
            token = ask(.change(.cancelWorkflow(flows.random.pick(flows.known))), of: node)
        default:
            guard let task = flows.recentTask(clients.known) else { return }
            token = ask(
                .change(flows.random.chance(permille: 700) ? .retry(task) : .cancel(task)), of: node
            )
        }
        after(flows.random.within(300_000_000...8_000_000_000), .clientDeadline(token))
    }

    func workflowSubmitted(_ graph: GraphSpec, _ first: TaskID) throws(Violation) {
        let index = try oracle.checkSubmitted(graph, first)
        clients.saw(index)
        flows.known.append(WorkflowID(first: first))
        for place in 0..<graph.items.count {
            clients.known.append(TaskID(first.number + UInt64(place)))
        }
        report.acknowledged += graph.items.count
    }
}

/// What these clients ask for.
struct Flows {
    static let maxSubmissions = 400

    var random: RandomSource
    /// Mean time between two actions; nil: there are none.
    let every: Nanoseconds?
    /// Acknowledged workflows, oldest first.
    var known: [WorkflowID] = []
    private(set) var submissions = 0

    init(random: RandomSource) {
        self.random = random
        every =
            self.random.chance(permille: 500)
            ? self.random.pick([30_000_000, 100_000_000, 400_000_000]) : nil
    }

    mutating func recentTask(_ known: [TaskID]) -> TaskID? {
        guard !known.isEmpty else { return nil }
        return known[known.count - 1 - random.index(min(30, known.count))]
    }

    mutating func drawSuccessor(of known: [TaskID]) -> TaskSpec {
        var spec = drawSpec()
        for _ in 0..<random.within(1...4) {
            // Now and then one that does not exist.
            let task = random.chance(permille: 20) ? TaskID(1 << 40) : recentTask(known)
            if let task { spec.after.append(task) }
        }
        return spec
    }

    /// Of any shape; never one that may be submitted twice.
    mutating func drawGraph(_ known: [TaskID]) -> GraphSpec {
        let density = random.pick([100, 400, 1_000])
        let items = (0..<random.pick([1, 2, 3, 5, 12])).map { place in
            var spec = drawSpec()
            if random.chance(permille: 200), let task = recentTask(known) { spec.after = [task] }
            let after = (0..<UInt32(place)).filter { _ in random.chance(permille: density) }
            return GraphSpec.Item(
                name: random.chance(permille: 500) ? "task-\(place)" : nil, after: after, spec: spec
            )
        }
        return GraphSpec(items: items)
    }

    private mutating func drawSpec() -> TaskSpec {
        submissions += 1
        var spec = TaskSpec(handler: random.pick(Scenario.handlers))
        spec.payload = Oracle.uniqueMark + Array("\"flow \(submissions)\"}".utf8)
        spec.retry.attempts = UInt32(random.within(1...2))
        spec.retry.initialMilliseconds = Milliseconds(random.within(0...200))
        spec.timeoutMilliseconds = 2_000
        spec.priority = UInt8(random.index(10))
        spec.onDependencyFailure = random.pick([.cancel, .cancel, .run, .hold])
        if random.chance(permille: 100) { spec.start = .after(milliseconds: 700) }
        if random.chance(permille: 100) { spec.expiresMilliseconds = 2_500 }
        return spec
    }
}
