import Node
import Raft

/// The founder loses its disk as soon as its cluster is founded, and is back at once, under another identity. Some of
/// the others know of the cluster; some, as many as a majority needs beside the founder, do not, and can't ask them. If
/// these were enough for founding, there would be two clusters.
extension Simulation {
    private var election: Nanoseconds { scenario.settings.raft.electionNanoseconds }

    func ambush(founder node: SimulatedNode) {
        guard scenario.node.losesFounder, !isFounderDoomed, phase == .chaos, node.number == 0,
            invariants.committedConfiguration == nil
        else { return }
        isFounderDoomed = true
        let founders = nodes.filter(\.isFounder)
        let unaware = Array(founders.suffix(founders.count / 2))
        let aware = founders.filter { one in !unaware.contains { $0 === one } }
        cutLinks(from: [node], to: unaware, for: election / 2)
        for one in aware where one !== node {
            cutLinks(from: [one], to: unaware, for: 6 * election)
            cutLinks(from: unaware, to: [one], for: 6 * election)
        }
        log.write(now, .network, "\(unaware.map(\.id.name)) do not hear that there is a cluster")
        after(election / 2, .founderLost(node: node.number, life: node.life))
    }

    func loseFounder(_ node: SimulatedNode) throws(Violation) {
        guard phase == .chaos, invariants.committedConfiguration != nil, maySuffer(node),
            try loseDisk(node)
        else { return }
        report.faults[.founderLost] += 1
        try restart(node)
    }
}
