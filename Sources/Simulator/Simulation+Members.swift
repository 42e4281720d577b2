import Node
import Raft
import Scheduler

/// What the operator wants. What is still missing is read off the state machine at every step, so nothing is lost with
/// an answer, a node or a disk.
struct Membership {
    /// Numbers of the machines that shall be members, each as whoever its disk says it is now.
    var wanted: Set<Int>
}

/// The operator: takes machines in, takes members out, and replaces those whose disk was lost.
extension Simulation {
    private static let maxVoters = 7

    func membersAct() throws(Violation) {
        guard phase == .chaos, let every = scenario.members.changeEvery else { return }
        after(1 + random.below(2 * every), .membersAct)
        // One wish at a time: until it is fulfilled the members may lack one of theirs for good.
        if isMembershipSettled {
            try wishForChange()
        }
        bringMembersNearer(isProbe: false)
    }

    /// The machines whose present identity is a voter; before there is a cluster those that shall found it.
    var voters: [SimulatedNode] {
        guard let (_, configuration) = invariants.committedConfiguration else {
            return nodes.filter(\.isFounder)
        }
        return nodes.filter { configuration.voters.contains($0.id) }
    }

    /// The state machine wants what the operator wants, that is committed, and no log holds anything else.
    var isMembershipSettled: Bool {
        guard nextMembersCommand == nil, !oracle.reference.members.isEmpty,
            invariants.areConfigurationsCommitted(on: voters.map(\.number)),
            let (_, configuration) = invariants.committedConfiguration
        else { return false }
        let wanted = nodes.filter { membership.wanted.contains($0.number) }.map(\.id)
        return !configuration.isJoint && configuration.learners.isEmpty
            && configuration.voters == wanted.sorted()
    }

    /// What brings the members in the state machine nearer to those that are wanted.
    private var nextMembersCommand: Command? { membersCommands.first }

    /// Everything that is missing, one command for each machine. Whoever a machine was before it lost its disk has to
    /// leave before whoever it is now can come.
    private var membersCommands: [Command] {
        nodes.compactMap { machine in
            let name = machine.id.name
            let isWanted = membership.wanted.contains(machine.number)
            let member = oracle.reference.member(name)
            if let member, !isWanted || member.directory != machine.id.directory {
                return .removeMember(name: name, directory: member.directory)
            }
            // One that can't apply by the rules in force waits for its upgrade.
            if member == nil, isWanted, machine.stateVersion >= oracle.reference.stateVersion {
                return .addMember(
                    NodeRecord(
                        name: name, directory: machine.id.directory, peer: "", api: "",
                        stateVersion: machine.stateVersion))
            }
            return nil
        }
    }

    /// Anybody may be asked; with a probe a voter, who has to answer.
    func bringMembersNearer(isProbe: Bool) {
        guard let command = nextMembersCommand else { return }
        let asked = (isProbe ? voters : nodes).filter(\.isUp)
        guard !asked.isEmpty else { return }
        let node = random.pick(asked)
        log.write(now, .membership, "\(node.id) is asked: \(command)")
        let token = ask(.change(command), of: node, isProbe: isProbe)
        if !isProbe { after(5_000_000_000, .clientDeadline(token)) }
    }

    private func wishForChange() throws(Violation) {
        let voters = voters
        if plotRandom.chance(permille: scenario.members.exchangePermille) {
            return try wishForExchange(voters)
        }
        if voters.count > 2, random.chance(permille: scenario.members.wipePermille) {
            let victim = random.pick(voters)
            if maySuffer(victim) { _ = try loseDisk(victim) }
            return
        }
        let outside = nodes.filter { !membership.wanted.contains($0.number) }
        if voters.count < Self.maxVoters, !outside.isEmpty, random.chance(permille: 550) {
            let machine = random.pick(outside)
            // A directory that was a member's once is never taken in again.
            if machine.replica?.raft.configuration.isFounded ?? true, try !loseDisk(machine) {
                return
            }
            report.faults[.grow] += 1
            membership.wanted.insert(machine.number)
        } else if voters.count > 2 {
            let leader = voters.first { $0.replica?.raft.role == .leader }
            let leaves =
                random.chance(permille: 400) ? leader ?? random.pick(voters) : random.pick(voters)
            // Of those who stay a majority has to be whole: its operator looks at the disks first.
            let staying = voters.filter { $0 !== leaves }
            guard staying.count(where: \.isWhole) * 2 > staying.count else { return }
            report.faults[.shrink] += 1
            membership.wanted.remove(leaves.number)
        }
    }

    /// As many come as leave, and the leader hears of all of it in one turn.
    private func wishForExchange(_ voters: [SimulatedNode]) throws(Violation) {
        let outside = nodes.filter { !membership.wanted.contains($0.number) }
        guard let leader = voters.first(where: { $0.replica?.raft.role == .leader }),
            !outside.isEmpty, voters.count > 2, voters.allSatisfy(\.isWhole)
        else { return }
        var leaving = voters.filter { $0 !== leader || plotRandom.chance(permille: 200) }
        for machine in outside where !leaving.isEmpty {
            if machine.replica?.raft.configuration.isFounded ?? true, try !loseDisk(machine) {
                continue
            }
            membership.wanted.insert(machine.number)
            let gone = leaving.remove(at: plotRandom.index(leaving.count))
            membership.wanted.remove(gone.number)
        }
        report.faults[.exchange] += 1
        for command in membersCommands {
            log.write(now, .membership, "\(leader.id) is asked: \(command)")
            after(5_000_000_000, .clientDeadline(ask(.change(command), of: leader)))
        }
    }

    /// The process ends, its disk is replaced by an empty one, and it starts again in a while.
    func loseDisk(_ node: SimulatedNode) throws(Violation) -> Bool {
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
