/// Limits of the replicated state. They take part in what a command decides, so they must be the same on
/// every node: with different limits replicas would diverge.
public enum Limits {
    /// The end of the year 9999: no time in the state is later, so that arithmetic on times can't overflow.
    public static let maxTime: Milliseconds = 253_402_300_799_999
    public static let maxPayloadBytes = 1 << 20
    /// Of a result in the state; a larger one is in a store, and the state knows where.
    public static let maxResultBytes = 64 << 10
    public static let maxStoredResultBytes: UInt64 = 8 << 20
    public static let maxCacheMilliseconds: Milliseconds = 30 * 86_400_000
    /// SHA-256.
    public static let checksumBytes = 32
    public static let maxErrorMessageBytes = 4 << 10
    public static let maxProgressNoteBytes = 255
    public static let maxNameBytes = 255
    public static let maxKeyBytes = 255
    public static let maxTags = 32
    public static let maxMetaLabels = 32
    public static let maxMetaBytes = 8 << 10
    public static let maxHandlersPerWorker = 1_024
    public static let maxSlotsPerWorker: UInt32 = 10_000
    public static let maxWorkers = 1_000
    /// Requests to attach that are remembered of a worker.
    static let maxAttachments = 16
    public static let maxMembers = 15
    /// A host name, a colon and a port.
    public static let maxAddressBytes = 300
    public static let maxSchedules = 200_000
    /// Of a schedule that names its instants one by one.
    public static let maxScheduleInstants = 1_000
    /// Of a schedule that is replaced: as many as may pass while the command is on its way.
    public static let maxUpcomingOccurrences = 16
    /// That run at the same time.
    public static let maxBackfills = 100
    public static let maxTemplates = 4_096
    public static let maxNamespaces = 1_000
    /// Of a namespace's name, which stands before those of what belongs to it.
    public static let maxNamespaceBytes = 63
    public static let maxTemplateBytes = 64 << 10
    public static let maxTasks = 20_000_000
    public static let maxQueues = 10_000
    public static let maxQueueConcurrency: UInt32 = 1_000_000
    public static let maxRateCount: UInt32 = 1_000_000
    /// Of a rate's period, and of the times of a breaker: a day.
    public static let maxRateMilliseconds: Milliseconds = 86_400_000
    public static let maxBreakerCount: UInt32 = 10_000
    /// Of a queue: each is looked up in every payload.
    public static let maxKeyLimits = 4
    /// A queue that is out of tokens opens when so much time has brought some, if that is more than one.
    public static let rateStepMilliseconds: Milliseconds = 10
    /// How much longer a task waits before it goes ahead of one that is higher by one step of priority.
    public static let ageingMilliseconds: Milliseconds = 30_000
    public static let maxAttempts: UInt32 = 1_000
    public static let maxAttemptHistory = 20
    /// Kinds of failures that one policy names.
    public static let maxRetryKinds = 32
    public static let maxWebhookBytes = 2 << 10
    /// Attempts that were lost with their worker, or handed back, spend nothing of the budget; a task that this
    /// happens to more often is dead, lest it bring down worker after worker for ever.
    public static let maxLosses: UInt8 = 100
    public static let maxDelayMilliseconds: Milliseconds = 10 * 365 * 86_400_000
    public static let maxTimeoutMilliseconds: Milliseconds = 30 * 86_400_000

    /// The log ends a running attempt this much after its time-out, if its worker has not done so itself.
    public static let timeoutGraceMilliseconds: Milliseconds = 10_000

    /// A key is remembered for this long after the task was submitted, whether or not the task is kept.
    public static let keyMemoryMilliseconds: Milliseconds = 24 * 3_600_000
    public static let maxRememberedKeys = 5_000_000

    /// Unless a `Retention` says otherwise, succeeded, cancelled and expired tasks are kept this long, and at most so
    /// many of them.
    public static let finishedRetentionMilliseconds: Milliseconds = 24 * 3_600_000
    public static let maxFinishedTasks = 200_000
    /// The most that a retention may keep.
    public static let maxKeptTasks = 5_000_000
    public static let deadRetentionMilliseconds: Milliseconds = 30 * 86_400_000
    public static let maxDeadTasks = 200_000
    /// Of one command that drops tasks which are on record.
    public static let maxDepartures = 10_000
    /// Entries looked at for them, most of which may be stale.
    public static let maxDepartureLooks = 20_000

    /// Forgetting (of tasks, keys, workers) happens at whole multiples of this: many at once, in few entries.
    public static let housekeepingMilliseconds: Milliseconds = 1_000

    /// Nodes whose requests are remembered, and outcomes remembered of each.
    public static let maxOrigins = 1_000
    public static let maxOutcomesPerOrigin = 500_000

    /// A worker that is lost is forgotten after this time.
    public static let lostWorkerMemoryMilliseconds: Milliseconds = 3_600_000

    /// Work of one `advance`: the rest follows in the next one, so that no entry holds the loop for long.
    public static let maxWakesPerAdvance = 2_000

    /// Tasks that one task may wait for.
    public static let maxDependencies = 1_000
    /// Tasks of one workflow, and how often they name each other.
    public static let maxGraphTasks = 1_000
    public static let maxGraphEdges = 10_000
    /// Waiting tasks that are told of a predecessor's end in one entry: the rest follows in the next one.
    public static let maxSettlementsPerEntry = 2_000

    /// Bulk jobs: how much one entry looks through (`ReplicatedState.find`), and to how many tasks it does something.
    public static let maxBulkLooksPerEntry = 20_000
    public static let maxBulkActionsPerEntry = 250
    public static let maxRunningBulkJobs = 20
    public static let maxEndedBulkJobs = 100
    /// Of all texts of a job's filter.
    public static let maxFilterBytes = 16 << 10
}
