/// From ready to running: where tasks and workers meet.
extension Scheduler {
    mutating func setState(
        _ new: TaskState, _ id: TaskID, at position: TaskTable.Position, _ events: inout [Event]
    ) {
        let old = state.tasks[position].state
        if old != new {
            if old == .blocked { stopAwaiting(at: position) }
            // As it waited.
            let isKeyed = state.tasks[position].isKeyed
            let wasParked = old == .ready && state.tasks[position].isParked
            state.tasks.setState(new, at: position)
            index.counts[Int(old.rawValue)] -= 1
            index.counts[Int(new.rawValue)] += 1
            count(state.tasks[position].profile, from: old, to: new)
            if old == .ready {
                let task = index.dispatch.waiting(id, at: position, in: state.tasks)
                index.dispatch.stopWaiting(task, in: state.tasks)
            }
            if isKeyed { moveKeys(id, at: position, from: old, wasParked: wasParked) }
        }
        events.append(.taskChanged(id, new))
    }

    private mutating func moveKeys(
        _ id: TaskID, at position: TaskTable.Position, from old: TaskState, wasParked: Bool
    ) {
        if old == .ready || old == .running {
            releaseKeys(id, at: position, from: old, wasParked: wasParked)
        }
        let new = state.tasks[position].state
        guard new == .ready || new == .running else { return }
        holdKeys(id, at: position)
        if new == .running { takeKeyTokens(at: position) }
    }

    /// Gives the task its turn among those of its queue.
    mutating func giveTag(at position: TaskTable.Position) {
        let queue = index.dispatch.queue(ofProfile: state.tasks[position].profile)
        let priority = state.tasks[position].priority
        state.tasks[position].tag = index.dispatch.nextTag(
            queue, priority: priority, flow: state.tasks[position].flow,
            virtualTime: state.queues.virtualTime(queue, priority: priority), in: state.tasks)
    }

    /// The task is due: it starts at once if its queue is open and a worker has a free slot, and nothing holds it
    /// back; else it waits.
    mutating func makeReady(
        _ id: TaskID, at position: TaskTable.Position, _ events: inout [Event]
    ) {
        // A copy: handed over in place, the whole state would be copied to keep it apart from what is called.
        let record = state.tasks[position]
        if isExpired(record) { return expire(id, at: position, &events) }
        giveTag(at: position)
        if !isHeldBack(record), let worker = chooseWorker(id, record) {
            assign(id, at: position, to: worker, &events)
        } else {
            wait(id, at: position, &events)
        }
    }

    private mutating func wait(
        _ id: TaskID, at position: TaskTable.Position, _ events: inout [Event]
    ) {
        // A task that ran and comes back may find that it held its own place: it gets it again below, if nobody
        // comes before it.
        let record = state.tasks[position]
        state.tasks[position].isParked = isHeldBack(record)
        setState(.ready, id, at: position, &events)
        noteWaiting(id, at: position)
        if let expiry = state.expiryWake(state.tasks[position]) {
            index.wakes.push(.expiry, at: expiry, id: id.number)
        }
    }

    func isExpired(_ record: TaskRecord) -> Bool {
        state.expiryWake(record).map { $0 <= state.time } ?? false
    }

    mutating func noteWaiting(_ id: TaskID, at position: TaskTable.Position) {
        let task = index.dispatch.waiting(id, at: position, in: state.tasks)
        let queue = index.dispatch.lanes[task.lane].key.queue
        let virtualTime = state.queues.virtualTime(queue, priority: UInt8(task.priority))
        index.dispatch.wait(task, virtualTime: virtualTime, in: state.tasks)
    }

    private mutating func chooseWorker(_ id: TaskID, _ record: TaskRecord) -> UInt32? {
        let key = index.dispatch.lanes[index.dispatch.laneOfProfile[Int(record.profile)]].key
        guard index.dispatch.mayStart(key) else { return nil }
        if let flow = record.flow {
            return index.dispatch.choose(key.requirement, hash: flow, isSticky: true)
        }
        return index.dispatch.choose(
            key.requirement, hash: StableHash.of(id.number, 0), isSticky: false)
    }

    /// Tasks that lost their workers or were handed back get ready again in their old places; `freed` is a worker
    /// that has free slots now, for which they compete with those that wait already.
    mutating func resettle(_ tasks: [TaskID], freed: UInt32?, _ events: inout [Event]) {
        var requirements: [Int] = []
        for id in tasks {
            guard let position = state.tasks.position(of: id) else { continue }
            wait(id, at: position, &events)
            let profile = state.tasks[position].profile
            requirements.append(index.dispatch.requirement(ofProfile: profile))
        }
        admitParked()
        if let freed { fillSlots(of: freed, &events) }
        startReopened(also: requirements, &events)
    }

    /// Gives the worker's free slots to waiting tasks, and others to those whose queues have opened.
    mutating func fill(_ worker: UInt32, _ events: inout [Event]) {
        admitParked()
        fillSlots(of: worker, &events)
        startReopened(&events)
    }

    private mutating func fillSlots(of worker: UInt32, _ events: inout [Event]) {
        while let id = index.dispatch.bestWaiting(for: worker, in: state.tasks) {
            guard let position = state.tasks.position(of: id) else {
                preconditionFailure("\(id) waits and does not exist")
            }
            let record = state.tasks[position]
            if isExpired(record) {
                expire(id, at: position, &events)
            } else {
                assign(id, at: position, to: worker, &events)
            }
        }
    }

    /// What has opened starts, and tasks with these requirements.
    mutating func startReopened(also others: [Int] = [], _ events: inout [Event]) {
        var requirements = others
        repeat {
            admitParked()
            requirements += index.dispatch.takeReopened()
            for id in index.keyGates.admitted {
                guard let position = state.tasks.position(of: id),
                    state.tasks[position].state == .ready
                else { continue }
                let profile = state.tasks[position].profile
                requirements.append(index.dispatch.requirement(ofProfile: profile))
            }
            index.keyGates.admitted.removeAll(keepingCapacity: true)
            startWaiting(requirements, &events)
            requirements.removeAll()
            // What started took tokens, and may have made room for others of its key.
        } while !index.keyGates.changed.isEmpty
    }

    /// Starts what can be started of the tasks with these requirements, first ones first.
    private mutating func startWaiting(_ requirements: [Int], _ events: inout [Event]) {
        guard !requirements.isEmpty else { return }
        // One entry for each requirement: the first of its tasks.
        var firsts = Heap()
        for requirement in Set(requirements) {
            guard let first = index.dispatch.firstStartable(requirement, in: state.tasks) else {
                continue
            }
            firsts.push(key: first.key, id: first.id)
        }
        while let first = firsts.top {
            firsts.pop()
            let id = TaskID(first.id)
            guard let position = state.tasks.position(of: id) else {
                preconditionFailure("\(id) waits and does not exist")
            }
            let profile = state.tasks[position].profile
            let requirement = index.dispatch.requirement(ofProfile: profile)
            // Its queue may have been filled since, or the slots been taken.
            if first == index.dispatch.firstStartable(requirement, in: state.tasks) {
                let record = state.tasks[position]
                if isExpired(record) {
                    expire(id, at: position, &events)
                } else {
                    guard let worker = chooseWorker(id, record) else {
                        preconditionFailure("\(id) can start and no worker takes it")
                    }
                    assign(id, at: position, to: worker, &events)
                }
            }
            guard let next = index.dispatch.firstStartable(requirement, in: state.tasks) else {
                continue
            }
            firsts.push(key: next.key, id: next.id)
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
        noteStart(at: position)
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
            occurrence: record.extra?.fields.occurrence.map(Namespace.bare),
            schedule: record.extra?.fields.schedule.map(Namespace.bare),
            inputs: record.extra?.fields.dependencies?.inputs ?? [],
            namespace: Namespace(of: profile.queue), delivery: profile.delivery)
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
            fields.progress = nil
        }
    }
}
