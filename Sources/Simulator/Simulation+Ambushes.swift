import Node
import Raft

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
