/// What clients and the node's own parts read. Nothing here changes the state.
extension Scheduler {
    public func state(of id: TaskID) -> TaskState? {
        state.tasks.position(of: id).map { state.tasks[$0].state }
    }

    public func task(_ id: TaskID) -> TaskView? {
        state.tasks.position(of: id).map { view(id, state.tasks[$0]) }
    }

    public var counts: Counts {
        Counts(
            tasksByState: index.counts, schedules: state.schedules.count,
            workers: index.knownWorkers.count, rememberedKeys: state.keys.count)
    }

    func view(_ id: TaskID, _ record: TaskRecord) -> TaskView {
        let fields = record.extra?.fields ?? TaskExtra.Fields()
        var spec = TaskSpec(profile: state.profiles[record.profile], fields: fields)
        spec.payload = record.payload
        spec.priority = record.priority
        spec.start = record.dueAt == record.createdAt ? .now : .at(record.dueAt)
        let hasAttempt = record.attempt > 0
        return TaskView(
            id: id, spec: spec, state: record.state, dueAt: record.dueAt,
            attempt: record.attempt,
            worker: hasAttempt ? state.workers.name(record.worker) : nil,
            createdAt: record.createdAt, startedAt: hasAttempt ? record.startedAt : nil,
            finishedAt: record.state.isFinal ? record.finishedAt : nil, result: record.result,
            stored: fields.stored, error: fields.error, progress: fields.progress,
            occurrence: fields.occurrence,
            schedule: fields.schedule, workflow: fields.workflow?.id,
            attempts: attempts(record, fields), logs: fields.logs,
            cachedFrom: fields.cachedFrom)
    }

    private func attempts(_ record: TaskRecord, _ fields: TaskExtra.Fields) -> [AttemptView] {
        var attempts = fields.history.map { past in
            AttemptView(
                number: past.number, worker: past.worker, startedAt: past.startedAt,
                finishedAt: past.finishedAt, outcome: past.outcome.name)
        }
        if record.lastOutcome != .none {
            let isRunning = record.lastOutcome == .running
            attempts.append(
                AttemptView(
                    number: record.attempt, worker: state.workers.name(record.worker),
                    startedAt: record.startedAt,
                    finishedAt: isRunning ? nil : record.finishedAt,
                    outcome: record.lastOutcome.name))
        }
        return Array(attempts.suffix(Limits.maxAttemptHistory))
    }

    // MARK: Lists of tasks

    /// Newest first, those below `before`. `scanBudget` bounds the work: a task that is looked at takes a unit of it,
    /// text that is searched more, and 256 tasks none of which can match take one.
    public func list(
        _ filter: TaskFilter, before: TaskID?, limit: Int, scanBudget: Int
    ) -> TaskPage {
        var matcher = TaskMatcher(filter, in: state)
        var budget = scanBudget
        let found = state.find(
            &matcher, below: before?.number ?? .max, limit: limit, &budget)
        return TaskPage(
            items: found.tasks.map { view($0.id, state.tasks[$0.position]) },
            next: found.next.map { TaskID($0) }, spent: scanBudget - budget)
    }

    // MARK: Requests

    /// What came of a request, until its origin has acknowledged it. For an origin that skipped the entry with the
    /// outcome because it loaded a snapshot.
    public func rememberedOutcome(
        origin: String, incarnation: UInt64, sequence: UInt64
    ) -> Outcome? {
        state.sessions.first { $0.origin == origin && $0.incarnation == incarnation }?
            .outcome(of: sequence)
    }

    // MARK: Workers

    public func worker(_ id: String) -> WorkerView? {
        knownWorker(id).map { view($0.number, $0.record) }
    }

    /// Without the lists that make `worker` expensive: a node asks this in every turn.
    public func workerStanding(_ id: String) -> WorkerStanding? {
        guard let (number, record) = knownWorker(id) else { return nil }
        return WorkerStanding(
            incarnation: record.incarnation, state: record.state,
            running: index.dispatch.running(number).count)
    }

    /// Sorted by id, in byte order.
    public func workers() -> [WorkerView] {
        index.knownWorkers.compactMap { number in
            state.workers.record(number).map { view(number, $0) }
        }.sorted { isBefore($0.spec.id, $1.spec.id) }
    }

    private func view(_ number: UInt32, _ record: WorkerRecord) -> WorkerView {
        WorkerView(
            spec: record.spec(id: state.workers.name(number)), state: record.state,
            running: UInt32(index.dispatch.running(number).count))
    }

    /// What runs at this worker, sorted by task; nothing if it has another incarnation.
    public func runningAttempts(worker id: String, incarnation: UInt64) -> [Assignment] {
        guard let (number, record) = knownWorker(id), record.incarnation == incarnation else {
            return []
        }
        return index.dispatch.running(number).sorted().compactMap { task in
            let id = TaskID(task)
            return state.tasks.position(of: id).map { assignment(id, state.tasks[$0]) }
        }
    }

    /// The same without what is to be done, which makes `runningAttempts` expensive; in no order.
    public func namesOfRunningAttempts(
        worker id: String, incarnation: UInt64
    ) -> [(task: TaskID, attempt: UInt32)] {
        guard let (number, record) = knownWorker(id), record.incarnation == incarnation else {
            return []
        }
        return index.dispatch.running(number).compactMap { task in
            let id = TaskID(task)
            return state.tasks.position(of: id).map { (id, state.tasks[$0].attempt) }
        }
    }

    // MARK: Results and logs

    /// Whether a task that is kept has its result in a store, left there by this attempt; its own, or one it was answered with.
    public func keepsResult(of task: TaskID, attempt: UInt32, fence: UInt64) -> Bool {
        if index.cache.isShared(task) { return true }
        guard let position = state.tasks.position(of: task),
            let stored = state.tasks[position].extra?.fields.stored
        else { return false }
        return stored.task == task && stored.attempt == attempt && stored.fence == fence
    }

    /// Whether a task that is kept knows of a log that this attempt left.
    public func keepsLog(of task: TaskID, attempt: UInt32, fence: UInt64) -> Bool {
        guard let position = state.tasks.position(of: task),
            let logs = state.tasks[position].extra?.fields.logs
        else { return false }
        return logs.contains { $0.attempt == attempt && $0.fence == fence }
    }

    /// The attempt of this task that runs, if one does.
    public func runningAttempt(of id: TaskID) -> Assignment? {
        guard let position = state.tasks.position(of: id), state.tasks[position].state == .running
        else { return nil }
        return assignment(id, state.tasks[position])
    }

    // MARK: Schedules

    public func schedule(_ name: String) -> ScheduleView? {
        state.schedules.position(of: name).map { view(state.schedules[$0]) }
    }

    /// Sorted by name, those behind `name`.
    public func schedules(after name: String?, limit: Int) -> [ScheduleView] {
        state.schedules.records(after: name, limit: limit).map(view)
    }

    /// Those of a namespace; `after` is a name within it.
    public func schedules(
        in namespace: Namespace, after: String?, limit: Int
    ) -> [ScheduleView] {
        state.schedules.records(in: namespace, after: after, limit: limit).map(view)
    }

    /// Schedules whose next occurrence is at or before `instant` (ms), at most `limit`, earliest first, and of those of the
    /// same instant the one that was put first.
    ///
    /// - Parameter passedOver: Revisions of schedules that are left out.
    public func dueSchedules(
        at instant: Milliseconds, limit: Int, passingOver passedOver: Set<UInt64> = []
    ) -> [DueSchedule] {
        var due: [DueSchedule] = []
        guard limit > 0 else { return due }
        var last: Heap.Entry?
        index.wakes.visit(.schedule, through: instant) { entry in
            // Equal ones follow each other.
            guard entry != last, !passedOver.contains(entry.id),
                let name = index.scheduleNames[entry.id],
                let position = state.schedules.position(of: name),
                state.schedules[position].wakeAt == Milliseconds(entry.key)
            else { return true }
            last = entry
            due.append(dueSchedule(state.schedules[position], Milliseconds(entry.key)))
            return due.count < limit
        }
        return due
    }

    /// `nextWake` but for schedules and their backfills.
    public var nextWakeBesidesSchedules: Milliseconds? { index.nextWakeBesidesSchedules }

    /// The rest of `nextWake`, without some schedules, for a proposer who can't compute what follows them. Takes the longer
    /// the more of these are due.
    ///
    /// - Parameter passedOver: Their revisions.
    public func nextScheduleWake(passingOver passedOver: Set<UInt64>) -> Milliseconds? {
        guard dueBackfills(limit: 1, passingOver: passedOver).isEmpty else { return state.time }
        return dueSchedules(at: .max, limit: 1, passingOver: passedOver).first?.next
    }

    /// Whether a schedule made the task.
    public func isOccurrence(_ id: TaskID) -> Bool {
        guard let position = state.tasks.position(of: id) else { return false }
        return state.tasks[position].extra?.fields.schedule != nil
    }

    /// The ends of a schedule's last occurrences, newest first; nil if there is no such schedule.
    public func occurrences(of name: String) -> [OccurrenceView]? {
        guard let position = state.schedules.position(of: name) else { return nil }
        return state.schedules[position].history.entries.reversed().map { entry in
            OccurrenceView(
                nominal: entry.instant, count: entry.hasTask ? 1 : UInt32(entry.value),
                state: entry.state, reason: entry.reason,
                task: entry.hasTask ? TaskID(entry.value) : nil)
        }
    }

    func dueSchedule(_ record: ScheduleRecord, _ next: Milliseconds) -> DueSchedule {
        var reader = ByteReader(record.spec)
        do {
            let rule = try ScheduleRuleSpec(from: &reader)
            return DueSchedule(
                name: record.name, revision: record.revision, timing: rule.timing,
                zone: rule.zone, policy: rule.policy, next: next)
        } catch {
            preconditionFailure("schedule \(record.name) can't be decoded: \(error)")
        }
    }

    private func view(_ record: ScheduleRecord) -> ScheduleView {
        var reader = ByteReader(record.spec)
        do {
            return ScheduleView(
                name: record.name, revision: record.revision,
                spec: try ScheduleSpec(from: &reader), isPaused: record.isPaused,
                createdAt: record.createdAt, next: record.next, last: record.last,
                lastTask: record.lastTask, buffered: record.buffered,
                zoneData: record.zoneData, ran: record.ran, skipped: record.skipped,
                missed: record.missed, expired: record.expired,
                backfilled: record.backfilled, backfill: record.backfill)
        } catch {
            preconditionFailure("schedule \(record.name) can't be decoded: \(error)")
        }
    }
}

/// A schedule that is due, for the proposer, who computes what follows.
public struct DueSchedule: Equatable, Sendable {
    public var name: String
    public var revision: UInt64
    public var timing: ScheduleSpec.Timing
    public var zone: String
    public var policy: SchedulePolicy
    public var next: Milliseconds

    /// - Parameter next: An instant of the schedule that is not after the proposer's now.
    public init(
        name: String, revision: UInt64, timing: ScheduleSpec.Timing, zone: String,
        policy: SchedulePolicy = SchedulePolicy(), next: Milliseconds
    ) {
        self.name = name
        self.revision = revision
        self.timing = timing
        self.zone = zone
        self.policy = policy
        self.next = next
    }
}
