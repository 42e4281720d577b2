/// From ready to running: where tasks and workers meet.
extension Scheduler {
    mutating func setState(
        _ new: TaskState, _ id: TaskID, at position: TaskTable.Position, _ events: inout [Event]
    ) {
        let old = state.tasks[position].state
        if old != new {
            if old == .blocked { stopAwaiting(at: position) }
            state.tasks.setState(new, at: position)
            index.counts[Int(old.rawValue)] -= 1
            index.counts[Int(new.rawValue)] += 1
            if old == .ready {
                let requirement = requirement(of: state.tasks[position].profile)
                index.dispatch.stopWaiting(requirement, in: state.tasks)
            }
        }
        events.append(.taskChanged(id, new))
    }

    private func requirement(of profile: UInt32) -> Int {
        index.dispatch.requirementOfProfile[Int(profile)]
    }

    /// The task is due: it starts at once if a worker has a free slot, else it waits for one.
    mutating func makeReady(
        _ id: TaskID, at position: TaskTable.Position, _ events: inout [Event]
    ) {
        if isExpired(state.tasks[position]) { return expire(id, at: position, &events) }
        if let worker = chooseWorker(id, state.tasks[position]) {
            assign(id, at: position, to: worker, &events)
        } else {
            wait(id, at: position, &events)
        }
    }

    private mutating func wait(
        _ id: TaskID, at position: TaskTable.Position, _ events: inout [Event]
    ) {
        setState(.ready, id, at: position, &events)
        let record = state.tasks[position]
        index.dispatch.wait(requirement(of: record.profile), key: record.readyKey, id)
        if let expiry = state.expiryWake(record) {
            index.wakes.push(.expiry, at: expiry, id: id.number)
        }
    }

    func isExpired(_ record: TaskRecord) -> Bool {
        state.expiryWake(record).map { $0 <= state.time } ?? false
    }

    private mutating func chooseWorker(_ id: TaskID, _ record: TaskRecord) -> UInt32? {
        if let routingKey = record.extra?.fields.routingKey {
            return index.dispatch.choose(
                requirement(of: record.profile), hash: StableHash.of(routingKey), isSticky: true)
        }
        return index.dispatch.choose(
            requirement(of: record.profile), hash: StableHash.of(id.number, 0), isSticky: false)
    }

    /// Tasks that lost their workers or were handed back get ready again in their old places; `freed` is a worker
    /// that has free slots now, for which they compete with those that wait already.
    mutating func resettle(_ tasks: [TaskID], freed: UInt32?, _ events: inout [Event]) {
        for id in tasks {
            guard let position = state.tasks.position(of: id) else { continue }
            wait(id, at: position, &events)
        }
        if let freed { fill(freed, &events) }
        // Those that waited before can't use any other free slot, so these don't overtake them.
        var waiting: [Heap.Entry] = []
        for id in tasks {
            guard let position = state.tasks.position(of: id), state.tasks[position].state == .ready
            else { continue }
            waiting.append(Heap.Entry(key: state.tasks[position].readyKey, id: id.number))
        }
        waiting.sort()
        for entry in waiting {
            let id = TaskID(entry.id)
            guard let position = state.tasks.position(of: id),
                let worker = chooseWorker(id, state.tasks[position])
            else { continue }
            assign(id, at: position, to: worker, &events)
        }
    }

    /// Gives the worker's free slots to waiting tasks.
    mutating func fill(_ worker: UInt32, _ events: inout [Event]) {
        while let id = index.dispatch.bestWaiting(for: worker, in: state.tasks) {
            guard let position = state.tasks.position(of: id) else {
                preconditionFailure("\(id) waits and does not exist")
            }
            if isExpired(state.tasks[position]) {
                expire(id, at: position, &events)
            } else {
                assign(id, at: position, to: worker, &events)
            }
        }
    }

    private mutating func assign(
        _ id: TaskID, at position: TaskTable.Position, to worker: UInt32, _ events: inout [Event]
    ) {
        moveAttemptToHistory(at: position)
        let before = state.tasks[position].worker
        if before != worker {
            state.workers.retain(worker)
            state.tasks[position].worker = worker
            if before != TaskRecord.noWorker { releaseWorkerName(before) }
        }
        state.tasks[position].attempt &+= 1
        // Two assignments of a task in one entry have different tokens as well.
        let fence = state.tasks[position].fence
        state.tasks[position].fence = max(state.appliedIndex, fence &+ 1)
        state.tasks[position].startedAt = state.time
        state.tasks[position].finishedAt = 0
        state.tasks[position].lastOutcome = .running
        index.dispatch.occupy(worker, id)
        let record = state.tasks[position]
        let profile = state.profiles[record.profile]
        let timeout = profile.timeoutMilliseconds + Limits.timeoutGraceMilliseconds
        index.wakes.push(.timeout, at: state.time + timeout, id: id.number)
        events.append(.assigned(assignment(id, record)))
        setState(.running, id, at: position, &events)
    }

    /// The current attempt as its worker has to know it.
    func assignment(_ id: TaskID, _ record: TaskRecord) -> Assignment {
        guard let worker = state.workers.record(record.worker) else {
            preconditionFailure("\(id) runs on a worker that is not known")
        }
        let profile = state.profiles[record.profile]
        return Assignment(
            worker: state.workers.name(record.worker), incarnation: worker.incarnation, task: id,
            attempt: record.attempt, fence: record.fence, handler: profile.handler,
            payload: record.payload, timeoutMilliseconds: profile.timeoutMilliseconds,
            scheduledAt: record.dueAt, assignedAt: record.startedAt,
            occurrence: record.extra?.fields.occurrence, schedule: record.extra?.fields.schedule,
            inputs: record.extra?.fields.dependencies?.inputs ?? [])
    }

    /// The record describes one attempt; older ones are in the history, the last few of them.
    mutating func moveAttemptToHistory(at position: TaskTable.Position) {
        let record = state.tasks[position]
        guard record.lastOutcome != .none else { return }
        let past = TaskExtra.PastAttempt(
            number: record.attempt, worker: state.workers.name(record.worker),
            startedAt: record.startedAt, finishedAt: record.finishedAt,
            outcome: record.lastOutcome)
        state.tasks[position].lastOutcome = .none
        state.tasks[position].changeExtra { fields in
            if fields.history.count >= Limits.maxAttemptHistory { fields.history.removeFirst() }
            fields.history.append(past)
        }
    }
}
