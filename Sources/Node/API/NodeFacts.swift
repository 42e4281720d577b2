import Raft
import Scheduler

/// What the API needs of the node around it.
struct NodeFacts {
    let clock: () -> Clock
    /// Read off for `/metrics`.
    let gauges: () -> MetricsGauges
    /// In the order of their ids.
    let members: () -> [MemberStatus]
    /// When a worker was last heard, as far as this node knows: only the leader does.
    let lastHeartbeat: (_ worker: String) -> Milliseconds?
    /// Runs a body in the loop's next turn.
    let later: (@escaping () -> Void) -> Void
    /// Runs a body at a time of the monotonic clock.
    let schedule: (Nanoseconds, @escaping () -> Void) -> Void
}

/// A member of the cluster as this node sees it.
struct MemberStatus: Equatable {
    enum Role: String {
        case leader, follower, learner
    }

    var id: String
    var role: Role
    /// nil: this node can't tell.
    var isAlive: Bool?
    /// The last log index that is known to be stored there, and how many entries are missing; only the
    /// leader knows.
    var match: Index?
    var lag: Index?
}
