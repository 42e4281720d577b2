/// Recurring tasks. When a schedule is due next stands in the commands: the state machine evaluates no timing.
extension Scheduler {
    mutating func putSchedule(
        _ name: String, _ spec: ScheduleSpec, paused: Bool?, next: Milliseconds?,
        replacing: Replacement?, _ events: inout [Event]
    ) -> Outcome {
        guard ScheduleRecord.isName(name), Namespace(of: name).holds(spec.task.queue) else {
            return .rejected(.malformed)
        }
        var writer = ByteWriter(capacity: spec.task.payload.count + 256)
        spec.encode(into: &writer)
        let revision = state.nextRevision
        let next = spec.policy.within(next)
        if let position = state.schedules.position(of: name) {
            let paused = paused ?? state.schedules[position].isPaused
            endPassed(replacing, at: position, &events)
            if spec.policy.overlap != .buffer { dropBuffered(at: position, .replaced, &events) }
            if paused { dropBuffered(at: position, .paused, &events) }
            endBackfill(.cancelled, at: position)
            index.scheduleNames[state.schedules[position].revision] = nil
            state.schedules[position].revision = revision
            state.schedules[position].spec = writer.bytes
            state.schedules[position].isPaused = paused
            state.schedules[position].next = next
            state.schedules[position].zoneData = spec.zoneData
            state.nextRevision += 1
            noteSchedule(state.schedules[position])
            return .schedule(revision: revision, existed: true)
        }
        guard state.schedules.count < capacity.schedules, hasRoom(for: Namespace(of: name)) else {
            return .rejected(.full)
        }
        namespaceNumber(Namespace(of: name))
        let record = ScheduleRecord(
            name: name, revision: revision, spec: writer.bytes, isPaused: paused ?? false,
            createdAt: state.time, next: next, zoneData: spec.zoneData)
        state.schedules.insert(record)
        state.nextRevision += 1
        noteSchedule(record)
        return .schedule(revision: revision, existed: false)
    }

    /// What was due, and has not fired, is skipped: by another rule it might never come.
    private mutating func endPassed(
        _ replacing: Replacement?, at position: ScheduleTable.Position, _ events: inout [Event]
    ) {
        let record = state.schedules[position]
        guard let next = record.next, next <= state.time else { return }
        var count: UInt32 = 1
        if let replacing, replacing.revision == record.revision, replacing.expectedNext == next {
            let later = replacing.upcoming.count { $0 <= state.time }
            count = max(1, replacing.passed &+ UInt32(later))
        }
        pass(
            count, from: next, .skipped, record.isPaused ? .paused : .replaced, at: position,
            &events)
    }

    mutating func pauseSchedule(_ name: String, _ events: inout [Event]) -> Outcome {
        guard let position = state.schedules.position(of: name) else {
            return .rejected(.notFound)
        }
        dropBuffered(at: position, .paused, &events)
        state.schedules[position].isPaused = true
        return .done
    }

    mutating func resumeSchedule(
        _ name: String, _ resumption: Resumption, _ events: inout [Event]
    ) -> Outcome {
        guard let position = state.schedules.position(of: name) else {
            return .rejected(.notFound)
        }
        // It may have been resumed and have fired since the proposer looked at it.
        guard state.schedules[position].isPaused else { return .done }
        state.schedules[position].isPaused = false
        // And it may have been paused again, or replaced: then the count is of other occurrences.
        if state.schedules[position].revision == resumption.revision,
            state.schedules[position].next == resumption.expectedNext
        {
            if let first = resumption.expectedNext, resumption.skipped > 0 {
                pass(resumption.skipped, from: first, .skipped, .paused, at: position, &events)
            }
            let policy = policy(of: state.schedules[position])
            state.schedules[position].next = policy.within(resumption.next)
            state.schedules[position].zoneData = resumption.zoneData
        }
        noteSchedule(state.schedules[position])
        return .done
    }

    mutating func deleteSchedule(_ name: String) -> Outcome {
        guard let position = state.schedules.position(of: name) else {
            return .rejected(.notFound)
        }
        index.scheduleNames[state.schedules[position].revision] = nil
        index.backfills.remove(name)
        state.schedules.remove(at: position)
        releaseNamespace(Namespace(of: name))
        return .done
    }

    /// Runs beside what runs already, whatever the overlap policy: somebody wants it now.
    ///
    /// - Parameter key: while it is remembered, the same key means the same task.
    mutating func triggerSchedule(
        _ name: String, key: String?, _ events: inout [Event]
    ) -> Outcome {
        var remembered: KeyLog.Entry?
        if let key {
            let bytes = Array(key.utf8)
            let hash = keyHash(bytes, 0..<bytes.count, Namespace(of: name))
            var fingerprint = StableHash()
            fingerprint.mix("trigger")
            fingerprint.mix(name)
            if let place = index.keys[hash] {
                let entry = state.keys[place]
                guard entry.fingerprint == fingerprint.digest else {
                    return .rejected(.keyConflict)
                }
                return .task(entry.task, existed: true)
            }
            guard state.keys.count < capacity.keys else { return .rejected(.full) }
            remembered = KeyLog.Entry(
                key: hash, task: TaskID(state.nextTask), fingerprint: fingerprint.digest,
                rememberedAt: state.time)
        }
        guard let position = state.schedules.position(of: name) else {
            return .rejected(.notFound)
        }
        let now = state.time
        let record = state.schedules[position]
        let repeats = record.triggeredAt == now ? record.triggersAtThatTime : 0
        // An occurrence with this very name may exist, or may still be due.
        let isTaken =
            repeats > 0 || record.last.map { $0 >= now } ?? false
            || record.next.map { $0 <= now } ?? false
        let plain = Occurrence.id(name, at: now)
        let occurrence = isTaken ? "\(plain)-\(repeats &+ 1)" : plain
        let task: TaskRecord
        do {
            task = try occurrenceTask(of: record, occurrence, dueAt: now)
        } catch {
            return switch error.reason {
            case .quota: .rejected(.namespaceFull)
            case .payload: .rejected(.malformed)
            default: .rejected(.full)
            }
        }
        state.schedules[position].triggeredAt = now
        state.schedules[position].triggersAtThatTime = repeats &+ 1
        if let remembered { index.keys[remembered.key] = state.keys.append(remembered) }
        let id = start(task, nominal: now, .trigger, at: position, &events)
        return .task(id, existed: false)
    }

    func policy(of record: ScheduleRecord) -> SchedulePolicy {
        var reader = ByteReader(record.spec)
        do {
            return try ScheduleRuleSpec(from: &reader).policy
        } catch {
            preconditionFailure("schedule \(record.name) can't be decoded: \(error)")
        }
    }

    mutating func noteSchedule(_ record: ScheduleRecord) {
        index.scheduleNames[record.revision] = record.name
        guard let wake = record.wakeAt else { return }
        index.wakes.push(.schedule, at: wake, id: record.revision)
    }
}
