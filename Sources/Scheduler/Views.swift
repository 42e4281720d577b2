/// A task as clients see it: what was submitted, with what became of it.
public struct TaskView: Equatable, Sendable {
    public var id: TaskID
    public var spec: TaskSpec
    public var state: TaskState
    /// When it is or was due, after `delay` and `runAt` were resolved; rises with each back-off.
    public var dueAt: Milliseconds
    /// The current or last attempt; 0: none yet.
    public var attempt: UInt32
    public var worker: String?
    public var createdAt: Milliseconds
    public var startedAt: Milliseconds?
    public var finishedAt: Milliseconds?
    public var result: [UInt8]?
    /// Where the result is, if it is too large for the state.
    public var stored: StoredResult?
    public var error: AttemptError?
    public var progress: TaskProgress?
    /// Occurrence id, `name@time`.
    public var occurrence: String?
    public var schedule: String?
    public var workflow: WorkflowID?
    /// Oldest first; at most the last `Limits.maxAttemptHistory`.
    public var attempts: [AttemptView]
    /// Which attempts left a log, oldest first.
    public var logs: [AttemptLog] = []
    /// The task whose result answered it, so that it did not run.
    public var cachedFrom: TaskID?

    public struct AttemptError: Equatable, Sendable {
        public var message: String
        public var kind: String
        public var attempt: UInt32

        public init(message: String, kind: String, attempt: UInt32) {
            self.message = message
            self.kind = kind
            self.attempt = attempt
        }
    }
}

public struct AttemptView: Equatable, Sendable {
    public var number: UInt32
    public var worker: String
    public var startedAt: Milliseconds
    public var finishedAt: Milliseconds?
    /// `running`, `succeeded`, `failed`, `timeout`, `lost`, `cancelled`, `returned`.
    public var outcome: String
}

/// Which tasks a list shows; nil fields match everything.
public struct TaskFilter: Equatable, Sendable {
    public var states: [TaskState]?
    public var queue: String?
    public var handler: String?
    public var schedule: String?
    public var worker: String?
    public var tag: String?
    public var meta: [Label] = []
    /// Contained in id, handler, key or error message; whether letters from A to Z are capitals does not matter.
    public var text: String?
    /// `createdAt` in [since, until).
    public var since: Milliseconds?
    public var until: Milliseconds?
    public var workflow: WorkflowID?
    /// The other names are qualified.
    public var namespace: Namespace?

    public init() {}
}

/// Newest first. `next` continues below that id; nil: nothing older is left. A page may hold fewer items than
/// asked for, or none, and still have a `next`: the scan budget was spent.
public struct TaskPage: Equatable, Sendable {
    public var items: [TaskView]
    public var next: TaskID?
    /// Of the scan budget; more than that by what the last task's texts cost.
    public var spent: Int
}

public struct ScheduleView: Equatable, Sendable {
    public var name: String
    public var revision: UInt64
    public var spec: ScheduleSpec
    public var isPaused: Bool
    public var createdAt: Milliseconds
    public var next: Milliseconds?
    public var last: Milliseconds?
    public var lastTask: TaskID?
    /// An occurrence that waits for those before it to end.
    public var buffered: Milliseconds?
    /// The release of the time-zone data by which `next` was computed.
    public var zoneData: String?
    public var ran: UInt64
    public var skipped: UInt64
    public var missed: UInt64
    public var expired: UInt64
    /// Made up for; not among those that ran.
    public var backfilled: UInt64 = 0
    /// The last one.
    public var backfill: Backfill?
}

/// How one occurrence of a schedule ended, or several in a row.
public struct OccurrenceView: Equatable, Sendable {
    /// Of the first.
    public var nominal: Milliseconds
    public var count: UInt32
    public var state: OccurrenceState
    public var reason: OccurrenceReason
    /// If it ran; the task may be gone.
    public var task: TaskID?
}

public struct WorkerView: Equatable, Sendable {
    public var spec: WorkerSpec
    public var state: State
    public var running: UInt32

    public enum State: UInt8, Sendable, CaseIterable {
        case live = 0
        case draining = 1
        case lost = 2

        public var name: String {
            switch self {
            case .live: "live"
            case .draining: "draining"
            case .lost: "lost"
            }
        }
    }
}

/// Which life of a worker is known, and how it stands.
public struct WorkerStanding: Equatable, Sendable {
    public var incarnation: UInt64
    public var state: WorkerView.State
    public var running: Int
}

public struct Counts: Equatable, Sendable {
    /// By `TaskState.rawValue`.
    public var tasksByState: [Int]
    public var schedules: Int
    public var workers: Int
    public var rememberedKeys: Int
}
