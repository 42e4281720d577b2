/// Something that holds a task back.
public enum Constraint: Equatable, Sendable {
    /// `isRetry`: it has failed, and waits for its next attempt.
    case notDue(until: Milliseconds, isRetry: Bool)
    /// It waits for this task, in that state; nil: which is not kept any more, of whose end it has yet to hear.
    case dependency(TaskID, TaskState?)
    /// It waits for so many tasks more.
    case moreDependencies(Int)
    case queuePaused(String)
    /// As many of the queue run as may.
    case queueConcurrency(String, running: Int, limit: Int)
    /// As many of the namespace run as may.
    case quota(Namespace, running: Int, limit: Int)
    /// The queue's rate lets nothing start before.
    case queueRate(String, until: Milliseconds)
    /// The queue's breaker lets nothing start before.
    case breakerOpen(String, until: Milliseconds)
    /// As many attempts as the breaker lets through for a trial have started.
    case breakerHalfOpen(String, probes: UInt32)
    /// Others of its queue with the same value under a key run, have started lately, or are before it.
    case keyLimit(queue: String, KeyHold)
    /// No live worker has the handler; these, sorted, would be able to run it.
    case noWorker(handler: String, draining: [String], lost: [String])
    /// Live workers have the handler, and none of them has all of these tags; these others, sorted, have.
    case noWorkerWithTags(handler: String, tags: [String], draining: [String], lost: [String])
    /// The workers that can run it have no free slot.
    case slotsBusy(Busy)
    /// Nothing holds it: it runs. The log ends the attempt by `until`.
    case running(worker: String, attempt: UInt32, since: Milliseconds, until: Milliseconds)
    case ended(TaskState, at: Milliseconds)

    public struct Busy: Equatable, Sendable {
        public var workers: Int
        public var slots: Int
        /// Tasks of its queue that are ready, itself included.
        public var waiting: Int
        /// It is the first one of its queue and priority among those for the same handler and tags.
        public var isFirst: Bool
    }

    /// As it stands in the API.
    public var name: String {
        switch self {
        case .notDue: "notDue"
        case .dependency, .moreDependencies: "dependency"
        case .queuePaused: "queuePaused"
        case .queueConcurrency: "queueConcurrency"
        case .quota: "quota"
        case .queueRate: "queueRate"
        case .breakerOpen: "breakerOpen"
        case .breakerHalfOpen: "breakerHalfOpen"
        case .keyLimit: "keyLimit"
        case .noWorker: "noWorker"
        case .noWorkerWithTags: "noWorkerWithTags"
        case .slotsBusy: "slotsBusy"
        case .running: "running"
        case .ended: "ended"
        }
    }

    /// When it will be over by itself, as far as that is known.
    public var until: Milliseconds? {
        switch self {
        case .notDue(let until, _), .queueRate(_, let until), .breakerOpen(_, let until),
            .running(_, _, _, let until):
            until
        case .keyLimit(_, let hold): hold.nextTokenAt
        default: nil
        }
    }
}

/// Why a task does not run.
public struct Explanation: Equatable, Sendable {
    public var task: TaskID
    public var state: TaskState
    /// Everything that holds it back now, and what waits behind that: a task that is not due names the paused queue as
    /// well. Never empty.
    public var constraints: [Constraint]
    /// If it has not started by then, it expires.
    public var expiresAt: Milliseconds?
}
