/// What must hold at any time, checked in release builds as well: a node that finds itself broken stops
/// before it can spread the damage.
extension Raft {
    /// The facts that only ever change in one direction.
    struct Standing {
        let role: Role
        let leader: NodeID?
        let hardState: HardState
        let commit: Index
        let snapshot: Index
        let last: Index

        init(_ raft: Raft) {
            role = raft.role
            leader = raft.leader
            hardState = raft.hardState
            commit = raft.commitIndex
            snapshot = raft.log.snapshotMark.index
            last = raft.log.lastIndex
        }

        func isOtherLeadership(than other: Standing) -> Bool {
            role != other.role || leader != other.leader || hardState.term != other.hardState.term
        }
    }

    func checkDelta(from before: Standing, to after: Standing) {
        precondition(after.hardState.term >= before.hardState.term, "the term fell")
        precondition(after.commit >= before.commit, "the commit index fell")
        precondition(after.snapshot >= before.snapshot, "the snapshot went back")
        guard after.hardState.term == before.hardState.term else { return }
        if let vote = before.hardState.vote {
            precondition(after.hardState.vote == vote, "a second vote in one term")
        }
        if before.role == .leader, after.role == .leader {
            precondition(after.last >= before.last, "a leader cut its own log")
        }
        precondition(
            after.role != .leader || before.role == .leader || before.role == .candidate,
            "a leader without a vote")
    }

    func checkBasic() {
        precondition(log.base.index <= log.snapshotMark.index)
        precondition(log.snapshotMark.index <= commitIndex, "a snapshot of what is not committed")
        precondition(commitIndex <= log.lastIndex, "committed entries are missing")
        precondition(durability.durableIndex <= log.lastIndex)
        precondition(
            durability.handedIndex == log.lastIndex, "a turn ended with entries not handed over")
        precondition(log.lastTerm <= term, "the log is ahead of the term")
        precondition((role == .leader) == (leadership != nil))
        precondition((role == .candidate || role == .preCandidate) == (campaign != nil))
        precondition((role == .leader) == (leader == id))
        precondition(role == .follower || !isDamaged, "a candidate with a damaged disk")
        guard let leadership else { return }
        precondition(durability.isHardStateDurable, "leading in a term that is not on disk")
        for peer in leadership.peers {
            precondition(peer.match < peer.next && peer.match <= log.lastIndex)
            precondition(peer.next <= log.lastIndex + 1)
        }
    }
}
