/// What a member does at the moment. A learner is a follower that never campaigns.
public enum Role: Equatable, Sendable {
    case follower
    /// Asks whether it would be elected, without disturbing anybody (dissertation, section 9.6).
    case preCandidate
    case candidate
    case leader
}
