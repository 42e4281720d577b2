/// What the table keeps of every task: 96 bytes, besides payload and result. Whatever few tasks have is in `extra`.
struct TaskRecord: Sendable {
    var payload: [UInt8]
    var extra: TaskExtra?
    /// Of a task that succeeded, unless it is in a store (`TaskExtra.Fields.stored`).
    var result: [UInt8]?
    var dueAt: Milliseconds
    var createdAt: Milliseconds
    /// Of the current or last attempt.
    var startedAt: Milliseconds = 0
    /// Of the task if it is final, else the end of the last attempt.
    var finishedAt: Milliseconds = 0
    /// Of the current or last attempt.
    var fence: UInt64 = 0
    /// Its turn among the tasks of its queue and priority (`Flow`), since it last got ready.
    var tag: UInt64 = 0
    var profile: UInt32
    /// Name of the worker of the current or last attempt; `noWorker` before the first one.
    var worker: UInt32 = Self.noWorker
    var attempt: UInt32 = 0
    /// What the current attempt gives back to its queue's breaker (`Breaker.started`).
    var probe: UInt32 = 0
    /// Attempts that count against the budget: those whose handler failed or took too long.
    var spent: UInt16 = 0
    /// Attempts whose worker was lost or handed the task back.
    var losses: UInt8 = 0
    var state: TaskState
    var priority: UInt8
    var lastOutcome = AttemptOutcome.none
    /// Waits, and not in its lane: others with the same value under a key run (`KeyGates`).
    var isParked = false

    static let noWorker = UInt32.max

    /// Order among the first ones of lanes and priorities: the due time, with a head start of
    /// `Limits.ageingMilliseconds` for each step of priority.
    var startKey: UInt64 {
        UInt64(dueAt + Milliseconds(9 - priority) * Limits.ageingMilliseconds)
    }

    var isKeyed: Bool { !(extra?.fields.limitKeys.isEmpty ?? true) }

    /// Which flow of its queue it belongs to; nil: that of the tasks without a routing key.
    var flow: UInt64? { extra?.fields.routingKey.map(StableHash.of) }
}

/// The rare parts of a task. Never changed, only replaced: a snapshot being written on another thread reads the
/// same object.
final class TaskExtra: Sendable {
    let fields: Fields

    init(_ fields: Fields) {
        self.fields = fields
    }

    struct Fields: Equatable, Sendable {
        var key: String?
        var routingKey: String?
        var meta: [Label] = []
        var occurrence: String?
        var schedule: String?
        var error: TaskView.AttemptError?
        /// Attempts before the one that the record describes.
        var history: [PastAttempt] = []
        var dependencies: Dependencies?
        var workflow: WorkflowMembership?
        /// Of the current or last attempt.
        var progress: TaskProgress?
        /// When its overall time-out is over, since it could first start.
        var deadline: Milliseconds?
        var webhook: String?
        /// Instead of `TaskRecord.result`, if that is too large for the state.
        var stored: StoredResult?
        /// Oldest first, at most one for each attempt.
        var logs: [AttemptLog] = []
        /// The task whose result answered it.
        var cachedFrom: TaskID?

        /// Its values under the keys that its queue limits (`KeyLimit`).
        var limitKeys: [Label] = []
        /// A backfill made it; it is no matter of its schedule's overlap.
        var isBackfilled = false
        /// The name of the template that the task was made from.
        var template: String?
    }

    struct PastAttempt: Equatable, Sendable {
        var number: UInt32
        var worker: String
        var startedAt: Milliseconds
        var finishedAt: Milliseconds
        var outcome: AttemptOutcome
    }
}

extension TaskRecord {
    /// What those that wait for the task get of it, once it has succeeded.
    var handedOver: [UInt8]? { result ?? extra?.fields.stored?.reference }

    mutating func changeExtra(_ change: (inout TaskExtra.Fields) -> Void) {
        var fields = extra?.fields ?? TaskExtra.Fields()
        change(&fields)
        extra = TaskExtra(fields)
    }
}
