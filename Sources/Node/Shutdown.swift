import Raft
import Scheduler

/// The way out on SIGTERM: leadership is handed over, nothing new is taken, running attempts finish within a
/// grace period, the rest is handed back, the worker leaves, and the process ends with status 0.
///
/// Every step is bounded: when the whole cluster goes down there may be no leader left to agree to anything.
final class Shutdown {
    static let graceNanoseconds: Nanoseconds = 20_000_000_000
    /// Without a leader for this long, nobody is left to tell.
    static let lonelyNanoseconds: Nanoseconds = 1_500_000_000
    /// A client that sends requests meanwhile hears with an answer that its connection ends; closing it between two
    /// requests could meet the next one on its way.
    static let partingNanoseconds: Nanoseconds = 300_000_000
    /// For clients to read their last answers.
    static let lingerNanoseconds: Nanoseconds = 500_000_000

    private enum Phase {
        case draining
        case handingBack(until: Nanoseconds)
        case leaving(until: Nanoseconds)
        case parting(until: Nanoseconds)
        case lingering(until: Nanoseconds)
        case done
    }

    private unowned let node: Node
    private var phase = Phase.draining
    private let graceEnds: Nanoseconds
    private var leaderSeenAt: Nanoseconds
    private var isHurried = false

    init(node: Node) {
        self.node = node
        graceEnds = node.loop.now + Self.graceNanoseconds
        leaderSeenAt = node.loop.now
    }

    func begin() {
        if node.gateway.replica.raft.role == .leader {
            node.gateway.step(.transferLeadership(to: nil))
        }
        node.gateway.step(.drain)
        look()
    }

    /// A second signal: running attempts are not waited for.
    func hurry() { isHurried = true }

    /// Looks again after every turn, and at least every 20 ms.
    func check() {
        let now = node.loop.now
        let replica = node.gateway.replica
        if replica.raft.leader != nil { leaderSeenAt = now }
        let isLonely = now - leaderSeenAt >= Self.lonelyNanoseconds
        switch phase {
        case .draining:
            if replica.isDrained || (isLonely && node.worker.runningCount == 0) {
                leave(now)
            } else if isHurried || now >= graceEnds {
                node.worker.stopAll(reason: .shutdown)
                let killGrace = Nanoseconds(WorkerLimits.killGraceMilliseconds) * 1_000_000
                phase = .handingBack(until: now + killGrace + Self.lonelyNanoseconds)
            }
        case .handingBack(let until):
            // An assignment that waited for the lease may be launched only now.
            node.worker.stopAll(reason: .shutdown)
            if replica.isDrained || now >= until || (isLonely && node.worker.runningCount == 0) {
                leave(now)
            }
        case .leaving(let until):
            if now >= until || isLonely { part(now) }
        case .parting(let until):
            if now >= until || node.clientCount == 0 { linger(now) }
        case .lingering(let until):
            if now >= until || node.clientCount == 0 {
                phase = .done
                node.log.info("drained", [:])
                node.finish()
            }
        case .done:
            break
        }
    }

    /// Tells the cluster that this worker is gone, so that nobody waits for its beats to be missed.
    private func leave(_ now: Nanoseconds) {
        phase = .leaving(until: now + Self.lonelyNanoseconds)
        let replica = node.gateway.replica
        node.gateway.request(
            .workerLost(id: replica.id.name, incarnation: replica.incarnation),
            deadline: now + Self.lonelyNanoseconds
        ) { [unowned self] _ in
            part(node.loop.now)
        }
    }

    private func part(_ now: Nanoseconds) {
        guard case .leaving = phase else { return }
        phase = .parting(until: now + Self.partingNanoseconds)
        node.drainClients()
    }

    private func linger(_ now: Nanoseconds) {
        phase = .lingering(until: now + Self.lingerNanoseconds)
        node.closeIdleClients()
    }

    private func look() {
        node.loop.schedule(at: node.loop.now + 20_000_000) { [unowned self] in look() }
    }
}
