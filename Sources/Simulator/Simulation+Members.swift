import Node
import Raft
import Scheduler

/// What the operator is about to do to the membership.
struct Membership {
    /// A member whose disk was lost: the old identity has to leave, the new one to come. Until then the cluster
    /// lacks one node for good, and nothing else may be taken from it.
    var replacing: Int?
}

/// The operator: takes machines in, takes members out, and replaces those whose disk was lost.
extension Simulation {
    private static let maxVoters = 7

    func membersAct() throws(Violation) {
        guard phase == .chaos, let every = scenario.members.changeEvery else { return }
        after(1 + random.below(2 * every), .membersAct)
        if continueReplacement(isProbe: false) { return }
        guard isMembershipSettled else { return }
        try beginChange()
    }

    /// The machines whose present identity is a voter; before there is a cluster those that shall found it.
    var voters: [SimulatedNode] {
        guard let (_, configuration) = invariants.committedConfiguration else {
            return nodes.filter(\.isFounder)
        }
        return nodes.filter { configuration.voters.contains($0.id) }
    }

    private func isVoter(_ node: SimulatedNode) -> Bool { voters.contains { $0 === node } }

    /// What is committed is what is wanted, and no log holds anything else.
    var isMembershipSettled: Bool {
        guard membership.replacing == nil,
            invariants.areConfigurationsCommitted(on: voters.map(\.number)),
            let (_, configuration) = invariants.committedConfiguration
        else { return false }
        let wanted = oracle.reference.members.map { NodeID($0.name, directory: $0.directory) }
        return !configuration.isJoint && configuration.learners.isEmpty
            && configuration.voters == wanted.sorted()
    }

    /// The next step of a replacement, as the state machine stands. False: there is none.
    func continueReplacement(isProbe: Bool) -> Bool {
        guard let number = membership.replacing else { return false }
        let machine = nodes[number]
        let others = nodes.filter { $0.isUp && $0 !== machine }
        guard !others.isEmpty else { return true }
        let node = random.pick(isProbe ? others.filter(isVoter) : others)
        switch oracle.reference.member(machine.id.name)?.directory {
        case machine.id.directory:
            if invariants.committedConfiguration?.configuration.voters.contains(machine.id) ?? false
            {
                membership.replacing = nil
            }
        case nil: take(in: machine, by: node, isProbe: isProbe)
        default: change(.removeMember(name: machine.id.name), by: node, isProbe: isProbe)
        }
        return membership.replacing != nil
    }

    private func take(in machine: SimulatedNode, by node: SimulatedNode, isProbe: Bool = false) {
        let member = Member(
            name: machine.id.name, directory: machine.id.directory, peer: "", api: "")
        change(.addMember(member), by: node, isProbe: isProbe)
    }

    private func change(_ command: Command, by node: SimulatedNode, isProbe: Bool) {
        log.write(now, .membership, "\(node.id) is asked: \(command)")
        let token = ask(.change(command), of: node, isProbe: isProbe)
        if !isProbe { after(5_000_000_000, .clientDeadline(token)) }
    }

    private func beginChange() throws(Violation) {
        let voters = voters
        if voters.count > 2, random.chance(permille: scenario.members.wipePermille) {
            let victim = random.pick(voters)
            guard try loseDisk(victim) else { return }
            membership.replacing = victim.number
            return
        }
        let outside = nodes.filter { !isVoter($0) }
        if voters.count < Self.maxVoters, !outside.isEmpty, random.chance(permille: 550) {
            let machine = random.pick(outside)
            // A directory that was a member's once is never taken in again.
            if machine.replica?.raft.configuration.isFounded ?? true, try !loseDisk(machine) {
                return
            }
            let others = nodes.filter { $0.isUp && $0 !== machine }
            guard !others.isEmpty else { return }
            report.faults[.grow] += 1
            take(in: machine, by: random.pick(others))
        } else if voters.count > 2 {
            let leader = voters.first { $0.replica?.raft.role == .leader }
            let leaves =
                random.chance(permille: 400) ? leader ?? random.pick(voters) : random.pick(voters)
            let up = nodes.filter(\.isUp)
            guard !up.isEmpty else { return }
            report.faults[.shrink] += 1
            change(.removeMember(name: leaves.id.name), by: random.pick(up), isProbe: false)
        }
    }

    /// The process ends, its disk is replaced by an empty one, and it starts again in a while.
    private func loseDisk(_ node: SimulatedNode) throws(Violation) -> Bool {
        guard !node.staysDown else { return false }
        if node.isUp { try crash(node) }
        report.faults[.wipe] += 1
        let former = node.id
        node.loseDisk()
        invariants.nodeLostDisk(node.number)
        log.write(now, .disk, "\(former) loses its disk and is \(node.id) now")
        // It may be another machine, whose clock is behind that of the former one.
        if scenario.node.clockJumpEvery != nil { setWallClock(of: node) }
        return true
    }
}
