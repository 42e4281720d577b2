/// What becomes of each nominal occurrence of a schedule. It ends once: it gets a task (`ran`, which turns into
/// `expired` if the task can't start in time), or is `skipped` or `missed` for a reason; or it waits, one at most,
/// until the tasks before it have ended.
extension Scheduler {
    /// Why an occurrence has no task.
    struct NoTask: Error {
        let reason: OccurrenceReason
    }

    /// Dropped if the schedule has moved on since the leader looked at it.
    mutating func fire(_ firing: Firing, _ events: inout [Event]) {
        // What ended earlier in this entry gives way to the occurrence that waited for it, and not to this one.
        startReleased(&events)
        guard let position = state.schedules.position(of: firing.schedule) else { return }
        let record = state.schedules[position]
        guard record.revision == firing.revision, record.wakeAt == firing.expectedNext,
            movesOn(firing)
        else { return }
        let policy = policy(of: record)
        if firing.missed > 0 {
            pass(firing.missed, from: firing.expectedNext, .missed, .late, at: position, &events)
        }
        state.schedules[position].next = policy.within(firing.next)
        state.schedules[position].zoneData = firing.zoneData
        if let nominal = firing.nominal {
            decide(nominal, later: firing.later, policy, at: position, &events)
        }
        noteSchedule(state.schedules[position])
    }

    /// Otherwise an occurrence could be fired a second time.
    private func movesOn(_ firing: Firing) -> Bool {
        let nominal = firing.nominal ?? firing.expectedNext
        return nominal >= firing.expectedNext && firing.next.map { $0 > nominal } ?? true
    }

    private mutating func decide(
        _ nominal: Milliseconds, later: UInt32, _ policy: SchedulePolicy,
        at position: ScheduleTable.Position, _ events: inout [Event]
    ) {
        if let last = state.schedules[position].last, nominal <= last {
            // The schedule was replaced by one whose first instant had passed when it was applied; an
            // occurrence's name is used once.
            return pass(1, from: nominal, .skipped, .repeated, at: position, &events)
        }
        state.schedules[position].last = nominal
        guard
            policy.catchUp.runs(
                late: state.time - nominal, later: later, grace: policy.graceMilliseconds)
        else { return pass(1, from: nominal, .missed, .late, at: position, &events) }
        if let unfinished = index.unfinished[state.schedules[position].name] {
            switch policy.overlap {
            case .allow: break
            case .buffer where state.schedules[position].buffered == nil:
                state.schedules[position].buffered = nominal
                return
            case .skip, .buffer:
                return pass(1, from: nominal, .skipped, .overlap, at: position, &events)
            case .cancelOther:
                for task in unfinished.sorted() { _ = cancel(TaskID(task), &events) }
            }
        }
        begin(nominal, policy, at: position, &events)
    }

    private mutating func begin(
        _ nominal: Milliseconds, _ policy: SchedulePolicy, at position: ScheduleTable.Position,
        _ events: inout [Event]
    ) {
        let record = state.schedules[position]
        let occurrence = Occurrence.id(record.name, at: nominal)
        let dueAt = policy.dueTime(of: occurrence, at: nominal)
        do {
            let task = try occurrenceTask(of: record, occurrence, dueAt: dueAt)
            _ = start(task, nominal: nominal, .time, at: position, &events)
        } catch {
            pass(1, from: nominal, .skipped, error.reason, at: position, &events)
        }
    }

    /// Counted before the task is there: it may expire at once, if the cluster was down for long.
    mutating func start(
        _ task: TaskRecord, nominal: Milliseconds, _ reason: OccurrenceReason,
        at position: ScheduleTable.Position, _ events: inout [Event]
    ) -> TaskID {
        let id = TaskID(state.nextTask)
        state.schedules[position].ran &+= 1
        state.schedules[position].lastTask = id
        state.schedules[position].history.append(
            ScheduleHistory.Entry(at: nominal, .ran, reason, value: id.number))
        let name = state.schedules[position].name
        let created = create(task, &events)
        precondition(created == id)
        events.append(.scheduleFired(schedule: name, nominal: nominal, id))
        return id
    }

    /// Throws if there is no room for another task, or if the payload grew too large by the occurrence's name.
    func checkRoom(for payload: Int, in namespace: Namespace) throws(NoTask) {
        guard state.tasks.count < capacity.tasks else { throw NoTask(reason: .full) }
        guard let space = index.namespaceNumbers[namespace.name] else {
            preconditionFailure("a schedule of namespace \(namespace), which is not there")
        }
        guard hasRoom(for: 1, inSpace: space) else { throw NoTask(reason: .quota) }
        guard payload <= Limits.maxPayloadBytes else { throw NoTask(reason: .payload) }
    }

    mutating func occurrenceTask(
        of record: ScheduleRecord, _ occurrence: String, dueAt: Milliseconds
    ) throws(NoTask) -> TaskRecord {
        let payload: [UInt8]
        var fields: TaskExtra.Fields
        let profile: UInt32
        let layout: SpecLayout
        do {
            var reader = ByteReader(record.spec)
            _ = try ScheduleRuleSpec(from: &reader)
            layout = try SpecLayout(from: &reader)
            payload = Occurrence.substitute(
                Namespace.bare(occurrence), in: record.spec[layout.payload])
            fields = try layout.rareFields(in: record.spec)
        } catch {
            preconditionFailure("schedule \(record.name) can't be decoded: \(error)")
        }
        try checkRoom(for: payload.count, in: Namespace(of: record.name))
        if let known = profileNumber(record.spec, layout.profile) {
            profile = known
        } else {
            let new: Profile
            do {
                new = try Profile(decoding: Array(record.spec[layout.profile]))
            } catch {
                preconditionFailure("schedule \(record.name) can't be decoded: \(error)")
            }
            guard hasRoom(forQueue: new.queue) else { throw NoTask(reason: .full) }
            profile = intern(new)
        }
        fields.key = nil
        fields.dependencies = nil
        fields.occurrence = occurrence
        fields.schedule = record.name
        return TaskRecord(
            payload: payload, extra: TaskExtra(fields), dueAt: dueAt, createdAt: state.time,
            profile: profile, state: .scheduled, priority: layout.priority)
    }

    // MARK: Ends without a task

    mutating func pass(
        _ count: UInt32, from first: Milliseconds, _ end: OccurrenceState,
        _ reason: OccurrenceReason, at position: ScheduleTable.Position, _ events: inout [Event]
    ) {
        if end == .missed {
            state.schedules[position].missed &+= UInt64(count)
        } else {
            state.schedules[position].skipped &+= UInt64(count)
        }
        state.schedules[position].history.append(
            ScheduleHistory.Entry(at: first, end, reason, value: UInt64(count)))
        events.append(
            .occurrencesPassed(
                schedule: state.schedules[position].name, nominal: first, count: count, end, reason)
        )
    }

    mutating func dropBuffered(
        at position: ScheduleTable.Position, _ reason: OccurrenceReason, _ events: inout [Event]
    ) {
        guard let nominal = state.schedules[position].buffered else { return }
        state.schedules[position].buffered = nil
        pass(1, from: nominal, .skipped, reason, at: position, &events)
    }

    /// An occurrence that expired did not run. The schedule may have been deleted, and made anew since.
    mutating func countExpiry(_ task: TaskID, of name: String, createdAt: Milliseconds) {
        guard let position = state.schedules.position(of: name),
            state.schedules[position].createdAt <= createdAt, state.schedules[position].ran > 0,
            !isBackfilled(task)
        else { return }
        state.schedules[position].ran -= 1
        state.schedules[position].expired &+= 1
        state.schedules[position].history.note(task, .expired)
    }

    /// It was brought back, and may run after all; or expire once more.
    mutating func uncountExpiry(_ task: TaskID, of name: String, createdAt: Milliseconds) {
        guard let position = state.schedules.position(of: name),
            state.schedules[position].createdAt <= createdAt, state.schedules[position].expired > 0,
            !isBackfilled(task)
        else { return }
        state.schedules[position].expired -= 1
        state.schedules[position].ran &+= 1
        state.schedules[position].history.note(task, .ran)
    }

    /// Then it is counted with its backfill.
    private func isBackfilled(_ task: TaskID) -> Bool {
        guard let position = state.tasks.position(of: task) else { return false }
        return state.tasks[position].extra?.fields.isBackfilled ?? false
    }

    // MARK: What waits for others

    mutating func noteUnfinished(_ id: TaskID, _ record: TaskRecord) {
        guard let name = record.extra?.fields.schedule else { return }
        if record.extra?.fields.isBackfilled ?? false {
            index.unfinishedBackfills[name, default: []].insert(id.number)
            return
        }
        index.unfinished[name, default: []].insert(id.number)
    }

    mutating func noteFinished(_ id: TaskID, _ record: TaskRecord) {
        guard let name = record.extra?.fields.schedule else { return }
        if record.extra?.fields.isBackfilled ?? false {
            index.unfinishedBackfills[name]?.remove(id.number)
            if index.unfinishedBackfills[name]?.isEmpty ?? false {
                index.unfinishedBackfills[name] = nil
            }
            return
        }
        index.unfinished[name]?.remove(id.number)
        guard index.unfinished[name]?.isEmpty ?? false else { return }
        index.unfinished[name] = nil
        guard let position = state.schedules.position(of: name),
            state.schedules[position].buffered != nil
        else { return }
        index.released.append(name)
    }

    /// At the end of an entry rather than where a task ends, which is in the middle of something else.
    mutating func startReleased(_ events: inout [Event]) {
        var place = 0
        // One that ends at once may let others of its key in, which end as well: so the caller looks again.
        while place < index.released.count {
            let name = index.released[place]
            place += 1
            guard index.unfinished[name] == nil,
                let position = state.schedules.position(of: name),
                let nominal = state.schedules[position].buffered
            else { continue }
            state.schedules[position].buffered = nil
            let policy = policy(of: state.schedules[position])
            begin(nominal, policy, at: position, &events)
        }
        index.released.removeAll()
    }
}
