import Node
import Raft
import Scheduler

/// The moment in which a lease may prove too long: its holder is cut off, the others elect somebody as soon as they
/// may, and everybody is asked all the while. A mistake by a few milliseconds shows at no other time.
extension Simulation {
    private var election: Nanoseconds { scenario.settings.raft.electionNanoseconds }
    private var heartbeatInterval: Nanoseconds { scenario.settings.raft.heartbeatNanoseconds }

    /// Mostly one of the others has not heard the leader for so long that it stands as soon as it is let.
    func layLeaseTrap() {
        guard let leader = nodes.first(where: { $0.replica?.raft.role == .leader }),
            voters.count > 2
        else { return }
        let isSlowest = scenario.node.isSlowestToLead
        if isSlowest, leader.number != 0 {
            // It holds the lease when the next trap is laid.
            deliver(.transferLeadership(to: nodes[0].id), to: leader)
            return
        }
        // Of two that are laid at once, one spoils the other.
        guard !isSlowest || now >= leaseTrapEnd else { return }
        leaseTrapEnd = now + 16 * election
        doesTrapRestart = isSlowest && plotRandom.chance(permille: 400)
        report.faults[.leaseTrap] += 1
        var delay: Nanoseconds = 0
        var impatientNumber: Int?
        let others = voters.filter { $0 !== leader }
        if !others.isEmpty, random.chance(permille: isSlowest ? 1_000 : 600) {
            let impatient = random.pick(others)
            delay = random.within(election...5 * election / 2)
            let isAimed = scenario.node.isLeaseTrapAimed
            if isAimed { impatientNumber = impatient.number }
            cutLinks(
                from: [leader], to: [impatient], for: delay + (isAimed ? 16 : 3) * election)
            log.write(now, .network, "\(impatient.id) does not hear \(leader.id) any more")
        }
        after(
            delay,
            .leaseTrap(
                node: leader.number, life: leader.life, impatient: impatientNumber,
                attempts: Self.maxAimings))
    }

    private static let maxAimings = 8

    /// Looks for the moment in which the impatient node stands just when the others may let it, and has the trap sprung
    /// then.
    ///
    /// - Returns: whether that moment is now, or there is none to wait for.
    private func aim(at leader: SimulatedNode, _ impatient: Int?, attempts: Int) -> Bool {
        guard let impatient, attempts > 0,
            let deadline = nodes[impatient].replica?.raft.nextDeadline
        else { return true }
        let stands = nodes[impatient].clockModel.virtualTime(of: deadline, now: now)
        guard stands < .max else { return true }
        var next = (at: stands + 1_000_000, attempts: attempts - 1)
        if let cut = cutTime(for: stands, leader) {
            // What was aimed at once is not aimed at again.
            next = (cut, 0)
        }
        after(
            next.at - now,
            .leaseTrap(
                node: leader.number, life: leader.life, impatient: impatient,
                attempts: next.attempts))
        return false
    }

    /// Mostly right behind a heartbeat from which on a lease, and the patience of those who heard it, last until the
    /// impatient node stands: a few hundredths of a timeout, by which clocks differ, then decide. nil: there is none.
    private func cutTime(for stands: Nanoseconds, _ leader: SimulatedNode) -> Nanoseconds? {
        let isPrecise =
            scenario.node.isSlowestToLead
            ? !doesTrapRestart : plotRandom.chance(permille: 700)
        guard isPrecise else {
            let lead = plotRandom.within(election / 20...election)
            return stands >= now + lead ? stands - lead : nil
        }
        guard let deadline = leader.replica?.raft.nextDeadline, stands > election else {
            return nil
        }
        let heartbeat = leader.clockModel.virtualTime(of: deadline, now: now)
        // In thousandths of a timeout: from when on the fastest clocks have let a vote pass, and how much later the vote
        // still ends within a lease by the slowest.
        let (least, margin): (Nanoseconds, Nanoseconds) =
            scenario.node.isSlowestToLead ? (978, 25) : (970, 40)
        let latest = stands - election * least / 1_000
        guard heartbeat < .max, latest > heartbeat else { return nil }
        let late = (latest - heartbeat) % leader.clockModel.virtualLength(of: heartbeatInterval)
        guard late < election * margin / 1_000 else { return nil }
        // The others have heard it by then, and nothing that was sent later.
        return latest - late + 3_000_000
    }

    func springLeaseTrap(
        on leader: SimulatedNode, impatient: Int?, attempts: Int
    ) throws(Violation) {
        guard phase == .chaos, leader.replica?.raft.role == .leader,
            aim(at: leader, impatient, attempts: attempts)
        else { return }
        cutLinks(from: nodes, to: [leader], for: 3 * election)
        if random.chance(permille: 500) { cutLinks(from: [leader], to: nodes, for: 3 * election) }
        leaseTrapEnd = now + 4 * election
        log.write(now, .network, "\(leader.id) is cut off, with its lease")
        for other in voters where other !== leader && other.isUp && random.chance(permille: 300) {
            // Where clocks are the worst there may be, it is them that decide, or a third one's memory of the leader.
            guard !scenario.node.isSlowestToLead else { break }
            try crash(other)
            // Back before its patience would have ended.
            after(1_000_000, .restart(node: other.number, life: other.life))
        }
        if doesTrapRestart,
            let other = voters.first(where: { $0 !== leader && $0.number != impatient && $0.isUp })
        {
            try crash(other)
            after(1_000_000, .restart(node: other.number, life: other.life))
        }
        after(
            election / 2,
            .leaseWatch(node: leader.number, life: leader.life, until: now + 8 * election / 5))
    }

    /// Reads on the others tell what is visible by now, reads on the holder whether it knows.
    func watchLease(of leader: SimulatedNode, until end: Nanoseconds) {
        guard phase == .chaos, now < end else { return }
        // Where clocks decide, it is a matter of milliseconds between the first read that sees the next leader's entry and
        // the end of the lease.
        let isDecided =
            scenario.node.isSlowestToLead
            && nodes.contains { $0 !== leader && $0.replica?.raft.role == .leader }
        let interval =
            isDecided ? 1_000_000 : election / (scenario.node.isLeaseTrapAimed ? 160 : 80)
        after(interval, .leaseWatch(node: leader.number, life: leader.life, until: end))
        // Without a lease every read begins a round, and after many of them no old answer can pass for a new one.
        let share = scenario.settings.raft.leaseReads ? 1_000 : 150
        for node in nodes where node.isUp {
            let isAsked = random.chance(permille: node === leader ? share : 200)
            guard isAsked || isDecided else { continue }
            guard clients.openCount < Self.maxOpenOperations else { return }
            let token = ask(
                .read(minApplied: clients.visibleIndex, clients.known.last), of: node)
            after(election, .clientDeadline(token))
        }
    }
}
