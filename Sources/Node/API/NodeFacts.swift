import Raft
import Scheduler

/// What the API needs of the node around it.
struct NodeFacts {
    let clock: () -> Clock
    /// Read off for `/metrics`.
    let gauges: () -> MetricsGauges
    /// A connection to that peer is up.
    let isConnected: (NodeID) -> Bool
    /// When a worker was last heard, as far as this node knows: only the leader does.
    let lastHeartbeat: (_ worker: String) -> Milliseconds?
    /// Runs a body in the loop's next turn.
    let later: (@escaping () -> Void) -> Void
    /// Runs a body at a time of the monotonic clock.
    let schedule: (Nanoseconds, @escaping () -> Void) -> Void
}
