/// Namespaces: something in one is named, and there it is. What is said of it holds from then on.
extension Scheduler {
    mutating func putNamespace(
        _ name: String, _ quota: NamespaceQuota, _ retention: NamespaceRetention,
        _ events: inout [Event]
    ) -> Outcome {
        let namespace = Namespace(name: name)
        guard NamespaceRecord.isName(name) else { return .rejected(.malformed) }
        guard hasRoom(for: namespace) else { return .rejected(.full) }
        let number = namespaceNumber(namespace)
        var record = state.namespaces[number]
        let existed = record.isDeclared
        if quota.submitRate != record.quota.submitRate {
            record.bucket = quota.submitRate.map { TokenBucket(fullFor: $0, at: state.time) }
        }
        record.quota = quota
        record.isDeclared = true
        state.namespaces[number] = record
        index.dispatch.configure(space: number, record)
        setRetention(retention, ofSpace: number)
        // More may run than before.
        startReopened(&events)
        return .put(existed: existed)
    }

    /// Only when it is empty; queues without tasks go with it.
    mutating func deleteNamespace(_ name: String) -> Outcome {
        guard let number = index.namespaceNumbers[name] else { return .rejected(.notFound) }
        let queues = index.dispatch.spaces[Int(number)].queues
        guard number != NamespaceTable.standard,
            queues.allSatisfy({ !state.queues.isReferenced($0) }),
            !hasSchedulesOrTemplates(state.namespaces[number])
        else { return .rejected(.wrongState) }
        // In an order that is the same wherever the state came from: freed numbers are given out again in it.
        for queue in queues.sorted() { forgetQueue(queue, state.queues.remove(queue)) }
        // The last queue may have taken it along.
        if index.namespaceNumbers[name] == number { dropNamespace(number) }
        return .done
    }

    /// Whether it is there, or there may be another one.
    func hasRoom(for namespace: Namespace) -> Bool {
        index.namespaceNumbers[namespace.name] != nil
            || state.namespaces.count < Limits.maxNamespaces
                && NamespaceRecord.isName(namespace.name)
    }

    /// Makes the namespace if it is not there.
    @discardableResult
    mutating func namespaceNumber(_ namespace: Namespace) -> UInt32 {
        if let number = index.namespaceNumbers[namespace.name] { return number }
        let record = NamespaceRecord(name: namespace.name)
        let number = state.namespaces.insert(record)
        noteNamespace(record, number)
        return number
    }

    mutating func noteNamespace(_ record: NamespaceRecord, _ number: UInt32) {
        index.namespaceNumbers[record.name] = number
        index.dispatch.addSpace(number, record)
    }

    /// Something of the namespace is gone. One that nobody has put goes with the last of it.
    mutating func releaseNamespace(_ namespace: Namespace) {
        guard !namespace.isStandard, let number = index.namespaceNumbers[namespace.name],
            isUnused(number)
        else { return }
        dropNamespace(number)
    }

    func isUnused(_ number: UInt32) -> Bool {
        let record = state.namespaces[number]
        return number != NamespaceTable.standard && !record.isDeclared
            && index.dispatch.spaces[Int(number)].queues.isEmpty
            && !hasSchedulesOrTemplates(record)
    }

    private func hasSchedulesOrTemplates(_ record: NamespaceRecord) -> Bool {
        let namespace = Namespace(name: record.name)
        return !state.schedules.records(in: namespace, after: nil, limit: 1).isEmpty
            || !templates(in: namespace, after: nil, limit: 1).isEmpty
    }

    private mutating func dropNamespace(_ number: UInt32) {
        index.namespaceNumbers[state.namespaces[number].name] = nil
        index.kept.limit(number, false)
        state.namespaces.remove(number)
    }

    // MARK: What is submitted

    /// Why so many tasks can't be submitted to a queue; nil: they can, and are counted. The queue's number is nil if
    /// it is not there yet.
    mutating func admit(_ count: Int, to queue: UInt32?, named name: String) -> Rejection? {
        guard state.tasks.count + count <= capacity.tasks else { return .full }
        guard let queue else {
            guard hasRoom(forQueue: name) else { return .full }
            let space = index.namespaceNumbers[Namespace(of: name).name]
            return space.flatMap { admit(count, toSpace: $0) }
        }
        guard hasRoom(for: count, inQueue: queue) else { return .queueFull }
        return admit(count, toSpace: index.dispatch.queues[Int(queue)].space)
    }

    mutating func admit(_ count: Int, toSpace space: UInt32) -> Rejection? {
        guard hasRoom(for: count, inSpace: space) else { return .namespaceFull }
        guard index.dispatch.spaces[Int(space)].countsSubmits,
            let rate = state.namespaces[space].quota.submitRate,
            var bucket = state.namespaces[space].bucket
        else { return nil }
        guard bucket.take(count, rate, at: state.time) else { return .namespaceRate }
        state.namespaces[space].bucket = bucket
        return nil
    }

    func hasRoom(for count: Int, inSpace space: UInt32) -> Bool {
        index.dispatch.spaces[Int(space)].pending + count
            <= index.dispatch.spaces[Int(space)].maxPending
    }

    /// An idempotency key means something within its namespace only.
    func keyHash(_ bytes: [UInt8], _ key: Range<Int>, _ namespace: Namespace) -> KeyHash {
        guard !namespace.isStandard else { return KeyHash(bytes, key) }
        let scoped = [0] + Array(namespace.name.utf8) + [0] + bytes[key]
        return KeyHash(scoped, 0..<scoped.count)
    }

    // MARK: Reads

    /// That of the task's queue; nil if there is no such task.
    public func namespace(of id: TaskID) -> Namespace? {
        state.tasks.position(of: id).map {
            Namespace(of: state.profiles[state.tasks[$0].profile].queue)
        }
    }

    public func namespace(_ name: String) -> NamespaceView? {
        index.namespaceNumbers[name].map { view($0) }
    }

    /// When the namespace's rate lets so many tasks be submitted, at most its burst, if nobody submits others before.
    public func submitInstant(_ count: Int, namespace name: String) -> Milliseconds? {
        guard let number = index.namespaceNumbers[name],
            let rate = state.namespaces[number].quota.submitRate
        else { return nil }
        return state.namespaces[number].bucket?.readyAt(min(count, Int(rate.burst)), rate)
    }

    /// Sorted by name, in byte order, those behind `name`.
    public func namespaces(after name: String?, limit: Int) -> [NamespaceView] {
        var names = index.namespaceNumbers.keys.sorted(by: isBefore)
        if let name { names.removeAll { !isBefore(name, $0) } }
        return names.prefix(max(0, limit)).compactMap { namespace($0) }
    }

    private func view(_ number: UInt32) -> NamespaceView {
        let record = state.namespaces[number]
        let load = index.dispatch.spaces[Int(number)]
        return NamespaceView(
            name: record.name, quota: record.quota, retention: record.retention,
            pending: load.pending, running: load.running,
            queues: load.queues.count)
    }
}

/// A namespace as clients see it.
public struct NamespaceView: Equatable, Sendable {
    public var name: String
    public var quota: NamespaceQuota
    public var retention: NamespaceRetention
    /// Tasks that wait for their time, for others or for a slot.
    public var pending: Int
    public var running: Int
    public var queues: Int
}
