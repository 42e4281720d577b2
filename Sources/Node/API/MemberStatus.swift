import Raft

/// A member of the cluster as this node sees it.
struct MemberStatus: Equatable {
    enum Role: String {
        case leader, follower, learner
    }

    enum Change: String {
        case joining, leaving
    }

    let id: NodeID
    let role: Role
    /// On its way to be a voter, or to be none, until that is committed and the joint configuration behind it;
    /// nil: it stays what it is.
    let change: Change?
    /// The leader hears it, or this node is connected to it.
    let isAlive: Bool
    /// The last log index that is stored there; only the leader knows of others.
    let match: Index?
    /// How many entries of the leader's log are missing there.
    let lag: Index?
}

extension APIContext {
    /// Sorted by id; with those that are to be members and are not even learners yet, and those that have left and
    /// may yet be needed again.
    func members() -> [MemberStatus] {
        let wanted = gateway.replica.scheduler.members.map {
            NodeID($0.name, directory: $0.directory)
        }
        let raft = gateway.replica.raft
        var members = raft.configuration.members
        for id in raft.settledVoters + wanted where !members.contains(id) { members.append(id) }
        return members.sorted().map { member($0, wanted) }
    }

    func member(_ id: NodeID) -> MemberStatus? { members().first { $0.id == id } }

    private func change(of id: NodeID, _ wanted: [NodeID]) -> MemberStatus.Change? {
        guard !wanted.isEmpty else { return nil }
        guard wanted.contains(id) else { return .leaving }
        return gateway.replica.raft.settledVoters.contains(id) ? nil : .joining
    }

    private func member(_ id: NodeID, _ wanted: [NodeID]) -> MemberStatus {
        let change = change(of: id, wanted)
        let isLeader = gateway.replica.raft.leader == id
        let isVoter = gateway.replica.raft.configuration.isVoter(id)
        let role: MemberStatus.Role = isLeader ? .leader : isVoter ? .follower : .learner
        let lastIndex = gateway.replica.raft.lastIndex
        if id == gateway.replica.id {
            return MemberStatus(
                id: id, role: role, change: change, isAlive: true, match: lastIndex,
                lag: isLeader ? 0 : nil)
        }
        guard let progress = gateway.replica.raft.peerProgress(id) else {
            return MemberStatus(
                id: id, role: role, change: change, isAlive: facts.isConnected(id), match: nil,
                lag: nil)
        }
        // A peer that has not answered for an election's time would not follow any more either.
        let electionNanoseconds = gateway.replica.settings.raft.electionNanoseconds
        let isAlive = progress.lastContact + electionNanoseconds > facts.clock().monotonic
        return MemberStatus(
            id: id, role: role, change: change, isAlive: isAlive, match: progress.match,
            lag: lastIndex - min(progress.match, lastIndex))
    }
}
