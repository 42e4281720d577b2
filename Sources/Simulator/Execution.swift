import Raft
import Scheduler

/// An attempt that a worker was told to run.
struct Execution {
    enum Cause: Sendable {
        /// It came to its end, or to its time-out.
        case done
        /// Killed: the log took it back.
        case revoked
        /// Killed: the node lost the leader for too long. It is handed back.
        case leaseLost
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
    var isRunning = true
    var isBeingKilled = false
}
