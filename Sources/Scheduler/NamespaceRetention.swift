/// What a namespace says otherwise than the cluster of how long tasks that have ended are kept; nil: what the cluster says.
public struct NamespaceRetention: Equatable, Sendable {
    public var succeededMilliseconds: Milliseconds?
    public var cancelledMilliseconds: Milliseconds?
    public var expiredMilliseconds: Milliseconds?
    public var deadMilliseconds: Milliseconds?
    /// Succeeded, cancelled and expired ones of the namespace together. Beside the cluster's limit, which counts all.
    public var maxFinished: UInt32?
    public var maxDead: UInt32?

    public init() {}

    func milliseconds(_ state: TaskState) -> Milliseconds? {
        switch state {
        case .succeeded: succeededMilliseconds
        case .cancelled: cancelledMilliseconds
        case .expired: expiredMilliseconds
        case .dead: deadMilliseconds
        case .scheduled, .blocked, .ready, .running: nil
        }
    }

    func limit(_ reason: Wakes.Reason) -> UInt32? { reason == .dead ? maxDead : maxFinished }
}

/// ```
/// retention  succeeded · cancelled · expired · dead (bool · i64, ms)… · maxFinished · maxDead (bool · u32)…
/// ```
extension NamespaceRetention {
    func encode(into writer: inout ByteWriter) {
        writer.put(succeededMilliseconds)
        writer.put(cancelledMilliseconds)
        writer.put(expiredMilliseconds)
        writer.put(deadMilliseconds)
        for limit in [maxFinished, maxDead] {
            writer.put(limit != nil)
            if let limit { writer.put(limit) }
        }
    }

    /// Throws if the bytes are damaged or a value is over its limit.
    init(from reader: inout ByteReader) throws(CodecError) {
        succeededMilliseconds = try Self.age(&reader)
        cancelledMilliseconds = try Self.age(&reader)
        expiredMilliseconds = try Self.age(&reader)
        deadMilliseconds = try Self.age(&reader)
        if try reader.bool() { maxFinished = try reader.uint32() }
        if try reader.bool() { maxDead = try reader.uint32() }
        for limit in [maxFinished, maxDead] {
            guard Retention.countRange.contains(limit ?? 0) else {
                throw CodecError("\(limit ?? 0) tasks can't be kept")
            }
        }
    }

    private static func age(_ reader: inout ByteReader) throws(CodecError) -> Milliseconds? {
        guard try reader.bool() else { return nil }
        return try reader.milliseconds("retention", in: Retention.ageRange)
    }
}

/// Ended tasks of the namespaces that keep a number of their own, in the order in which they go. Derived from the tasks.
struct KeptTasks: Sendable {
    private struct Place: Hashable {
        let space: UInt32
        let reason: Wakes.Reason
    }

    private var heaps: [Place: Heap] = [:]
    /// In ascending order.
    private(set) var spaces: [UInt32] = []

    mutating func limit(_ space: UInt32, _ isLimited: Bool) {
        for reason in Scheduler.endReasons { heaps[Place(space: space, reason: reason)] = nil }
        spaces.removeAll { $0 == space }
        guard isLimited else { return }
        for reason in Scheduler.endReasons { heaps[Place(space: space, reason: reason)] = Heap() }
        spaces.append(space)
        spaces.sort()
    }

    mutating func push(
        _ space: UInt32, _ reason: Wakes.Reason, at instant: Milliseconds, _ id: UInt64
    ) {
        heaps[Place(space: space, reason: reason)]?.push(key: UInt64(instant), id: id)
    }

    /// No namespace keeps track of anything any more, and each goes on doing so.
    mutating func removeAll() {
        for place in heaps.keys { heaps[place]?.removeAll() }
    }

    /// In the order in which they go, as far as `instant`, whether they still hold or not, until `body` is false.
    func visit(
        _ space: UInt32, _ reason: Wakes.Reason, through instant: Milliseconds,
        _ body: (Heap.Entry) -> Bool
    ) {
        guard instant >= 0 else { return }
        heaps[Place(space: space, reason: reason)]?.visit(through: UInt64(instant), body)
    }

    func isUntidy(_ space: UInt32, _ reason: Wakes.Reason, live: Int) -> Bool {
        heaps[Place(space: space, reason: reason)]?.isUntidy(live: live) ?? false
    }

    mutating func tidy(
        _ space: UInt32, _ reason: Wakes.Reason, live: Int, holds: (Heap.Entry) -> Bool
    ) {
        heaps[Place(space: space, reason: reason)]?.tidy(
            live: live, looks: Heap.runSize, keeping: holds)
    }

    /// The first one that holds; stale ones before it are taken off.
    mutating func top(
        _ space: UInt32, _ reason: Wakes.Reason, holds: (Heap.Entry) -> Bool
    ) -> Heap.Entry? {
        let place = Place(space: space, reason: reason)
        while let top = heaps[place]?.top {
            if holds(top) { return top }
            heaps[place]?.pop()
        }
        return nil
    }
}

extension Scheduler {
    static let endReasons = [Wakes.Reason.finished, .dead]

    /// What is said of ended tasks of this namespace holds for those that have ended already as well.
    mutating func setRetention(_ retention: NamespaceRetention, ofSpace number: UInt32) {
        guard retention != state.namespaces[number].retention else { return }
        state.namespaces[number].retention = retention
        noteRetention(number)
        pushEnds { state, index, record in
            index.dispatch.queues[Int(index.dispatch.queue(ofProfile: record.profile))].space
                == number
        }
    }

    /// Of a namespace that is new here.
    mutating func noteRetention(_ number: UInt32) {
        let retention = state.namespaces[number].retention
        index.kept.limit(number, retention.maxFinished != nil || retention.maxDead != nil)
    }

    /// The old wakes of these tasks are stale, and come up as such.
    mutating func pushEnds(
        where isMeant: (ReplicatedState, DerivedIndex, TaskRecord) -> Bool = { _, _, _ in true }
    ) {
        for (number, chunk) in zip(state.tasks.numbers, state.tasks.chunks) {
            for (slot, row) in chunk.places where chunk.records[row].state.isFinal {
                let record = chunk.records[row]
                guard isMeant(state, index, record) else { continue }
                pushEnd(TaskID(number << 8 + UInt64(slot)), record)
            }
        }
    }

    /// The task has ended, and goes when its time has come.
    mutating func pushEnd(_ id: TaskID, _ record: TaskRecord) {
        let reason: Wakes.Reason = record.state == .dead ? .dead : .finished
        guard let wake = state.wakeTime(reason, record) else { return }
        index.wakes.push(reason, at: wake, id: id.number)
        noteKept(id, record, reason, wake)
    }

    mutating func noteKept(
        _ id: TaskID, _ record: TaskRecord, _ reason: Wakes.Reason, _ wake: Milliseconds
    ) {
        guard !index.kept.spaces.isEmpty else { return }
        let space = index.dispatch.queues[Int(index.dispatch.queue(ofProfile: record.profile))]
            .space
        index.kept.push(space, reason, at: wake, id.number)
        // Those that went by their age, below the limit, are still in there.
        let live = index.dispatch.spaces[Int(space)].kept(reason)
        guard index.kept.isUntidy(space, reason, live: live) else { return }
        let (state, names) = (state, index.scheduleNames)
        index.kept.tidy(space, reason, live: live) { state.holds(reason, $0, names) }
    }

    /// How many more tasks of the namespace are kept than shall be.
    func surplus(_ reason: Wakes.Reason, ofSpace number: UInt32) -> Int {
        guard let limit = state.namespaces[number].retention.limit(reason) else { return 0 }
        return max(0, index.dispatch.spaces[Int(number)].kept(reason) - Int(limit))
    }

    /// A namespace keeps more than it shall, of what may go by itself.
    var isAnySpaceOverfull: Bool {
        !state.retention.isExported
            && index.kept.spaces.contains { space in
                Self.endReasons.contains { surplus($0, ofSpace: space) > 0 }
            }
    }

    /// Drops those whose time would be up first, at most so many of all namespaces. Returns how many.
    mutating func dropSpaceOverflow(atMost budget: Int) -> Int {
        guard !state.retention.isExported else { return 0 }
        var dropped = 0
        for space in index.kept.spaces {
            for reason in Self.endReasons {
                while dropped < budget, surplus(reason, ofSpace: space) > 0 {
                    guard let oldest = oldestKept(reason, ofSpace: space) else {
                        preconditionFailure(
                            "a final task of namespace \(space) is not kept track of")
                    }
                    remove(TaskID(oldest.id))
                    dropped += 1
                }
            }
        }
        return dropped
    }

    mutating func oldestKept(
        _ reason: Wakes.Reason, ofSpace space: UInt32
    ) -> Heap.Entry? {
        let (state, names) = (state, index.scheduleNames)
        return index.kept.top(space, reason) {
            state.holds(reason, $0, names)
        }
    }
}
