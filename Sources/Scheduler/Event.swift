/// What applying an entry brought about, in order; the same on every node.
public enum Event: Equatable, Sendable {
    case outcome(origin: String, incarnation: UInt64, sequence: UInt64, Outcome)
    case assigned(Assignment)
    /// A running attempt is no longer wanted (cancelled, timed out by the log, worker lost): its worker stops it.
    case revoked(worker: String, incarnation: UInt64, task: TaskID, attempt: UInt32)
    case taskChanged(TaskID, TaskState)
    case scheduleFired(schedule: String, nominal: Milliseconds, TaskID)
    /// `count` occurrences of the schedule from `nominal` on ended without a task.
    case occurrencesPassed(
        schedule: String, nominal: Milliseconds, count: UInt32, OccurrenceState, OccurrenceReason)
    case workerChanged(id: String)
    /// It was put, paused or resumed.
    case queueChanged(name: String)
}

/// An attempt that a worker has to start. Committed before it is launched.
public struct Assignment: Equatable, Sendable {
    public var worker: String
    public var incarnation: UInt64
    public var task: TaskID
    /// From 1.
    public var attempt: UInt32
    /// The fencing token: the log index at which the attempt was assigned; rises with every attempt of a task.
    public var fence: UInt64
    public var handler: String
    public var payload: [UInt8]
    public var timeoutMilliseconds: Milliseconds
    /// When the task was due.
    public var scheduledAt: Milliseconds
    /// Log time of the assignment.
    public var assignedAt: Milliseconds
    /// Occurrence id `name@time` and schedule name, if a schedule made it.
    public var occurrence: String?
    public var schedule: String?
    /// Of the tasks it waited for, by their ids, ascending.
    public var inputs: [TaskInput]
    /// The other names are those within it.
    public var namespace: Namespace
    public var delivery: TaskSpec.Delivery

    public init(
        worker: String, incarnation: UInt64, task: TaskID, attempt: UInt32, fence: UInt64,
        handler: String, payload: [UInt8], timeoutMilliseconds: Milliseconds,
        scheduledAt: Milliseconds, assignedAt: Milliseconds, occurrence: String?, schedule: String?,
        inputs: [TaskInput] = [], namespace: Namespace = .standard,
        delivery: TaskSpec.Delivery = .atLeastOnce
    ) {
        self.worker = worker
        self.incarnation = incarnation
        self.task = task
        self.attempt = attempt
        self.fence = fence
        self.handler = handler
        self.payload = payload
        self.timeoutMilliseconds = timeoutMilliseconds
        self.scheduledAt = scheduledAt
        self.assignedAt = assignedAt
        self.occurrence = occurrence
        self.schedule = schedule
        self.inputs = inputs
        self.namespace = namespace
        self.delivery = delivery
    }
}

public enum TaskState: UInt8, Sendable, CaseIterable {
    case scheduled = 0
    /// Waits for other tasks.
    case blocked = 1
    case ready = 2
    case running = 3
    case succeeded = 4
    case dead = 5
    case cancelled = 6
    case expired = 7

    /// As it stands in the API.
    public var name: String {
        switch self {
        case .scheduled: "scheduled"
        case .blocked: "blocked"
        case .ready: "ready"
        case .running: "running"
        case .succeeded: "succeeded"
        case .dead: "dead"
        case .cancelled: "cancelled"
        case .expired: "expired"
        }
    }

    public var isFinal: Bool { rawValue >= TaskState.succeeded.rawValue }
}
