/// Recurring tasks. When a schedule is due next stands in the commands: the state machine evaluates no timing.
extension Scheduler {
    mutating func putSchedule(
        _ name: String, _ spec: ScheduleSpec, paused: Bool, next: Milliseconds?
    ) -> Outcome {
        guard ScheduleRecord.isName(name) else { return .rejected(.malformed) }
        var writer = ByteWriter(capacity: spec.task.payload.count + 256)
        spec.encode(into: &writer)
        let revision = state.nextRevision
        if let position = state.schedules.position(of: name) {
            index.scheduleNames[state.schedules[position].revision] = nil
            state.schedules[position].revision = revision
            state.schedules[position].spec = writer.bytes
            state.schedules[position].isPaused = paused
            state.schedules[position].next = next
            state.nextRevision += 1
            noteSchedule(state.schedules[position])
            return .schedule(revision: revision, existed: true)
        }
        guard state.schedules.count < capacity.schedules else { return .rejected(.full) }
        let record = ScheduleRecord(
            name: name, revision: revision, spec: writer.bytes, isPaused: paused,
            createdAt: state.time, next: next)
        state.schedules.insert(record)
        state.nextRevision += 1
        noteSchedule(record)
        return .schedule(revision: revision, existed: false)
    }

    mutating func pauseSchedule(_ name: String) -> Outcome {
        guard let position = state.schedules.position(of: name) else {
            return .rejected(.notFound)
        }
        state.schedules[position].isPaused = true
        return .done
    }

    mutating func resumeSchedule(_ name: String, _ resumption: Resumption) -> Outcome {
        guard let position = state.schedules.position(of: name) else {
            return .rejected(.notFound)
        }
        var record = state.schedules[position]
        // It may have been resumed and have fired since the proposer looked at it.
        guard record.isPaused else { return .done }
        record.isPaused = false
        // And it may have been paused again, or replaced: then the count is of other occurrences.
        if record.revision == resumption.revision, record.next == resumption.expectedNext {
            record.next = resumption.next
            record.skipped &+= UInt64(resumption.skipped)
        }
        state.schedules[position] = record
        noteSchedule(record)
        return .done
    }

    mutating func deleteSchedule(_ name: String) -> Outcome {
        guard let position = state.schedules.position(of: name) else {
            return .rejected(.notFound)
        }
        index.scheduleNames[state.schedules[position].revision] = nil
        state.schedules.remove(at: position)
        return .done
    }

    mutating func triggerSchedule(_ name: String, _ events: inout [Event]) -> Outcome {
        guard let position = state.schedules.position(of: name) else {
            return .rejected(.notFound)
        }
        let now = state.time
        var record = state.schedules[position]
        let repeats = record.triggeredAt == now ? record.triggersAtThatTime : 0
        // An occurrence with this very name may exist, or may still be due.
        let isTaken =
            repeats > 0 || record.last.map { $0 >= now } ?? false
            || record.next.map { $0 <= now } ?? false
        let plain = Occurrence.id(name, at: now)
        let occurrence = isTaken ? "\(plain)-\(repeats &+ 1)" : plain
        guard let task = createOccurrence(record, occurrence, dueAt: now, &events) else {
            return .rejected(.full)
        }
        record.triggeredAt = now
        record.triggersAtThatTime = repeats &+ 1
        record.lastTask = task
        record.ran &+= 1
        state.schedules[position] = record
        events.append(.scheduleFired(schedule: name, nominal: now, task))
        return .task(task, existed: false)
    }

    /// Dropped if the schedule has moved on since the leader looked at it.
    mutating func fire(_ firing: Firing, _ events: inout [Event]) {
        guard let position = state.schedules.position(of: firing.schedule) else { return }
        var record = state.schedules[position]
        guard record.revision == firing.revision, record.wakeAt == firing.expectedNext,
            movesOn(firing)
        else { return }
        record.missed &+= UInt64(firing.missed)
        record.next = firing.next
        if let nominal = firing.nominal, let last = record.last, nominal <= last {
            // The schedule was replaced by one whose first instant had passed when it was applied; an
            // occurrence's name is used once.
            record.skipped &+= 1
        } else if let nominal = firing.nominal {
            record.last = nominal
            let occurrence = Occurrence.id(record.name, at: nominal)
            if let task = createOccurrence(record, occurrence, dueAt: nominal, &events) {
                record.lastTask = task
                events.append(
                    .scheduleFired(schedule: record.name, nominal: nominal, task))
                // It may have expired at once, if the cluster was down for long.
                if self.state(of: task) == .expired {
                    record.expired &+= 1
                } else {
                    record.ran &+= 1
                }
            } else {
                record.skipped &+= 1
            }
        }
        state.schedules[position] = record
        noteSchedule(record)
    }

    /// Otherwise an occurrence could be fired a second time.
    private func movesOn(_ firing: Firing) -> Bool {
        let nominal = firing.nominal ?? firing.expectedNext
        return nominal >= firing.expectedNext && firing.next.map { $0 > nominal } ?? true
    }

    /// An occurrence that expired did not run. The schedule may have been deleted, and made anew since.
    mutating func countExpiry(of name: String, createdAt: Milliseconds) {
        guard let position = state.schedules.position(of: name),
            state.schedules[position].createdAt <= createdAt, state.schedules[position].ran > 0
        else { return }
        state.schedules[position].ran -= 1
        state.schedules[position].expired &+= 1
    }

    mutating func noteSchedule(_ record: ScheduleRecord) {
        index.scheduleNames[record.revision] = record.name
        guard let wake = record.wakeAt else { return }
        index.wakes.push(.schedule, at: wake, id: record.revision)
    }

    /// nil if there is no room for another task, or if the payload grew too large by the occurrence's name.
    private mutating func createOccurrence(
        _ record: ScheduleRecord, _ occurrence: String, dueAt: Milliseconds,
        _ events: inout [Event]
    ) -> TaskID? {
        guard state.tasks.count < capacity.tasks else { return nil }
        var reader = ByteReader(record.spec)
        do {
            _ = try ScheduleSpec.timing(from: &reader)
            let layout = try SpecLayout(from: &reader)
            let payload = Occurrence.substitute(occurrence, in: record.spec[layout.payload])
            guard payload.count <= Limits.maxPayloadBytes else { return nil }
            var fields = try layout.rareFields(in: record.spec)
            fields.key = nil
            fields.dependencies = nil
            fields.occurrence = occurrence
            fields.schedule = record.name
            let number =
                if let known = profileNumber(record.spec, layout.profile) { known } else {
                    intern(try Profile(decoding: Array(record.spec[layout.profile])))
                }
            let task = TaskRecord(
                payload: payload, extra: TaskExtra(fields), dueAt: dueAt, createdAt: state.time,
                profile: number, state: .scheduled, priority: layout.priority)
            return create(task, &events)
        } catch {
            preconditionFailure("schedule \(record.name) can't be decoded: \(error)")
        }
    }
}
