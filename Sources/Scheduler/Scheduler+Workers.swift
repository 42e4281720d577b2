/// Workers come, go and come back.
extension Scheduler {
    /// A node's own worker. An attached one of its name gives way: a node's name is the node's.
    mutating func registerWorker(_ spec: WorkerSpec, _ events: inout [Event]) -> Outcome {
        guard !Incarnation.isSession(spec.incarnation) else { return .rejected(.malformed) }
        if let (_, record) = knownWorker(spec.id), !Incarnation.isSession(record.incarnation),
            !isCurrent(spec.incarnation, of: spec.id, known: record.incarnation)
        {
            return .rejected(.staleIncarnation)
        }
        return enrol(spec, [], &events)
    }

    /// A worker of any language. Whoever begins a session takes the name over from the session before, because a process
    /// that was started again knows nothing of its former life; what that ran is assigned anew, with other fencing tokens.
    /// Who asks with a key that is known begins nothing.
    mutating func attachWorker(
        _ spec: WorkerSpec, key: String?, _ events: inout [Event]
    ) -> Outcome {
        guard state.roster.member(spec.id) == nil, state.roster.node(spec.id) == nil else {
            return .rejected(.nodeName)
        }
        let record = knownWorker(spec.id)?.record
        let known = record?.incarnation
        if let known, !Incarnation.isSession(known) { return .rejected(.nodeName) }
        if let record, let session = key.flatMap(record.attachments.session(of:)) {
            return record.hasBegun(session, as: spec)
                ? .session(session) : .rejected(.keyConflict)
        }
        var spec = spec
        // Of two sessions that begin in one entry the second is the later one as well.
        spec.incarnation = max(
            Incarnation.session(beginningAt: state.appliedIndex), (known ?? 0) &+ 1)
        var attachments = record?.attachments ?? []
        if let key { attachments.remember(key, spec.incarnation) }
        let outcome = enrol(spec, attachments, &events)
        return outcome == .done ? .session(spec.incarnation) : outcome
    }

    private mutating func enrol(
        _ spec: WorkerSpec, _ attachments: [Attachment], _ events: inout [Event]
    ) -> Outcome {
        if let (number, record) = knownWorker(spec.id) {
            if spec.incarnation == record.incarnation {
                let kept: WorkerView.State = record.state == .draining ? .draining : .live
                replaceRecord(number, spec, kept, attachments)
                events.append(.workerChanged(id: spec.id))
                fill(number, &events)
            } else {
                let lost = loseAttempts(of: number, &events)
                replaceRecord(number, spec, .live, attachments)
                events.append(.workerChanged(id: spec.id))
                resettle(lost, freed: number, &events)
            }
            return .done
        }
        guard index.knownWorkers.count < capacity.workers else { return .rejected(.full) }
        let number = index.workerNumbers[spec.id] ?? state.workers.insert(spec.id)
        index.workerNumbers[spec.id] = number
        let place = index.knownWorkers.firstIndex { $0 > number } ?? index.knownWorkers.count
        index.knownWorkers.insert(number, at: place)
        replaceRecord(number, spec, .live, attachments)
        events.append(.workerChanged(id: spec.id))
        fill(number, &events)
        return .done
    }

    mutating func drainWorker(
        _ id: String, incarnation: UInt64, _ events: inout [Event]
    ) -> Outcome {
        changeState(id, incarnation, to: .draining, &events)
    }

    mutating func undrainWorker(
        _ id: String, incarnation: UInt64, _ events: inout [Event]
    ) -> Outcome {
        let outcome = changeState(id, incarnation, to: .live, &events)
        if outcome == .done, let (number, _) = knownWorker(id) { fill(number, &events) }
        return outcome
    }

    mutating func workerLost(
        _ id: String, incarnation: UInt64, _ events: inout [Event]
    ) -> Outcome {
        guard let (number, record) = knownWorker(id) else { return .rejected(.notFound) }
        guard record.incarnation == incarnation else { return .rejected(.staleIncarnation) }
        guard record.state != .lost else { return .done }
        let lost = loseAttempts(of: number, &events)
        replaceRecord(number, record.spec(id: id), .lost, record.attachments)
        if let record = state.workers.record(number) {
            index.wakes.push(.worker, at: state.forgetTime(record), id: UInt64(number))
        }
        events.append(.workerChanged(id: id))
        resettle(lost, freed: nil, &events)
        return .done
    }

    /// A lost worker that stayed away is forgotten.
    mutating func forgetWorker(_ number: UInt32) {
        index.knownWorkers.removeAll { $0 == number }
        if let name = state.workers.removeRecord(number) { index.workerNumbers[name] = nil }
    }

    mutating func releaseWorkerName(_ number: UInt32) {
        if let name = state.workers.release(number) { index.workerNumbers[name] = nil }
    }

    func knownWorker(_ id: String) -> (number: UInt32, record: WorkerRecord)? {
        guard let number = index.workerNumbers[id], let record = state.workers.record(number)
        else { return nil }
        return (number, record)
    }

    private mutating func changeState(
        _ id: String, _ incarnation: UInt64, to new: WorkerView.State, _ events: inout [Event]
    ) -> Outcome {
        guard let (number, record) = knownWorker(id) else { return .rejected(.notFound) }
        guard record.incarnation == incarnation else { return .rejected(.staleIncarnation) }
        guard record.state != .lost else { return .rejected(.wrongState) }
        guard record.state != new else { return .done }
        replaceRecord(number, record.spec(id: id), new, record.attachments)
        events.append(.workerChanged(id: id))
        return .done
    }

    private mutating func replaceRecord(
        _ number: UInt32, _ spec: WorkerSpec, _ new: WorkerView.State, _ attachments: [Attachment]
    ) {
        let record = WorkerRecord(
            spec, state: new, lostAt: new == .lost ? state.time : 0, attachments: attachments)
        index.dispatch.leave(number)
        state.workers.setRecord(number, record)
        if new == .live { index.dispatch.join(number, name: spec.id, record) }
    }

    /// Ends what runs there, in the order of ids. Returns the tasks that have to be resettled.
    private mutating func loseAttempts(of number: UInt32, _ events: inout [Event]) -> [TaskID] {
        // Nothing may be assigned there while its slots get free one by one.
        index.dispatch.leave(number)
        var lost: [TaskID] = []
        for task in index.dispatch.running(number).sorted() {
            let id = TaskID(task)
            guard let position = state.tasks.position(of: id) else { continue }
            revoke(id, state.tasks[position], &events)
            if loseAttempt(id, at: position, .lost, &events) { lost.append(id) }
        }
        return lost
    }
}
