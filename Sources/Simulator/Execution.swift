import Raft
import Scheduler

/// An attempt that a worker was told to run.
struct Execution {
    enum Cause: Sendable {
        /// It came to its end, or to its time-out.
        case done
        /// Killed: the log took it back.
        case revoked
        /// Killed, or not begun at all: the node lost the leader for too long, or has no room. It is handed back.
        case handedBack
    }

    enum Owner: Sendable {
        case node(Int, life: Int)
        /// A worker outside of the cluster.
        case attached(Int)
    }

    let owner: Owner
    let assignment: Assignment
    let result: AttemptResult
    let startedAt: Nanoseconds
    /// Its handler has begun: until then it waits at its worker.
    var hasBegun = false
    var isRunning = true
    var isBeingKilled = false
}
