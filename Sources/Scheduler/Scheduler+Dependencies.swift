/// Tasks that wait for others.
///
/// A task's end becomes an `Ending` if anybody waits for it, and whoever waits is told at the end of the entry, in
/// the order of ends and of successors. Telling may end further tasks, whose ends join the queue: a list of work, so
/// that a chain of any length needs no stack. What is over the budget of an entry follows in the next one
/// (`nextWake` asks for it), so that no entry holds the loop for long.
extension Scheduler {
    // MARK: Beginning

    /// Notes which predecessors of a new task have ended already. False if one of them does not exist, or is not
    /// kept any more; in another namespace there are none.
    func resolve(_ dependencies: inout Dependencies, in namespace: Namespace) -> Bool {
        let isKept = dependencies.edges.allSatisfy { self.namespace(of: $0.task) == namespace }
        if isKept { resolveKept(&dependencies) }
        return isKept
    }

    /// A predecessor that is not kept counts as failed.
    func resolveKept(_ dependencies: inout Dependencies) {
        for place in dependencies.edges.indices {
            let task = dependencies.edges[place].task
            guard let position = state.tasks.position(of: task) else {
                dependencies.settle(at: place, .failed)
                continue
            }
            let current = state.tasks[position].state
            // A held task waits for as long as its predecessor may still be brought back.
            guard current.isFinal, current == .succeeded || dependencies.policy != .hold else {
                continue
            }
            note(current, at: position, in: &dependencies, place)
        }
    }

    private func note(
        _ end: TaskState, at position: TaskTable.Position, in dependencies: inout Dependencies,
        _ place: Int
    ) {
        let isSuccess = end == .succeeded
        let result = isSuccess ? state.tasks[position].handedOver : nil
        dependencies.settle(at: place, isSuccess ? .succeeded : .failed, result: result ?? [])
    }

    /// Where a new task goes: it waits for others, or for its time, or starts.
    mutating func begin(_ id: TaskID, at position: TaskTable.Position, _ events: inout [Event]) {
        guard let dependencies = state.tasks[position].extra?.fields.dependencies else {
            if answerFromCache(id, at: position, &events) { return }
            return start(id, at: position, &events)
        }
        // Nobody can be held for what is gone.
        if dependencies.policy != .run,
            let failed = dependencies.edges.first(where: { $0.end == .failed })
        {
            let end = self.state(of: failed.task)?.name ?? "gone"
            return cancelSuccessor(id, at: position, "\(failed.task) is \(end)", &events)
        }
        if dependencies.isAwaiting {
            block(id, at: position, &events)
        } else {
            start(id, at: position, &events)
        }
    }

    private mutating func start(
        _ id: TaskID, at position: TaskTable.Position, _ events: inout [Event]
    ) {
        setDeadline(id, at: position)
        if state.tasks[position].dueAt <= state.time {
            makeReady(id, at: position, &events)
        } else {
            schedule(id, at: position, &events)
        }
    }

    private mutating func block(
        _ id: TaskID, at position: TaskTable.Position, _ events: inout [Event]
    ) {
        setState(.blocked, id, at: position, &events)
        let record = state.tasks[position]
        for key in record.awaited { index.dependents.add(id, to: key) }
        if let expiry = state.expiryWake(record) {
            index.wakes.push(.expiry, at: expiry, id: id.number)
        }
    }

    /// A user wants the task to run again: it waits for those predecessors that have yet to end. That others have
    /// failed, the user knows.
    mutating func beginAgain(
        _ id: TaskID, at position: TaskTable.Position, _ events: inout [Event]
    ) {
        guard var dependencies = state.tasks[position].extra?.fields.dependencies else {
            return start(id, at: position, &events)
        }
        for place in dependencies.edges.indices where dependencies.edges[place].end != .succeeded {
            let task = dependencies.edges[place].task
            guard let predecessor = state.tasks.position(of: task) else {
                dependencies.settle(at: place, .failed)
                continue
            }
            let current = state.tasks[predecessor].state
            if current.isFinal {
                note(current, at: predecessor, in: &dependencies, place)
            } else {
                dependencies.settle(at: place, .awaited)
            }
        }
        state.tasks[position].changeExtra { $0.dependencies = dependencies }
        if dependencies.isAwaiting {
            block(id, at: position, &events)
        } else {
            start(id, at: position, &events)
        }
    }

    // MARK: Ending

    /// The task has reached this final state.
    mutating func noteEnd(_ id: TaskID, at position: TaskTable.Position) {
        let end = state.tasks[position].state
        let result = end == .succeeded ? state.tasks[position].handedOver : nil
        let ending = Ending(task: id, state: end, isGone: false, result: result ?? [])
        if hasListeners(ending) { state.endings.append(ending) }
    }

    private func hasListeners(_ ending: Ending) -> Bool {
        ending.listeners.contains { !index.dependents.isEmpty($0) }
    }

    /// The task is dropped: whoever was held until it succeeds waits for nothing.
    mutating func noteDrop(_ id: TaskID, _ record: TaskRecord) {
        guard !index.dependents.isEmpty(Dependents.Key(predecessor: id, isHeld: true)) else {
            return
        }
        state.endings.append(Ending(task: id, state: record.state, isGone: true))
    }

    /// A blocked task is about to leave that state.
    mutating func stopAwaiting(at position: TaskTable.Position) {
        for key in state.tasks[position].awaited { leaveDependents(key) }
    }

    private mutating func leaveDependents(_ key: Dependents.Key) {
        let tasks = state.tasks
        index.dependents.leave(key) { tasks.isAwaiting($0, key.predecessor) }
    }

    /// Tells whoever waits, as far as the budget of one entry goes.
    mutating func tellEndings(_ events: inout [Event]) {
        var budget = capacity.settlementsPerEntry
        while let ending = state.endings.first {
            guard hasListeners(ending) else {
                state.endings.removeFirst()
                continue
            }
            guard budget > 0 else { return }
            if let (id, key) = nextSuccessor(of: ending, &budget) {
                tell(id, key, ending, &events)
            }
        }
    }

    private mutating func nextSuccessor(
        of ending: Ending, _ budget: inout Int
    ) -> (TaskID, Dependents.Key)? {
        for key in ending.listeners {
            while let id = index.dependents.popFirst(key) {
                // An entry of a task that waits no more costs nothing: after a restore it is not there.
                guard state.tasks.isAwaiting(id, ending.task) else { continue }
                budget -= 1
                return (id, key)
            }
        }
        return nil
    }

    private mutating func tell(
        _ id: TaskID, _ key: Dependents.Key, _ ending: Ending, _ events: inout [Event]
    ) {
        guard let position = state.tasks.position(of: id),
            var dependencies = state.tasks[position].extra?.fields.dependencies,
            let place = dependencies.place(of: ending.task)
        else { preconditionFailure("\(id) waits for \(ending.task) and does not exist") }
        let isSuccess = ending.state == .succeeded
        dependencies.settle(
            at: place, isSuccess ? .succeeded : .failed, result: ending.result)
        state.tasks[position].changeExtra { $0.dependencies = dependencies }
        leaveDependents(key)
        if !isSuccess, dependencies.policy != .run {
            let end = ending.isGone ? "gone" : ending.state.name
            cancelSuccessor(id, at: position, "\(ending.task) is \(end)", &events)
        } else if !dependencies.isAwaiting {
            start(id, at: position, &events)
        }
    }

    private mutating func cancelSuccessor(
        _ id: TaskID, at position: TaskTable.Position, _ reason: String, _ events: inout [Event]
    ) {
        moveAttemptToHistory(at: position)
        setError(
            at: position, message: "\(reason), which it was to wait for", kind: "dependency")
        complete(id, at: position, .cancelled, &events)
    }
}

extension TaskRecord {
    /// The groups of `Dependents` in which a blocked task with this record stands.
    var awaited: [Dependents.Key] {
        guard let dependencies = extra?.fields.dependencies else { return [] }
        return dependencies.edges.compactMap { edge in
            guard edge.end == .awaited else { return nil }
            return Dependents.Key(
                predecessor: edge.task, isHeld: dependencies.policy == .hold)
        }
    }
}

extension TaskTable {
    fileprivate func isAwaiting(_ successor: TaskID, _ predecessor: TaskID) -> Bool {
        guard let position = position(of: successor), self[position].state == .blocked,
            let dependencies = self[position].extra?.fields.dependencies,
            let place = dependencies.place(of: predecessor)
        else { return false }
        return dependencies.edges[place].end == .awaited
    }
}
