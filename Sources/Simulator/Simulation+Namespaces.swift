import Node
import Raft
import Scheduler

/// In some runs half of the tasks belong to another namespace, and somebody changes quotas all the time. By a random
/// source of its own, so that all others stay as they are.
extension Simulation {
    private static let namespaceNames = ["default", "shop"]

    func namespacesAct() {
        guard phase == .chaos, let every = scenario.work.namespaceEvery else { return }
        after(1 + namespaceRandom.below(2 * every), .acts(.namespaces))
        let up = nodes.filter(\.isUp)
        guard !up.isEmpty, clients.openCount < Self.maxOpenOperations else { return }
        let command = Command.putNamespace(
            name: namespaceRandom.pick(Self.namespaceNames), drawQuota())
        let token = ask(.change(command), of: namespaceRandom.pick(up))
        after(5_000_000_000, .clientDeadline(token))
    }

    private func drawQuota() -> NamespaceQuota {
        var quota = NamespaceQuota()
        if namespaceRandom.chance(permille: 500) {
            quota.running = UInt32(namespaceRandom.within(1...6))
        }
        if namespaceRandom.chance(permille: 300) {
            quota.pending = UInt32(namespaceRandom.within(0...60))
        }
        if namespaceRandom.chance(permille: 300) {
            quota.submitRate = RateLimit(
                count: UInt32(namespaceRandom.pick([1, 5, 20, 200])), perMilliseconds: 1_000,
                burst: UInt32(namespaceRandom.within(1...5)))
        }
        return quota
    }

    /// Whoever submits the same key again means the same namespace.
    func inNamespace(_ spec: TaskSpec) -> TaskSpec {
        guard scenario.work.namespaceEvery != nil else { return spec }
        let isOwn =
            spec.key.map { ($0.utf8.last ?? 0) % 2 == 0 } ?? namespaceRandom.chance(permille: 500)
        guard isOwn else { return spec }
        var spec = spec
        spec.queue = Namespace(name: "shop").qualified(spec.queue)
        return spec
    }

    /// Everything has to run in the end: namespaces are without limits then. nil: they are.
    func missingForNamespaces(_ node: SimulatedNode) -> String? {
        for view in oracle.reference.namespaces(after: nil, limit: 32)
        where view.quota != NamespaceQuota() {
            if clients.openProbe(on: [node]) == nil {
                ask(
                    .change(.putNamespace(name: view.name, NamespaceQuota())), of: node,
                    isProbe: true)
            }
            return "namespace \(view.name) has quotas still"
        }
        return nil
    }
}
