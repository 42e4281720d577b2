import Node
import Raft
import Scheduler

/// Faults that wait for the moment in which they hurt. Chance alone meets such moments too seldom for a mistake that
/// shows in nothing else.
extension Simulation {
    /// A leader that is gone before its first entries are everywhere. Several of them in a row leave entries of
    /// different terms at the same index of several logs (Raft paper, figure 8).
    func ambush(newLeader node: SimulatedNode) {
        guard phase == .chaos, nodes.count > 1, node.effectsUntilCrash == nil,
            random.chance(permille: scenario.node.youngLeaderPermille)
        else { return }
        report.faults[.leaderCutShort] += 1
        if random.chance(permille: 500) {
            node.effectsUntilCrash = random.index(60)
            log.write(now, .process, "\(node.id) shall not lead for long")
            return
        }
        let length = random.latency(20_000_000...2_000_000_000)
        cutLinks(from: [node], to: nodes, for: length)
        log.write(now, .network, "nobody hears \(node.id) for \(length / 1_000_000) ms")
        guard random.chance(permille: 500) else { return }
        after(length, .crash(node: node.number, life: node.life))
    }

    /// A leader that hears nothing while it hands over: it leads on in its own eyes, beside its successor.
    func ambush(leaderThatHandsOver node: SimulatedNode) {
        guard nodes.count > 1, random.chance(permille: 300) else { return }
        report.faults[.handoverUnheard] += 1
        let length: Nanoseconds = random.within(100_000_000...3_000_000_000)
        cutLinks(from: nodes, to: [node], for: length)
        log.write(now, .network, "\(node.id) hears nobody for \(length / 1_000_000) ms")
    }

    /// A node that has just repaired what a crash left crashes again, before its log has grown over it. After some of
    /// these crashes, which may tear a large write, it starts again and again, and each time writes only that it has: the
    /// little that it writes then ends in the midst of what the crash has left.
    func ambush(restarted node: SimulatedNode) {
        guard node.isUp, phase == .chaos, node.effectsUntilCrash == nil else { return }
        if node.relapsesLeft > 0 {
            node.relapsesLeft -= 1
            report.faults[.relapse] += 1
            after(1_000, .crash(node: node.number, life: node.life))
            after(2_000_000, .restart(node: node.number, life: node.life + 1))
            return
        }
        guard rareRandom.chance(permille: scenario.node.relapsePermille) else { return }
        report.faults[.relapse] += 1
        node.effectsUntilCrash = rareRandom.index(6)
        if rareRandom.chance(permille: 400) { node.relapsesLeft = rareRandom.within(3...12) }
        log.write(now, .process, "\(node.id) shall not run for long")
    }

    /// A leader that changes the members, alone with those it takes in, or alone altogether: the others go by the
    /// former configuration, and may cut off its own.
    func ambush(_ node: SimulatedNode, whichPersists batch: Batch) {
        guard phase == .chaos, scenario.members.changeCutPermille > 0,
            let raft = node.replica?.raft, raft.role == .leader,
            batch.entries.contains(where: {
                if case .configuration = $0.payload { true } else { false }
            }),
            let (_, committed) = invariants.committedConfiguration,
            plotRandom.chance(permille: scenario.members.changeCutPermille)
        else { return }
        report.faults[.changeCutShort] += 1
        let election = scenario.settings.raft.electionNanoseconds
        let length = plotRandom.within(2 * election...8 * election)
        let isAlone = plotRandom.chance(permille: 500)
        let others = nodes.filter {
            $0 !== node && (isAlone || committed.isVoter($0.id))
        }
        let side = isAlone ? [node] : nodes.filter { one in !others.contains { $0 === one } }
        cutLinks(from: side, to: others, for: length)
        cutLinks(from: others, to: side, for: length)
        let names = side.map(\.id.name).joined(separator: ", ")
        log.write(now, .network, "\(names) by themselves while \(node.id) changes the members")
    }

    /// A leader whose log grows while nobody hears it. By the time it is heard again the others have committed other
    /// entries in those places, and have a snapshot of them.
    func ambush(leaderWithMuchToSay node: SimulatedNode) {
        guard phase == .chaos, rareRandom.chance(permille: scenario.node.unheardLeaderPermille)
        else { return }
        report.faults[.leaderUnheard] += 1
        let length: Nanoseconds = rareRandom.within(500_000_000...4_000_000_000)
        cutLinks(from: [node], to: nodes, for: length)
        cutLinks(from: nodes, to: [node], for: length)
        log.write(
            now, .network, "nobody hears \(node.id) for \(length / 1_000_000) ms, with much to say")
        if plotRandom.chance(permille: scenario.node.unheardCrashPermille) {
            after(length - 10_000_000, .crash(node: node.number, life: node.life))
        }
        var time: Nanoseconds = 0
        for number in 0..<Self.entriesUnheard {
            var spec = TaskSpec(handler: "echo")
            // Some attempts never end, and recovery is not waited for as long as the default.
            spec.timeoutMilliseconds = 2_000
            spec.payload =
                Oracle.uniqueMark + Array("\"unheard \(node.id) \(now) \(number)\"}".utf8)
            let token = clients.open(
                .submit(spec), node: node.number, life: node.life, now: now, isProbe: false)
            time += rareRandom.within(200_000...2_000_000)
            after(
                time, .input(node: node.number, life: node.life, .request(token, .submit(spec))))
            after(time + 5_000_000_000, .clientDeadline(token))
        }
    }

    private static let entriesUnheard = 100

    /// A worker that hears late that its leader has heard it, and is not heard any more. What it may do until when counts
    /// from its own question.
    ///
    /// - Returns: how much later the message arrives.
    func ambush(
        _ leader: SimulatedNode, whichSends message: PeerMessage, to worker: SimulatedNode
    ) -> Nanoseconds {
        guard phase == .chaos, scenario.node.lateBeatPermille > 0, case .beatReply = message,
            plotRandom.chance(permille: scenario.node.lateBeatPermille)
        else { return 0 }
        report.faults[.beatAnsweredLate] += 1
        let timeout = scenario.settings.workerTimeoutNanoseconds
        cutLinks(from: [worker], to: [leader], for: 2 * timeout)
        log.write(now, .network, "\(worker.id) hears late from \(leader.id), and is not heard")
        return plotRandom.within(3 * timeout / 10...6 * timeout / 10)
    }

    func cutLinks(
        from senders: [SimulatedNode], to receivers: [SimulatedNode], for length: Nanoseconds
    ) {
        var links: [(from: Int, to: Int)] = []
        for sender in senders {
            for receiver in receivers where receiver !== sender {
                links.append((sender.number, receiver.number))
            }
        }
        let partition = network.cut(links)
        after(length, .heal(partition: partition))
    }
}
