/// What can be asked of the state machine. Each has exactly one outcome (`Outcome`). Large cases are boxed, so that the
/// frequent ones are small.
public enum Command: Equatable, Sendable {
    indirect case submit(TaskSpec)
    case cancel(TaskID)
    /// Runs a dead, cancelled or expired task again, with fresh attempts.
    case retry(TaskID)
    case finish(Finish)
    /// Forgets a task that has ended, before its time.
    case deleteTask(TaskID)
    /// Creates or replaces; `paused` nil: as it is, and a new one is not. `next` is computed by the proposer, nil: never
    /// due.
    indirect case putSchedule(
        name: String, ScheduleSpec, paused: Bool?, next: Milliseconds?,
        replacing: Replacement? = nil)
    case pauseSchedule(name: String)
    /// Occurrences while it was paused are recorded as skipped, not run.
    indirect case resumeSchedule(name: String, Resumption)
    /// Runs it once at log time, out of turn.
    case triggerSchedule(name: String, key: String? = nil)
    case deleteSchedule(name: String)
    /// A worker is there, or is there again: running attempts of an older incarnation are lost.
    indirect case registerWorker(WorkerSpec)
    /// Nothing new is assigned; what runs may finish.
    case drainWorker(id: String, incarnation: UInt64)
    case undrainWorker(id: String, incarnation: UInt64)
    /// The leader missed its heartbeats, or it said that it leaves. What it ran is assigned elsewhere.
    case workerLost(id: String, incarnation: UInt64)
    /// Log time reaches the entry's time: whatever is due happens.
    case advance([Firing])
    /// The members the cluster was founded with, in the order of names; the first of these commands counts.
    case adoptMembers([Member])
    /// As it says of itself, so that it is known from the beginning what it can apply.
    indirect case addMember(NodeRecord)
    /// Of this directory only: said again late, it must not mean whoever came in its place.
    case removeMember(name: String, directory: UInt64)
    /// What a node says of itself.
    indirect case announceNode(NodeRecord)
    /// Every member can apply commands by the rules of this version.
    case raiseStateVersion(UInt32)
    /// All tasks of a workflow, or none.
    indirect case submitGraph(GraphSpec)
    /// Cancels those of its tasks that have not ended.
    case cancelWorkflow(WorkflowID)
    /// Replaces what was said of the queue; `paused` nil: as it is. `isInitial`: from a configuration, which counts
    /// only until somebody has said something of the queue.
    indirect case putQueue(name: String, QueueSpec, paused: Bool?, isInitial: Bool)
    /// Nothing of the queue is started; what runs goes on.
    case pauseQueue(name: String)
    case resumeQueue(name: String)
    /// Forgets what was said of the queue. It goes, unless tasks name it.
    case resetQueue(name: String)
    /// A worker that is no node begins a session, whose number is the outcome: the log gives it, and the incarnation
    /// given here means nothing. A former session of that name ends with what it ran. `key`: who asks again with it, or late,
    /// gets the session that he had got, and ends none.
    indirect case attachWorker(WorkerSpec, key: String? = nil)
    indirect case reportProgress(ProgressReport)
    indirect case beginBulkJob(BulkSpec)
    case stopBulkJob(BulkJobID)
    /// Makes up for occurrences in the past; refused unless the schedule has this revision.
    indirect case startBackfill(name: String, revision: UInt64, Backfill)
    case cancelBackfill(name: String)
    indirect case fillBack(BackfillPortion)
    /// As the leader's configuration has it.
    indirect case setRetention(Retention)
    /// Creates or replaces; the body is JSON that whoever proposes it has checked.
    case putTemplate(name: String, body: [UInt8])
    case deleteTemplate(name: String)
    /// Replaces what was said of the namespace.
    indirect case putNamespace(
        name: String, NamespaceQuota, retention: NamespaceRetention = NamespaceRetention())
    case deleteNamespace(name: String)
    /// What an attempt left of a log whose end was not asked for: it was cancelled, timed out or lost before.
    indirect case noteLog(LogReport)
    /// These tasks are on record elsewhere, as they were, and may go.
    case dropExported([Departure])
}

public struct WorkerSpec: Equatable, Sendable {
    public var id: String
    /// Rises with each start of the worker's process.
    public var incarnation: UInt64
    public var slots: UInt32
    /// Sorted, without duplicates.
    public var handlers: [String]
    public var tags: [String]

    public init(
        id: String, incarnation: UInt64, slots: UInt32, handlers: [String], tags: [String]
    ) {
        self.id = id
        self.incarnation = incarnation
        self.slots = slots
        self.handlers = handlers
        self.tags = tags
    }
}

/// The end of an attempt, as its worker reports it. Accepted only while (task, attempt, fence) is current.
public struct Finish: Equatable, Sendable {
    public var task: TaskID
    public var attempt: UInt32
    public var fence: UInt64
    public var result: AttemptResult
    /// What it wrote to its log, if that was kept.
    public var log: Log?
    /// false: its handler surely never began. So it may be given to somebody else even if it must not run twice.
    public var hasBegun: Bool

    public struct Log: Equatable, Sendable {
        public var bytes: UInt32
        /// Which node keeps it; empty: every node reaches it.
        public var node: String

        public init(bytes: UInt32, node: String) {
            self.bytes = bytes
            self.node = node
        }
    }

    public init(
        task: TaskID, attempt: UInt32, fence: UInt64, result: AttemptResult, log: Log? = nil,
        hasBegun: Bool = true
    ) {
        self.task = task
        self.attempt = attempt
        self.fence = fence
        self.result = result
        self.log = log
        self.hasBegun = hasBegun
    }

    /// As its task remembers it.
    public var attemptLog: AttemptLog? {
        log.map { AttemptLog(attempt: attempt, fence: fence, bytes: $0.bytes, node: $0.node) }
    }
}

public enum AttemptResult: Equatable, Sendable {
    /// JSON, kept and returned byte for byte.
    case succeeded([UInt8])
    /// The result is larger than the state takes, and is in a store already.
    case stored(StoredOutput)
    case failed(Failure)
    /// Handed back without an attempt being spent: the worker is shutting down.
    case returned

    public struct Failure: Equatable, Sendable {
        public var message: String
        /// `error`, `timeout`, `exit`, `temporary`, `signal`, `http`, `connection`, `payload`, …
        public var kind: String
        /// false: no further attempt.
        public var isRetryable: Bool
        /// Overrides the policy's delay.
        public var retryAfterMilliseconds: Milliseconds?

        public init(
            message: String, kind: String, isRetryable: Bool = true,
            retryAfterMilliseconds: Milliseconds? = nil
        ) {
            self.message = message
            self.kind = kind
            self.isRetryable = isRetryable
            self.retryAfterMilliseconds = retryAfterMilliseconds
        }
    }
}
