import Node
import Raft

/// A vote that its candidate hears of only when it stands again, in a later term and unheard by all: whoever counts it
/// then leads beside the one whom the others elect in that term.
struct HeldVote {
    let candidate: NodeID
    let voter: NodeID
    let term: Term
    let message: PeerMessage
}

extension Simulation {
    /// - Returns: whether the message is lost, or held.
    func isVoteHeld(_ message: PeerMessage, from node: SimulatedNode, to target: NodeID) -> Bool {
        guard phase == .chaos, scenario.node.heldVotePermille > 0, case .raft(let body) = message
        else { return false }
        switch body.body {
        case .voteReply(granted: true):
            if let held = heldVote {
                return held.candidate == target && held.term == body.term
            }
            guard voters.count == 3, plotRandom.chance(permille: scenario.node.heldVotePermille)
            else { return false }
            report.faults[.voteHeld] += 1
            heldVote = HeldVote(
                candidate: target, voter: node.id, term: body.term, message: message)
            log.write(now, .network, "\(target) shall not hear that \(node.id) votes for it")
            return true
        case .voteRequest:
            guard let held = heldVote, held.candidate == node.id, held.term < body.term else {
                return false
            }
            heldVote = nil
            let length = 6 * scenario.settings.raft.electionNanoseconds
            cutLinks(from: [node], to: nodes, for: length)
            cutLinks(from: nodes, to: [node], for: length)
            log.write(now, .network, "\(node.id) hears of the vote of term \(held.term), alone")
            after(
                200_000,
                .input(
                    node: node.number, life: node.life,
                    .peer(from: held.voter, held.message)))
            return true
        default: return false
        }
    }
}
