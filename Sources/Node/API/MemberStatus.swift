import Raft

/// A member of the cluster as this node sees it.
struct MemberStatus: Equatable {
    enum Role: String {
        case leader, follower, learner
    }

    let id: NodeID
    let role: Role
    /// The leader hears it, or this node is connected to it.
    let isAlive: Bool
    /// The last log index that is stored there; only the leader knows of others.
    let match: Index?
    /// How many entries of the leader's log are missing there.
    let lag: Index?
}

extension APIContext {
    /// Sorted by id.
    func members() -> [MemberStatus] {
        gateway.replica.raft.configuration.members.map(member)
    }

    private func member(_ id: NodeID) -> MemberStatus {
        let isLeader = gateway.replica.raft.leader == id
        let isVoter = gateway.replica.raft.configuration.isVoter(id)
        let role: MemberStatus.Role = isLeader ? .leader : isVoter ? .follower : .learner
        let lastIndex = gateway.replica.raft.lastIndex
        if id.name == node {
            return MemberStatus(
                id: id, role: role, isAlive: true, match: lastIndex, lag: isLeader ? 0 : nil)
        }
        guard let progress = gateway.replica.raft.peerProgress(id) else {
            return MemberStatus(
                id: id, role: role, isAlive: facts.isConnected(id), match: nil, lag: nil)
        }
        // A peer that has not answered for an election's time would not follow any more either.
        let electionNanoseconds = gateway.replica.settings.raft.electionNanoseconds
        let isAlive = progress.lastContact + electionNanoseconds > facts.clock().monotonic
        return MemberStatus(
            id: id, role: role, isAlive: isAlive, match: progress.match,
            lag: lastIndex - min(progress.match, lastIndex))
    }
}
