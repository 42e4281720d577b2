/// Why a task does not run: the same conditions by which `Dispatch` lets tasks and workers meet, put into values.
///
/// A limit that can hold a task back has to be named here, or `ExplainTests` finds a ready task that nothing holds.
/// What closes a queue belongs into `queueConstraints`; what holds single tasks of an open queue, into `ownConstraints`.
extension Scheduler {
    /// Predecessors that are named one by one.
    private static let maxNamedDependencies = 20
    /// Workers that are named one by one.
    private static let maxNamedWorkers = 20

    /// nil: there is no such task.
    public func explain(_ id: TaskID) -> Explanation? {
        guard let position = state.tasks.position(of: id) else { return nil }
        let record = state.tasks[position]
        var explanation = Explanation(task: id, state: record.state, constraints: [])
        switch record.state {
        case .running:
            let timeout = state.wakeTime(.timeout, record) ?? state.time
            explanation.constraints = [
                .running(
                    worker: state.workers.name(record.worker), attempt: record.attempt,
                    since: record.startedAt, until: timeout)
            ]
        case .scheduled, .blocked, .ready:
            explanation.constraints =
                ownConstraints(record) + queueConstraints(record) + keyConstraints(id, record)
                + workerConstraints(id, record)
            explanation.expiresAt = state.expiryWake(record)
        case .succeeded, .dead, .cancelled, .expired:
            explanation.constraints = [.ended(record.state, at: record.finishedAt)]
        }
        return explanation
    }

    /// Its time, and what it waits for.
    private func ownConstraints(_ record: TaskRecord) -> [Constraint] {
        var constraints: [Constraint] = []
        if record.state != .ready, record.dueAt > state.time || record.state == .scheduled {
            constraints.append(.notDue(until: record.dueAt, isRetry: record.attempt > 0))
        }
        guard record.state == .blocked, let dependencies = record.extra?.fields.dependencies else {
            return constraints
        }
        let awaited = dependencies.edges.filter { $0.end == .awaited }.map(\.task)
        for task in awaited.prefix(Self.maxNamedDependencies) {
            constraints.append(.dependency(task, self.state(of: task)))
        }
        if awaited.count > Self.maxNamedDependencies {
            constraints.append(.moreDependencies(awaited.count - Self.maxNamedDependencies))
        }
        return constraints
    }

    /// What closes its queue. Of a task that is not ready yet only what somebody has to end, or what lasts.
    private func queueConstraints(_ record: TaskRecord) -> [Constraint] {
        var constraints: [Constraint] = []
        let number = index.dispatch.queue(ofProfile: record.profile)
        let queue = state.queues[number]
        let load = index.dispatch.queues[Int(number)]
        if queue.isPaused { constraints.append(.queuePaused(queue.name)) }
        if let breaker = queue.spec.breaker, !queue.breaker.allowsStart(breaker) {
            if case .open(let until) = queue.breaker.phase {
                constraints.append(.breakerOpen(queue.name, until: until))
            } else {
                constraints.append(.breakerHalfOpen(queue.name, probes: breaker.probes))
            }
        }
        guard record.state == .ready else { return constraints }
        if let until = queue.bucket?.opensAt {
            constraints.append(.queueRate(queue.name, until: until))
        }
        if load.running >= load.concurrency {
            constraints.append(
                .queueConcurrency(queue.name, running: load.running, limit: load.concurrency))
        }
        let space = index.dispatch.spaces[Int(load.space)]
        if space.isFull {
            constraints.append(
                .quota(
                    Namespace(of: queue.name), running: space.running, limit: space.maxRunning))
        }
        return constraints
    }

    /// What holds it back among the tasks of its queue that have the same values.
    private func keyConstraints(_ id: TaskID, _ record: TaskRecord) -> [Constraint] {
        guard record.isParked else { return [] }
        let queue = state.queues[index.dispatch.queue(ofProfile: record.profile)].name
        return keyHolds(on: id).map { .keyLimit(queue: queue, $0) }
    }

    /// Who could run it.
    private func workerConstraints(_ id: TaskID, _ record: TaskRecord) -> [Constraint] {
        let profile = state.profiles[record.profile]
        let lane = index.dispatch.lanes[index.dispatch.laneOfProfile[Int(record.profile)]]
        var busy = Constraint.Busy(workers: 0, slots: 0, waiting: 0, isFirst: false)
        var free = 0
        for crew in index.dispatch.requirements[lane.key.requirement].crews {
            busy.workers += index.dispatch.crews[crew].members
            busy.slots += index.dispatch.crews[crew].slots
            free += index.dispatch.crews[crew].free
        }
        guard busy.workers > 0 else { return [missingWorker(profile)] }
        guard record.state == .ready, free == 0 else { return [] }
        let load = index.dispatch.queues[Int(lane.key.queue)]
        busy.waiting = load.counts[Int(TaskState.ready.rawValue)]
        busy.isFirst = lane.levels[Int(record.priority)].waiting.top?.id == id.number
        return [.slotsBusy(busy)]
    }

    private func missingWorker(_ profile: Profile) -> Constraint {
        var hasHandler = false
        var draining: [String] = []
        var lost: [String] = []
        for number in index.knownWorkers {
            guard let worker = state.workers.record(number),
                worker.handlers.contains(profile.handler)
            else { continue }
            hasHandler = hasHandler || worker.state == .live
            guard profile.tags.allSatisfy(worker.tags.contains) else { continue }
            let name = state.workers.name(number)
            if worker.state == .draining { draining.append(name) }
            if worker.state == .lost { lost.append(name) }
        }
        func named(_ names: [String]) -> [String] {
            Array(names.sorted(by: isBefore).prefix(Self.maxNamedWorkers))
        }
        guard hasHandler else {
            return .noWorker(
                handler: profile.handler, draining: named(draining), lost: named(lost))
        }
        return .noWorkerWithTags(
            handler: profile.handler, tags: profile.tags, draining: named(draining),
            lost: named(lost))
    }
}
