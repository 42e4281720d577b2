import Node
import Raft
import Scheduler

/// Where the part of a run without faults stands. There are one or two such parts: with a minority away for
/// good, and with everything healed.
struct Recovery {
    var begunAt: Nanoseconds = 0
    /// Numbers of the nodes that stay away.
    var away: [Int] = []
    /// Occurrences of the probe's schedule when it was made.
    var firedBefore = 0
    var areProbesSent = false
    var isServing = false
    /// When nothing was left to do; the cluster is watched for a moment more.
    var calmSince: Nanoseconds?
}

/// After the faults: those that are there must serve at once, get all their work done and agree, within a
/// bounded time; and so again when the rest comes back.
extension Simulation {
    private static let checkEvery: Nanoseconds = 250_000_000
    private static let maxRecovery: Nanoseconds = 240_000_000_000
    private static let probeSchedule = "probe"
    private static let probeFirings = 2

    func endChaos() throws(Violation) {
        network.healEverything()
        for node in nodes {
            node.effectsUntilCrash = nil
            node.disk.disk.heal()
        }
        // Who is gone must not be more than the members can do without: not while one of them is being replaced, or
        // has not got back what its disk lost.
        if let minority = scenario.node.minority, isMembershipSettled, isEveryDiskWhole,
            voters.count > 2
        {
            phase = .minorityAway
            report.minoritiesGone += 1
            try sendAway(minority)
        } else {
            phase = .recovery
            log.write(now, .phase, "everything heals")
        }
        try beginRecovery()
        after(Self.checkEvery, .progressCheck)
    }

    private func sendAway(_ minority: Scenario.Minority) throws(Violation) {
        var numbers = voters.map(\.number)
        let quorum = numbers.count / 2 + 1
        var kind = minority
        // With its bridge it must not be a majority: that one could serve, and the rest of the nodes not
        // know it.
        if kind == .bridged, quorum < 3 { kind = .cutOff }
        let largest = kind == .bridged ? quorum - 2 : numbers.count - quorum
        let count = random.within(1...largest)
        for _ in 0..<count { recovery.away.append(numbers.remove(at: random.index(numbers.count))) }
        let names = recovery.away.map { nodes[$0].id.name }.joined(separator: ", ")
        log.write(now, .phase, "all heals but \(names): \(kind) from now on")
        guard kind == .dead else { return network.cut(recovery.away, kind) }
        for number in recovery.away {
            nodes[number].staysDown = true
            if nodes[number].isUp { try crash(nodes[number]) }
        }
    }

    private func beginRecovery() throws(Violation) {
        recovery.begunAt = now
        recovery.areProbesSent = false
        recovery.isServing = false
        recovery.calmSince = nil
        for node in nodes {
            try resume(node)
            // A draining worker takes nothing more until its process starts anew.
            if node.replica?.isDraining ?? false
                || node.isUp && node.stateVersion < Scheduler.latestStateVersion
            {
                try crash(node)
            }
            if !node.isUp, !node.staysDown { try start(node) }
        }
        connectPeers()
        if !present.isEmpty { sendProbes() }
    }

    /// The second part: the minority comes back.
    private func healAll() throws(Violation) {
        log.write(now, .phase, "everything heals")
        phase = .recovery
        recovery.away = []
        network.healEverything()
        for node in nodes { node.staysDown = false }
        try beginRecovery()
    }

    /// Without a member that is about to leave: nobody may ever answer what is asked there.
    private var present: [SimulatedNode] {
        voters.filter {
            !recovery.away.contains($0.number) && membership.wanted.contains($0.number)
        }
    }

    // MARK: Progress

    func checkProgress() throws(Violation) {
        if let missing = missing() {
            recovery.calmSince = nil
            if (now - recovery.begunAt) % 10_000_000_000 == 0 {
                log.write(now, .phase, missing)
                describeNodes()
            }
            guard now - recovery.begunAt < Self.maxRecovery else {
                throw Violation(
                    phase == .recovery ? "progress after healing" : "a quorum is enough", missing)
            }
        } else if let since = recovery.calmSince {
            if now - since >= 1_000_000_000 { try endRecovery() }
        } else {
            recovery.calmSince = now
        }
        if phase != .done { after(Self.checkEvery, .progressCheck) }
    }

    private func endRecovery() throws(Violation) {
        report.recoveryNanoseconds = max(
            report.recoveryNanoseconds, Int(now - recovery.begunAt))
        if phase == .minorityAway {
            try healAll()
        } else {
            try checkEnd()
            phase = .done
        }
    }

    /// nil: the cluster serves, everybody who is there agrees, and nothing is left to do.
    private func missing() -> String? {
        if !recovery.isServing {
            if let missing = missingForService() { return missing }
            recovery.isServing = true
            log.write(now, .phase, "the cluster serves")
        }
        return missingForRest()
    }

    private func missingForService() -> String? {
        if !recovery.areProbesSent {
            // All members are on their way out: who comes in their place can be asked once it is one.
            guard !present.isEmpty else {
                if (now - recovery.begunAt) % 1_000_000_000 == 0 {
                    bringMembersNearer(isProbe: false)
                }
                return "no member stays"
            }
            sendProbes()
        }
        if let node = present.first(where: { !$0.owedProbes.isEmpty }) {
            return "\(node.id) is down"
        }
        if let probe = clients.openProbe(on: present) { return "\(probe.kind) is not answered" }
        // Without room in their namespace occurrences are skipped.
        if let missing = missingForNamespaces(present[0]) { return missing }
        let fired = oracle.schedules.firedCount(of: Self.probeSchedule) - recovery.firedBefore
        guard fired >= Self.probeFirings else {
            let next = oracle.reference.schedule(Self.probeSchedule)?.next
            return """
                \(fired) occurrences of a schedule of one second, the next at \
                \(next.map(String.init) ?? "no time"), log time is \(oracle.reference.time)
                """
        }
        return nil
    }

    private func missingForRest() -> String? {
        let present = present
        for node in present where !node.isUp { return "\(node.id) is down" }
        for node in present where node.replica?.raft.isDamaged ?? false {
            return "\(node.id) has not got back what its disk lost"
        }
        let schedules = oracle.reference.schedules(after: nil, limit: 64).map(\.name)
        let left = schedules.filter { !Registers.isRegister($0) }
        if let name = left.first {
            deleteSchedules(left, present[0])
            return "schedule \(name) is still there"
        }
        if let missing = missingForQueues(present[0]) ?? missingForBulkJobs() { return missing }
        if let missing = missingForNamespaces(present[0]) ?? missingForHistory() { return missing }
        if phase == .recovery, let missing = missingForMembership(present) { return missing }
        let replicas = present.compactMap(\.replica)
        guard let leader = replicas[0].raft.leader else {
            return "\(replicas[0].id) knows no leader"
        }
        for replica in replicas where replica.raft.leader != leader {
            return "\(replica.id) follows \(String(describing: replica.raft.leader)), not \(leader)"
        }
        for replica in replicas where replica.applied != oracle.applied {
            return "\(replica.id) applied \(replica.applied) of \(oracle.applied)"
        }
        if let probe = clients.openProbe(on: present) { return "\(probe.kind) is not answered" }
        let stuck = oracle.workflows.stuck(oracle.taskIDs) { id in
            oracle.tasks[id].map { canRun($0, present) } ?? false
        }
        for id in oracle.taskIDs {
            guard let account = oracle.tasks[id], !account.state.isFinal else { continue }
            guard !stuck.contains(id) else { continue }
            let due = oracle.reference.task(id)?.dueAt ?? 0
            return
                "\(id) is \(account.state.name), due at \(due), log time is \(oracle.reference.time)"
        }
        return nil
    }

    private func missingForMembership(_ present: [SimulatedNode]) -> String? {
        guard !isMembershipSettled else { return nil }
        let configuration = invariants.committedConfiguration?.configuration
        let state = oracle.reference
        let wanted = state.members.map { NodeID($0.name, directory: $0.directory) }
        let text = """
            the voters are \(configuration?.members ?? []), wanted \(wanted), \
            by rules \(state.stateVersion)
            """
        if clients.openProbe(on: present) == nil { bringMembersNearer(isProbe: true) }
        return text
    }

    private func canRun(_ account: Oracle.TaskAccount, _ present: [SimulatedNode]) -> Bool {
        present.contains { node in
            let worker = scenario.workers[node.number]
            return worker.slots > 0 && worker.handlers.contains(account.handler)
                && account.tags.allSatisfy(worker.tags.contains)
        }
    }

    private func deleteSchedules(_ names: [String], _ node: SimulatedNode) {
        guard clients.openProbe(on: present) == nil else { return }
        for name in names { ask(.change(.deleteSchedule(name: name)), of: node, isProbe: true) }
    }

    /// Every node that is there takes a task and answers a read, and one takes a schedule, which has to fire.
    private func sendProbes() {
        recovery.areProbesSent = true
        let present = present
        for node in present {
            var spec = TaskSpec(handler: "echo")
            spec.priority = 9
            spec.payload = Oracle.uniqueMark + Array("\"probe \(node.id) \(phase)\"}".utf8)
            ask(.submit(spec), of: node, isProbe: true)
            ask(
                .read(minApplied: clients.visibleIndex, clients.known.last), of: node,
                isProbe: true)
        }
        recovery.firedBefore = oracle.schedules.firedCount(of: Self.probeSchedule)
        let node = random.pick(present)
        let (spec, timing) = clients.probeSchedule()
        // Not the node's own clock: it may be far ahead, and without a leader the node does not know by how much.
        // And a cluster that is still to be founded has told no time at all.
        let time = max(oracle.reference.time, ClockModel.earliestWall)
        ask(
            .change(
                .putSchedule(
                    name: Self.probeSchedule, spec, paused: false,
                    next: timing.next(after: time))),
            of: node, isProbe: true)
    }

    // MARK: The end

    private func checkEnd() throws(Violation) {
        let expected = oracle.reference.snapshotCopy().encoded()
        for node in voters {
            guard let replica = node.replica else { continue }
            guard replica.scheduler.snapshotCopy().encoded() == expected else {
                throw Violation("all replicas are equal in the end", "\(node.id) differs")
            }
        }
        let restored = try SimulatedNode.load(expected)
        guard restored.snapshotCopy().encoded() == expected else {
            throw Violation("snapshots survive their codec", "a snapshot of a snapshot differs")
        }
        for id in clients.known where !oracle.isKept(id) {
            throw Violation("no acknowledged task is lost", "\(id)")
        }
    }
}
