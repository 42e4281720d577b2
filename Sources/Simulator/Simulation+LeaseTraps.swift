import Node
import Raft
import Scheduler

/// The moment in which a lease may prove too long: its holder is cut off, the others elect somebody as soon as they
/// may, and everybody is asked all the while. A mistake by a few milliseconds shows at no other time.
extension Simulation {
    private var election: Nanoseconds { scenario.settings.raft.electionNanoseconds }

    /// Mostly one of the others has not heard the leader for so long that it stands as soon as it is let.
    func layLeaseTrap() {
        guard let leader = nodes.first(where: { $0.replica?.raft.role == .leader }),
            voters.count > 2
        else { return }
        report.faults[.leaseTrap] += 1
        var delay: Nanoseconds = 0
        let others = voters.filter { $0 !== leader }
        if !others.isEmpty, random.chance(permille: 600) {
            let impatient = random.pick(others)
            delay = random.within(election...5 * election / 2)
            cutLinks(from: [leader], to: [impatient], for: delay + 3 * election)
            log.write(now, .network, "\(impatient.id) does not hear \(leader.id) any more")
        }
        after(delay, .leaseTrap(node: leader.number, life: leader.life))
    }

    func springLeaseTrap(on leader: SimulatedNode) throws(Violation) {
        guard phase == .chaos, leader.replica?.raft.role == .leader else { return }
        cutLinks(from: nodes, to: [leader], for: 3 * election)
        if random.chance(permille: 500) { cutLinks(from: [leader], to: nodes, for: 3 * election) }
        log.write(now, .network, "\(leader.id) is cut off, with its lease")
        for other in voters where other !== leader && other.isUp && random.chance(permille: 300) {
            try crash(other)
            // Back before its patience would have ended.
            after(1_000_000, .restart(node: other.number, life: other.life))
        }
        after(
            election / 2,
            .leaseWatch(node: leader.number, life: leader.life, until: now + 8 * election / 5))
    }

    /// Reads on the others tell what is visible by now, reads on the holder whether it knows.
    func watchLease(of leader: SimulatedNode, until end: Nanoseconds) {
        guard phase == .chaos, now < end else { return }
        after(
            election / 80, .leaseWatch(node: leader.number, life: leader.life, until: end))
        for node in nodes where node.isUp && (node === leader || random.chance(permille: 200)) {
            guard clients.openCount < Self.maxOpenOperations else { return }
            let token = ask(
                .read(minApplied: clients.visibleIndex, clients.known.last), of: node)
            after(election, .clientDeadline(token))
        }
    }
}
