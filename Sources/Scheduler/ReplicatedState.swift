/// What replicas agree on, byte for byte: all that a snapshot holds. Kept in buckets, so that a copy costs a few
/// thousand references and a mutation after it copies one bucket.
struct ReplicatedState: Sendable {
    /// Of the log; never goes back.
    var time: Milliseconds = 0
    var appliedIndex: UInt64 = 0
    var digest: UInt64 = 0
    var nextTask: UInt64 = 1
    var nextRevision: UInt64 = 1
    var roster = Roster()
    var tasks = TaskTable()
    var namespaces = NamespaceTable()
    var profiles = ProfileTable()
    var queues = QueueTable()
    var workers = WorkerTable()
    /// Sorted by origin, in byte order.
    var sessions: [Session] = []
    var keys = KeyLog()
    var schedules = ScheduleTable()
    var templates = TemplateTable()
    /// Ends of tasks that their successors have yet to be told of.
    var endings = EndingQueue()
    var jobs = BulkJobTable()
    var keyBuckets = KeyBucketTable()
    /// Where groups of parked tasks wait that have several gates (`KeyGates`): which one it is depends on what was before.
    var groupGates = Shards<UInt64, UInt64>()
    var retention = Retention()

    init() {}
}

/// What is found out from the state and kept for speed. Never in a snapshot, and never shared with a copy of
/// the state, or the first mutation after a copy would copy megabytes.
struct DerivedIndex: Sendable {
    /// By hash of the profile's bytes; several profiles may have one hash.
    var profileNumbers: [UInt64: [UInt32]] = [:]
    /// Most submissions have the profile of the one before.
    var lastProfile: UInt32?
    var namespaceNumbers = [Namespace.standard.name: NamespaceTable.standard]
    var queueNumbers: [String: UInt32] = [:]
    /// Sorted by bytes.
    var queueNames: [String] = []
    var workerNumbers: [String: UInt32] = [:]
    /// Workers with a record, ascending.
    var knownWorkers: [UInt32] = []
    var dispatch = Dispatch()
    var wakes = Wakes()
    var kept = KeptTasks()
    var dependents = Dependents()
    var keys = KeyIndex()
    var cache = ResultCache()
    var keyGates = KeyGates()
    var scheduleNames = Shards<UInt64, String>()
    /// Tasks of schedules, by the schedule's name, that have not ended.
    var unfinished = Shards<String, Set<UInt64>>()
    /// Likewise, of those that backfills made.
    var unfinishedBackfills: [String: Set<UInt64>] = [:]
    /// Hashes of the ids of all occurrences whose tasks are there.
    var occurrences = Shards<UInt64, Int>()
    /// Schedules whose backfills run.
    var backfills: Set<String> = []
    /// Schedules whose last unfinished task ended in this entry while an occurrence waited for that.
    var released: [String] = []
    /// Ends of this entry that somebody wants to be told of.
    var notices: [Webhook.Notice] = []
    /// By `TaskState.rawValue`.
    var counts = [Int](repeating: 0, count: TaskState.allCases.count)
    var nextWake: Milliseconds?
    /// The same but for schedules and their backfills.
    var nextWakeBesidesSchedules: Milliseconds?
}
