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

    private func view(_ id: TaskID, _ record: TaskRecord) -> TaskView {
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
            finishedAt: record.state.isFinal ? record.finishedAt : nil, result: fields.result,
            error: fields.error, progress: fields.progress, occurrence: fields.occurrence,
            schedule: fields.schedule, workflow: fields.workflow?.id,
            attempts: attempts(record, fields))
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

    /// Newest first, those below `before`. Looks at no more than `scanBudget` tasks or groups of tasks.
    public func list(
        _ filter: TaskFilter, before: TaskID?, limit: Int, scanBudget: Int
    ) -> TaskPage {
        var page = TaskPage(items: [], next: nil)
        var budget = scanBudget
        guard before != TaskID(0) else { return page }
        var highest = (before?.number ?? .max) - 1
        while let chunk = state.tasks.lastChunk(notAbove: highest >> 8) {
            let base = state.tasks.numbers[chunk] << 8
            if mayMatch(state.tasks.chunks[chunk], filter) {
                let records = state.tasks.chunks[chunk].records
                for (row, slot) in state.tasks.chunks[chunk].slots.enumerated().reversed() {
                    let id = TaskID(base + UInt64(slot))
                    guard id.number <= highest else { continue }
                    guard page.items.count < limit, budget > 0 else {
                        page.next = TaskID(id.number + 1)
                        return page
                    }
                    budget -= 1
                    if matches(id, records[row], filter) {
                        page.items.append(view(id, records[row]))
                    }
                }
            } else {
                guard budget > 0 else {
                    page.next = TaskID(min(highest, base + 255) + 1)
                    return page
                }
                budget -= 1
            }
            guard base > 0 else { return page }
            highest = base - 1
        }
        return page
    }

    private func mayMatch(_ chunk: TaskChunk, _ filter: TaskFilter) -> Bool {
        guard let states = filter.states else { return true }
        return states.contains { chunk.countsByState[Int($0.rawValue)] > 0 }
    }

    private func matches(_ id: TaskID, _ record: TaskRecord, _ filter: TaskFilter) -> Bool {
        if let states = filter.states, !states.contains(record.state) { return false }
        if let since = filter.since, record.createdAt < since { return false }
        if let until = filter.until, record.createdAt >= until { return false }
        let profile = state.profiles[record.profile]
        if let namespace = filter.namespace, !namespace.holds(profile.queue) { return false }
        if let queue = filter.queue, profile.queue != queue { return false }
        if let handler = filter.handler, profile.handler != handler { return false }
        if let tag = filter.tag, !profile.tags.contains(tag) { return false }
        if let worker = filter.worker {
            guard record.attempt > 0, state.workers.name(record.worker) == worker else {
                return false
            }
        }
        let fields = record.extra?.fields
        if let schedule = filter.schedule, fields?.schedule != schedule { return false }
        if let workflow = filter.workflow, fields?.workflow?.id != workflow { return false }
        for label in filter.meta where !(fields?.meta.contains(label) ?? false) { return false }
        guard let text = filter.text else { return true }
        return occurs(text, in: id.description) || occurs(text, in: profile.handler)
            || occurs(text, in: fields?.key) || occurs(text, in: fields?.error?.message)
    }

    /// By bytes, which for whole characters of UTF-8 is the same as by characters, and a hundred times faster.
    private func occurs(_ text: String, in other: String?) -> Bool {
        guard let other else { return false }
        let wanted = text.utf8
        guard let first = wanted.first else { return true }
        var rest = other.utf8[...]
        while rest.count >= wanted.count, let place = rest.firstIndex(of: first) {
            rest = rest[place...]
            if rest.starts(with: wanted) { return true }
            rest = rest.dropFirst()
        }
        return false
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

    /// Schedules whose next occurrence is at or before `instant` (ms), at most `limit`, earliest first.
    public func dueSchedules(at instant: Milliseconds, limit: Int) -> [DueSchedule] {
        var due: [DueSchedule] = []
        let entries = index.wakes.entries(.schedule)
        guard instant >= 0, !entries.isEmpty else { return due }
        // The heap is walked from its root without being changed: the next smallest is always a child of one
        // that was visited.
        var open = Heap()
        open.push(key: entries[0].key, id: 0)
        var seen: Set<UInt64> = []
        while due.count < limit, let place = open.top, place.key <= UInt64(instant) {
            open.pop()
            let entry = entries[Int(place.id)]
            for child in [2 * Int(place.id) + 1, 2 * Int(place.id) + 2] where child < entries.count
            {
                open.push(key: entries[child].key, id: UInt64(child))
            }
            guard state.holds(.schedule, entry, index.scheduleNames),
                seen.insert(entry.id).inserted, let name = index.scheduleNames[entry.id],
                let position = state.schedules.position(of: name)
            else { continue }
            due.append(dueSchedule(state.schedules[position], Milliseconds(entry.key)))
        }
        return due
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

    private func dueSchedule(_ record: ScheduleRecord, _ next: Milliseconds) -> DueSchedule {
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
                missed: record.missed, expired: record.expired)
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
