/// What a member does at the moment. A learner is a follower that never campaigns.
public enum Role: Equatable, Sendable {
    /// Answers, and waits for a leader or for its patience to end (section 5.2).
    case follower
    /// Asks whether it would be elected, without disturbing anybody (dissertation, section 9.6).
    case preCandidate
    /// Stands for election in `Raft.term`, with its own vote on the way to the disk (section 5.2).
    case candidate
    /// Won; perhaps deposed since, without knowing (section 6.4 of the dissertation is about that).
    case leader
}
