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

    /// A node that has just repaired what a crash left crashes again, before its log has grown over it.
    func ambush(restarted node: SimulatedNode) {
        guard node.isUp, phase == .chaos, node.effectsUntilCrash == nil,
            rareRandom.chance(permille: scenario.node.relapsePermille)
        else { return }
        report.faults[.relapse] += 1
        node.effectsUntilCrash = rareRandom.index(6)
        log.write(now, .process, "\(node.id) shall not run for long")
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
