import Raft

/// Which disks may be damaged without asking more of the cluster than any could give (Alagappan et al.,
/// "Protocol-Aware Recovery for Consensus-Based Storage", 2018).
///
/// Before a disk is damaged, or lost, these must hold with that one gone:
/// - in each half of the configuration the nodes that are not whole are a minority, so that an election needs none of
///   them, and every quorum that an entry was ever counted on has a whole node left; so also among those who stay, if
///   somebody is to leave;
/// - some other voter is whole and has everything that is committed.
///
/// Both together say that each committed entry stays intact somewhere until the damaged ones have fetched it. It is
/// on the cautious side where it is hard: while a configuration stands in a log and is not committed, nothing is
/// damaged. A member whose disk was lost is not whole until another identity has taken its place.
struct FaultAtlas {
    /// The committed one, and no log has another.
    var configuration: Configuration
    /// The voters that are not to leave.
    var staying: [NodeID]
    /// Those whose disk has all that it ever had.
    var whole: Set<NodeID>
    /// Those of them that have everything that is committed.
    var complete: Set<NodeID>

    func mayLose(_ node: NodeID) -> Bool {
        configuration.isVoter(node) && isMinorityGone(from: configuration.voters, with: node)
            && isMinorityGone(from: configuration.outgoing, with: node)
            && isMinorityGone(from: staying, with: node)
            && complete.contains { $0 != node && configuration.voters.contains($0) }
    }

    private func isMinorityGone(from voters: [NodeID], with node: NodeID) -> Bool {
        let left = voters.count { whole.contains($0) && $0 != node }
        return voters.isEmpty || left * 2 > voters.count
    }
}
