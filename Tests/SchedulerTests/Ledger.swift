import Testing

@testable import Scheduler

/// Keeps its own books of what the events say, and checks the state against them.
struct Ledger {
    private var states: [TaskID: TaskState] = [:]
    private var running: [TaskID: Assignment] = [:]
    private var fences: [TaskID: UInt64] = [:]
    private var attempts: [TaskID: UInt32] = [:]

    /// Tasks that came to be, and ends of tasks, in the entry at hand.
    private var fresh: [TaskID] = []
    private var ended: [(id: TaskID, state: TaskState)] = []

    mutating func note(_ events: [Event]) {
        fresh = []
        ended = []
        for event in events {
            switch event {
            case .assigned(let assignment):
                let id = assignment.task
                #expect(running[id] == nil, "\(id) has two current attempts")
                #expect(assignment.fence > fences[id] ?? 0, "the fence of \(id) did not rise")
                #expect(assignment.attempt == (attempts[id] ?? 0) + 1)
                fences[id] = assignment.fence
                attempts[id] = assignment.attempt
                running[id] = assignment
            case .revoked(_, _, let task, let attempt):
                #expect(running[task]?.attempt == attempt, "revoked what does not run")
            case .taskChanged(let id, let state):
                if state != .running { running[id] = nil }
                if let old = states[id], old.isFinal {
                    #expect(old != .succeeded, "\(id) left its success for \(state)")
                    #expect(!state.isFinal, "\(id) went from \(old) to \(state)")
                }
                if states[id] == nil { fresh.append(id) }
                if state.isFinal { ended.append((id, state)) }
                states[id] = state
            case .outcome, .scheduleFired, .occurrencesPassed, .workerChanged, .queueChanged:
                continue
            }
        }
    }

    func check(_ scheduler: Scheduler, after events: [Event]) {
        checkTasks(scheduler)
        checkReferences(scheduler)
        checkWorkers(scheduler, events)
        checkWaiting(scheduler)
        checkBlocked(scheduler)
        checkQueues(scheduler, events)
        checkKeys(scheduler, events)
        if !events.isEmpty { checkNotices(scheduler, events) }
    }

    /// Whoever wants to be told of an end is told by one task, made in the same entry.
    private func checkNotices(_ scheduler: Scheduler, _ events: [Event]) {
        var expected: [String] = []
        var unknown: Set<String> = []
        for (id, state) in ended {
            // It was dropped at once, or its queue may have wanted something else when it ended.
            guard let spec = scheduler.task(id)?.spec,
                !events.contains(.queueChanged(name: spec.queue))
            else {
                unknown.insert(id.description)
                continue
            }
            guard spec.handler != Webhook.handler else { continue }
            var urls = [spec.webhook].compactMap { $0 }
            if state == .dead, let url = scheduler.queue(spec.queue)?.spec.errorWebhook,
                url != spec.webhook
            {
                urls.append(url)
            }
            expected += urls.map { #"{"url":"\#($0)","task":"\#(id)","state":"\#(state.name)""# }
        }
        let actual = fresh.compactMap { id -> String? in
            guard let spec = scheduler.task(id)?.spec, spec.handler == Webhook.handler,
                let name = spec.meta.first?.value, !unknown.contains(name)
            else { return nil }
            let payload = String(decoding: spec.payload, as: UTF8.self)
            return payload.firstRange(of: ",\"time\"").map { String(payload[..<$0.lowerBound]) }
        }
        #expect(
            expected.filter { entry in
                !unknown.contains { entry.contains("\"task\":\"\($0)\"") }
            }.sorted() == actual.sorted())
    }

    private func all(_ scheduler: Scheduler) -> [(TaskID, TaskRecord)] {
        let tasks = scheduler.state.tasks
        return zip(tasks.numbers, tasks.chunks).flatMap { number, chunk in
            chunk.places.map { (TaskID(number << 8 + UInt64($0.slot)), chunk.records[$0.row]) }
        }
    }

    private func checkTasks(_ scheduler: Scheduler) {
        var counts = [Int](repeating: 0, count: 8)
        var present: Set<TaskID> = []
        for (id, record) in all(scheduler) {
            counts[Int(record.state.rawValue)] += 1
            present.insert(id)
            #expect(states[id] == record.state, "\(id) changed without an event")
            #expect((running[id] != nil) == (record.state == .running))
            #expect(record.state != .ready || record.dueAt <= scheduler.time)
        }
        #expect(counts == scheduler.counts.tasksByState)
        // No task is lost: whatever is gone had ended before.
        for (id, state) in states where !present.contains(id) {
            #expect(state.isFinal, "\(id) vanished while it was \(state)")
        }
        #expect(UInt64(states.count) == scheduler.state.nextTask - 1)
    }

    private func checkReferences(_ scheduler: Scheduler) {
        var profiles: [UInt32: UInt32] = [:]
        var names: [UInt32: UInt32] = [:]
        for (_, record) in all(scheduler) {
            profiles[record.profile, default: 0] += 1
            if record.worker != TaskRecord.noWorker { names[record.worker, default: 0] += 1 }
        }
        for number in scheduler.index.knownWorkers { names[number, default: 0] += 1 }
        for number in 0..<scheduler.state.profiles.slots.count {
            let slot = scheduler.state.profiles.slots[number]
            #expect((slot.profile == nil) == (profiles[UInt32(number)] == nil))
            #expect(slot.profile == nil || slot.references == profiles[UInt32(number)])
        }
        for number in 0..<scheduler.state.workers.slots.count {
            let slot = scheduler.state.workers.slots[number]
            #expect(slot.references == names[UInt32(number)] ?? 0)
        }
    }

    private func checkWorkers(_ scheduler: Scheduler, _ events: [Event]) {
        var total = 0
        for worker in scheduler.workers() {
            let current = scheduler.runningAttempts(
                worker: worker.spec.id, incarnation: worker.spec.incarnation)
            total += current.count
            #expect(current.count == Int(worker.running))
            #expect(worker.state != .lost || current.isEmpty)
            for assignment in current { #expect(running[assignment.task] == assignment) }
            let gotWork = events.contains {
                if case .assigned(let assignment) = $0 {
                    assignment.worker == worker.spec.id
                } else {
                    false
                }
            }
            // Registering again with fewer slots is the one way to run more than that.
            let changed = events.contains(.workerChanged(id: worker.spec.id))
            #expect(!gotWork || changed || worker.running <= worker.spec.slots)
        }
        #expect(total == running.count)
    }

    /// Whoever is blocked waits for something that can still happen, and is told of it.
    private func checkBlocked(_ scheduler: Scheduler) {
        let told = Set(scheduler.state.endings.waiting.map(\.task))
        for (id, record) in all(scheduler) where record.state == .blocked {
            let dependencies = record.extra?.fields.dependencies
            #expect(dependencies?.isAwaiting == true, "\(id) is blocked by none")
            for edge in dependencies?.edges ?? [] where edge.end == .awaited {
                let isHeld = dependencies?.policy == .hold
                let key = Dependents.Key(predecessor: edge.task, isHeld: isHeld)
                #expect(!scheduler.index.dependents.isEmpty(key), "\(id) is not listed")
                guard !told.contains(edge.task) else { continue }
                let state = scheduler.state(of: edge.task)
                let mayHappen = state.map { !$0.isFinal || isHeld && $0 != .succeeded } ?? false
                #expect(
                    mayHappen, "\(id) waits for \(edge.task), which is \(String(describing: state))"
                )
            }
        }
    }

    /// What starts may start, and what is counted is there.
    private func checkQueues(_ scheduler: Scheduler, _ events: [Event]) {
        var counts: [String: [Int]] = [:]
        for (_, record) in all(scheduler) {
            let name = scheduler.state.profiles[record.profile].queue
            counts[name, default: [Int](repeating: 0, count: 8)][Int(record.state.rawValue)] += 1
        }
        var started: Set<String> = []
        for event in events {
            guard case .assigned(let assignment) = event,
                let queue = scheduler.task(assignment.task)?.spec.queue
            else { continue }
            started.insert(queue)
        }
        let queues = scheduler.queues(after: nil, limit: .max)
        #expect(queues.map(\.name) == queues.map(\.name).sorted())
        for queue in queues {
            #expect(queue.tasksByState == counts[queue.name] ?? Array(repeating: 0, count: 8))
            counts[queue.name] = nil
            guard started.contains(queue.name), !events.contains(.queueChanged(name: queue.name))
            else { continue }
            #expect(!queue.isPaused, "\(queue.name) is paused and starts tasks")
            #expect(queue.running <= queue.spec.concurrency ?? .max, "\(queue)")
        }
        #expect(counts.isEmpty, "tasks without a queue")
        for namespace in scheduler.namespaces(after: nil, limit: .max) {
            let own = queues.filter { Namespace(of: $0.name).name == namespace.name }
            #expect(namespace.pending == own.reduce(0) { $0 + $1.pending })
            #expect(namespace.running == own.reduce(0) { $0 + $1.running })
            #expect(namespace.queues == own.count)
        }
    }

    /// Tasks are held back by their keys, and by nothing else, and no more start than may.
    private func checkKeys(_ scheduler: Scheduler, _ events: [Event]) {
        var held: [String: Int] = [:]
        var running: [UInt64: Int] = [:]
        var places: [UInt64: Int] = [:]
        func gates(_ record: TaskRecord) -> [(key: String, gate: UInt64)] {
            let profile = scheduler.state.profiles[record.profile]
            let queue = scheduler.index.queueNumbers[profile.queue] ?? .max
            return (record.extra?.fields.limitKeys ?? []).map {
                ($0.name, KeyGates.gate(queue: queue, $0))
            }
        }
        for (_, record) in all(scheduler) where record.state == .running || record.state == .ready {
            for (_, gate) in gates(record) {
                if record.state == .running { running[gate, default: 0] += 1 }
                if !record.isParked { places[gate, default: 0] += 1 }
            }
        }
        for (id, record) in all(scheduler) where record.isParked {
            let queue = scheduler.state.profiles[record.profile].queue
            held[queue, default: 0] += 1
            #expect(record.state == .ready, "\(id) is \(record.state) and held back")
            let isClosed = gates(record).contains { key, gate in
                guard
                    let limit = scheduler.queue(queue)?.spec.limits.first(where: { $0.key == key })
                else { return false }
                if places[gate] ?? 0 >= limit.concurrency ?? .max { return true }
                guard let rate = limit.rate else { return false }
                let tokens = scheduler.state.keyBuckets[gate]?.bucket.tokens(rate)
                return (places[gate] ?? 0) - (running[gate] ?? 0) >= tokens ?? Int64(rate.burst)
            }
            #expect(isClosed, "\(id) is held back by nothing")
        }
        for queue in scheduler.queues(after: nil, limit: .max) {
            #expect(queue.held == held[queue.name] ?? 0)
        }
        for case .assigned(let assignment) in events {
            guard let position = scheduler.state.tasks.position(of: assignment.task) else {
                continue
            }
            let record = scheduler.state.tasks[position]
            let name = scheduler.state.profiles[record.profile].queue
            guard !events.contains(.queueChanged(name: name)) else { continue }
            for (key, gate) in gates(record) {
                let limits = scheduler.queue(name)?.spec.limits ?? []
                let most = limits.first { $0.key == key }?.concurrency ?? .max
                #expect(running[gate] ?? 0 <= most, "\(assignment.task) is one too many of its key")
            }
        }
    }

    /// No task of an open queue waits while a worker that could run it has a free slot.
    private func checkWaiting(_ scheduler: Scheduler) {
        let idle = scheduler.workers().filter { $0.state == .live && $0.running < $0.spec.slots }
        var waiting = 0
        for (id, record) in all(scheduler) where record.state == .ready {
            if record.isParked { continue }
            waiting += 1
            let profile = scheduler.state.profiles[record.profile]
            let queue = scheduler.queue(profile.queue)
            if queue?.isPaused ?? true { continue }
            if queue?.nextTokenAt != nil || queue?.breaker ?? .closed != .closed { continue }
            if queue?.running ?? 0 >= queue?.spec.concurrency ?? .max { continue }
            let namespace = scheduler.namespace(Namespace(of: profile.queue).name)
            if namespace?.running ?? 0 >= namespace?.quota.running ?? .max { continue }
            let able = idle.first {
                $0.spec.handlers.contains(profile.handler)
                    && profile.tags.allSatisfy($0.spec.tags.contains)
            }
            #expect(able == nil, "\(id) waits while \(able?.spec.id ?? "") is idle")
        }
        #expect(waiting == scheduler.index.dispatch.waitingCount)
    }
}
