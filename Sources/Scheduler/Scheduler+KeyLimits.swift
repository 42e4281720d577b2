/// Key limits: tasks that are held back because others with the same value under a key run, or have started lately.
/// `KeyGates` says how.
extension Scheduler {
    // MARK: Values

    /// Notes the values that the queue's rules ask for. They are the task's for life, and bounded by whatever the
    /// queue says of their keys; a rule of another key holds for tasks that come after it.
    func takeKeys(_ record: inout TaskRecord) {
        let queue = index.dispatch.queue(ofProfile: record.profile)
        guard index.dispatch.queues[Int(queue)].hasKeyLimits else { return }
        var values: [Label] = []
        for limit in state.queues[queue].spec.limits {
            let meta = record.extra?.fields.meta ?? []
            guard let value = limit.value(payload: record.payload, meta: meta) else { continue }
            values.append(Label(name: limit.key, value: value))
        }
        guard !values.isEmpty else { return }
        record.changeExtra { $0.limitKeys = values }
    }

    private func gates(_ record: TaskRecord) -> [UInt64] {
        guard let values = record.extra?.fields.limitKeys, !values.isEmpty else { return [] }
        let queue = index.dispatch.queue(ofProfile: record.profile)
        return values.map { KeyGates.gate(queue: queue, $0) }
    }

    private func limit(_ queue: UInt32, _ key: String) -> KeyLimit? {
        state.queues[queue].spec.limits.first { $0.key == key }
    }

    // MARK: Places

    /// Whether another task with this value may get into its lane.
    private func isOpen(_ number: UInt64) -> Bool {
        guard let gate = index.keyGates.gates[number] else {
            // Nobody has the value now; who had it lately may have taken the last token.
            return state.keyBuckets[number].map { $0.bucket.tokens($0.rate) > 0 } ?? true
        }
        guard let limit = gate.limit else { return true }
        if let concurrency = limit.concurrency, gate.running + gate.reserved >= concurrency {
            return false
        }
        guard let rate = limit.rate else { return true }
        let tokens = state.keyBuckets[number]?.bucket.tokens(rate) ?? Int64(rate.burst)
        return gate.reserved < tokens
    }

    /// It has to be parked: a gate is closed, or others with the same values wait before it.
    func isHeldBack(_ record: TaskRecord) -> Bool {
        guard record.isKeyed else { return false }
        let gates = gates(record)
        return index.keyGates.groups[KeyGates.group(gates)] != nil || !gates.allSatisfy(isOpen)
    }

    /// The task waits or runs from now on.
    mutating func holdKeys(_ id: TaskID, at position: TaskTable.Position) {
        let record = state.tasks[position]
        let queue = index.dispatch.queue(ofProfile: record.profile)
        let gates = gates(record)
        for (place, number) in gates.enumerated() {
            if index.keyGates.gates[number] == nil {
                let key = record.extra?.fields.limitKeys[place].name ?? ""
                index.keyGates.gates[number] = KeyGates.Gate(
                    queue: queue, key: key, limit: limit(queue, key))
            }
            index.keyGates.gates[number]?.members += 1
            if record.state == .running {
                index.keyGates.gates[number]?.running += 1
            } else if !record.isParked {
                index.keyGates.gates[number]?.reserved += 1
            }
        }
        if record.isParked { park(id, record, gates, queue) }
    }

    private mutating func park(
        _ id: TaskID, _ record: TaskRecord, _ gates: [UInt64], _ queue: UInt32
    ) {
        let group = KeyGates.group(gates)
        let entry = Heap.Entry(key: record.startKey, id: id.number)
        let closed = gates.first { !isOpen($0) }
        // One that held the place itself: it was given back since.
        if closed == nil { index.keyGates.changed.append(gates[0]) }
        let gate = closed ?? gates[0]
        index.keyGates.add(entry, toGroup: group, gates, of: queue, at: gate, in: state.tasks)
        keepGate(ofGroup: group)
        index.dispatch.queues[Int(queue)].parked += 1
        if index.keyGates.first(ofGroup: group, in: state.tasks) == entry { announce(group) }
    }

    /// Where a group waits that has several gates is part of the state: after a restore it must wait where it did.
    private mutating func keepGate(ofGroup number: UInt64) {
        let group = index.keyGates.groups[number]
        if group.map({ $0.gates.count > 1 }) ?? (state.groupGates[number] != nil) {
            state.groupGates[number] = group?.gate
        }
    }

    /// Puts the group's first task among those of the gate where it waits.
    private mutating func announce(_ group: UInt64) {
        guard let first = index.keyGates.first(ofGroup: group, in: state.tasks),
            let gate = index.keyGates.groups[group]?.gate
        else { return }
        index.keyGates.gates[gate]?.heads.push(key: first.key, id: first.id)
        guard index.keyGates.gates[gate]?.heads.isUntidy(live: 0) ?? false,
            var heads = index.keyGates.gates[gate]?.heads
        else { return }
        index.keyGates.gates[gate]?.heads = Heap()
        heads.tidy(live: 0, looks: KeyGates.looks) { isFirst($0, at: gate) }
        index.keyGates.gates[gate]?.heads = heads
    }

    /// The task has left a state in which it waited or ran.
    mutating func releaseKeys(
        _ id: TaskID, at position: TaskTable.Position, from old: TaskState, wasParked: Bool
    ) {
        let record = state.tasks[position]
        let queue = index.dispatch.queue(ofProfile: record.profile)
        let gates = gates(record)
        for number in gates {
            index.keyGates.gates[number]?.members -= 1
            if index.keyGates.gates[number]?.members == 0 {
                index.keyGates.gates[number] = nil
            } else if !wasParked {
                if old == .running {
                    index.keyGates.gates[number]?.running -= 1
                } else {
                    index.keyGates.gates[number]?.reserved -= 1
                }
                noteChange(number)
            }
        }
        guard wasParked else { return }
        state.tasks[position].isParked = false
        index.dispatch.queues[Int(queue)].parked -= 1
        let group = KeyGates.group(gates)
        let wasFirst = index.keyGates.groups[group]?.parked.top?.id == id.number
        index.keyGates.removeOne(fromGroup: group)
        keepGate(ofGroup: group)
        if wasFirst { announce(group) }
    }

    private mutating func noteChange(_ number: UInt64) {
        guard index.keyGates.gates[number]?.heads.top != nil else { return }
        index.keyGates.changed.append(number)
    }

    // MARK: Tokens

    /// An attempt starts.
    mutating func takeKeyTokens(at position: TaskTable.Position) {
        let now = state.time
        for number in gates(state.tasks[position]) {
            guard let gate = index.keyGates.gates[number], let rate = gate.limit?.rate else {
                continue
            }
            var entry =
                state.keyBuckets[number]
                ?? KeyBucketTable.Entry(
                    queue: gate.queue, rate: rate, bucket: TokenBucket(fullFor: rate, at: now))
            entry.bucket.take(rate, at: now)
            keep(entry, number)
            noteChange(number)
        }
    }

    /// There is a token, or the bucket is full.
    mutating func refillKey(_ number: UInt64, _ events: inout [Event]) {
        guard var entry = state.keyBuckets[number] else { return }
        if let instant = entry.bucket.opensAt, instant <= state.time {
            entry.bucket.open(entry.rate, at: state.time)
        }
        if entry.bucket.opensAt == nil, entry.bucket.fullAt(entry.rate) <= state.time {
            state.keyBuckets[number] = nil
        } else {
            keep(entry, number)
        }
        noteChange(number)
        startReopened(&events)
    }

    private mutating func keep(_ entry: KeyBucketTable.Entry, _ number: UInt64) {
        state.keyBuckets[number] = entry
        index.wakes.push(.key, at: entry.wakeAt, id: number)
    }

    // MARK: Letting in

    /// Lets tasks into their lanes whose gates have opened.
    mutating func admitParked() {
        var place = 0
        while place < index.keyGates.changed.count {
            admit(at: index.keyGates.changed[place])
            place += 1
        }
        index.keyGates.changed.removeAll(keepingCapacity: true)
    }

    private mutating func admit(at number: UInt64) {
        while isOpen(number), let first = firstParked(at: number) {
            guard let position = state.tasks.position(of: TaskID(first.id)) else {
                preconditionFailure("task \(first.id) is parked and does not exist")
            }
            let gates = gates(state.tasks[position])
            let group = KeyGates.group(gates)
            guard let closed = gates.first(where: { !isOpen($0) }) else {
                letIn(TaskID(first.id), at: position, gates, group)
                announce(group)
                continue
            }
            index.keyGates.gates[number]?.heads.pop()
            index.keyGates.groups[group]?.gate = closed
            keepGate(ofGroup: group)
            announce(group)
        }
    }

    private mutating func firstParked(at number: UInt64) -> Heap.Entry? {
        while let top = index.keyGates.gates[number]?.heads.top {
            if isFirst(top, at: number) { return top }
            index.keyGates.gates[number]?.heads.pop()
        }
        return nil
    }

    /// Whether the entry is of the first task of a group that waits at this gate.
    private func isFirst(_ entry: Heap.Entry, at number: UInt64) -> Bool {
        guard KeyGates.isParked(entry, in: state.tasks),
            let position = state.tasks.position(of: TaskID(entry.id)),
            let group = index.keyGates.groups[KeyGates.group(gates(state.tasks[position]))]
        else { return false }
        return group.gate == number && group.parked.top == entry
    }

    private mutating func letIn(
        _ id: TaskID, at position: TaskTable.Position, _ gates: [UInt64], _ group: UInt64
    ) {
        let queue = index.dispatch.queue(ofProfile: state.tasks[position].profile)
        state.tasks[position].isParked = false
        for gate in gates { index.keyGates.gates[gate]?.reserved += 1 }
        index.dispatch.queues[Int(queue)].parked -= 1
        index.keyGates.removeOne(fromGroup: group)
        keepGate(ofGroup: group)
        let task = index.dispatch.waiting(id, at: position, in: state.tasks)
        index.dispatch.enterLane(task, in: state.tasks)
        index.keyGates.admitted.append(id)
    }

    // MARK: Rules

    /// The queue's rules are other ones now. Where that leaves every task in its place, others are let in as gates have
    /// opened: there may be a million in their places. Else every place is given anew.
    mutating func replaceKeyLimits(_ queue: UInt32) {
        state.keyBuckets.removeAll(of: queue)
        let limits = state.queues[queue].spec.limits
        var hasTooMany = false
        var opened: [(first: Heap.Entry, gate: UInt64)] = []
        for number in index.keyGates.gates.keys {
            guard let gate = index.keyGates.gates[number], gate.queue == queue else { continue }
            let limit = limits.first { $0.key == gate.key }
            if limit != gate.limit { index.keyGates.gates[number]?.limit = limit }
            if gate.reserved > limit?.room(running: gate.running) ?? .max { hasTooMany = true }
            if let first = firstParked(at: number), isOpen(number) {
                opened.append((first, number))
            }
        }
        if hasTooMany { return replaceKeyPlaces(queue) }
        // By their first tasks: the gates come in no order, and the place at a third one may go to whoever is first.
        opened.sort { $0.first < $1.first }
        index.keyGates.changed += opened.map(\.gate)
    }

    private mutating func replaceKeyPlaces(_ queue: UInt32) {
        for number in index.keyGates.gates.keys
        where index.keyGates.gates[number]?.queue == queue {
            index.keyGates.gates[number]?.heads = Heap()
        }
        for id in index.dispatch.keyedTasks(inLanesOf: queue, in: state.tasks) {
            guard let position = state.tasks.position(of: id) else { continue }
            let task = index.dispatch.waiting(id, at: position, in: state.tasks)
            state.tasks[position].isParked = true
            index.dispatch.leaveLane(task, in: state.tasks)
            let gates = gates(state.tasks[position])
            for gate in gates { index.keyGates.gates[gate]?.reserved -= 1 }
            let entry = Heap.Entry(key: state.tasks[position].startKey, id: id.number)
            index.keyGates.add(
                entry, toGroup: KeyGates.group(gates), gates, of: queue, at: gates[0],
                in: state.tasks)
            index.dispatch.queues[Int(queue)].parked += 1
        }
        var firsts = Heap()
        for number in index.keyGates.groups.keys
        where index.keyGates.groups[number]?.queue == queue {
            guard let first = index.keyGates.first(ofGroup: number, in: state.tasks) else {
                continue
            }
            firsts.push(key: first.key, id: first.id)
        }
        while let first = firsts.top {
            firsts.pop()
            settleGroup(of: TaskID(first.id), &firsts)
        }
    }

    /// Lets the group's first task in, or has the group wait where a gate is closed.
    private mutating func settleGroup(of id: TaskID, _ firsts: inout Heap) {
        guard let position = state.tasks.position(of: id) else { return }
        let gates = gates(state.tasks[position])
        let number = KeyGates.group(gates)
        if let closed = gates.first(where: { !isOpen($0) }) {
            index.keyGates.groups[number]?.gate = closed
            keepGate(ofGroup: number)
            return announce(number)
        }
        letIn(id, at: position, gates, number)
        guard let next = index.keyGates.first(ofGroup: number, in: state.tasks) else { return }
        firsts.push(key: next.key, id: next.id)
    }

    // MARK: Snapshots

    /// All tasks are there: groups wait where they did, at a gate that is closed. `gates` are those of groups with several.
    mutating func placeGroups(at gates: [UInt64: UInt64]) throws(CodecError) {
        for number in index.keyGates.groups.keys {
            guard let group = index.keyGates.groups[number] else { continue }
            let gate = group.gates.count > 1 ? gates[number] : group.gates.first
            guard let gate, group.gates.contains(gate), !isOpen(gate) else {
                throw CodecError("tasks are held back by no key")
            }
            index.keyGates.groups[number]?.gate = gate
            keepGate(ofGroup: number)
        }
        guard state.groupGates.count == gates.count else {
            throw CodecError("a group of tasks that is not there waits for a key")
        }
        index.keyGates.changed.removeAll()
        for number in index.keyGates.gates.keys {
            index.keyGates.gates[number]?.heads = Heap()
        }
        for number in index.keyGates.groups.keys { announce(number) }
    }
}

// MARK: Reads

extension Scheduler {
    /// The values that hold a waiting task back; empty if none does.
    public func keyHolds(on id: TaskID) -> [KeyHold] {
        guard let position = state.tasks.position(of: id), state.tasks[position].state == .ready,
            state.tasks[position].isParked
        else { return [] }
        let record = state.tasks[position]
        let values = record.extra?.fields.limitKeys ?? []
        return zip(values, gates(record)).compactMap { value, number in
            guard !isOpen(number), let gate = index.keyGates.gates[number] else { return nil }
            return KeyHold(
                key: value.name, value: value.value, running: gate.running,
                nextTokenAt: state.keyBuckets[number]?.bucket.opensAt)
        }
    }
}

/// A value under a key of which no more tasks may start now.
public struct KeyHold: Equatable, Sendable {
    public var key: String
    public var value: String
    /// Tasks with the value that run.
    public var running: Int
    /// When its rate lets the next one start; nil: it is not the rate that holds it back.
    public var nextTokenAt: Milliseconds?
}
