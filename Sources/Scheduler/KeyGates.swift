/// Values of keys that queues bound, and the tasks that are held back by them. Derived from the state.
///
/// A task whose queue has key limits has a value under some of their keys; each value is a *gate*. A task that waits in its
/// lane holds a place at each of its gates, as one that runs does; one that finds a gate closed is *parked* and in no lane.
/// So lanes never hold a task that may not start for its keys, and the 100,000 others of a busy customer are looked at
/// one by one, as places get free.
///
/// Parked tasks with the same gates are a group, which waits at one of the gates that are closed. When that opens, its
/// first task is let into its lane, or the whole group moves on to another gate that is closed.
struct KeyGates: Sendable {
    struct Gate: Sendable {
        let queue: UInt32
        let key: String
        /// nil: no rule of the queue names the key any more.
        var limit: KeyLimit?
        var running = 0
        /// Tasks in lanes.
        var reserved = 0
        /// Tasks that run, stand in lanes or are parked.
        var members = 0
        /// (`TaskRecord.startKey`, task): the first of each group that waits here. Others come up now and then.
        var heads = Heap()
    }

    struct Group: Sendable {
        let queue: UInt32
        let gates: [UInt64]
        /// Where it waits.
        var gate: UInt64
        /// (`TaskRecord.startKey`, task). Entries of tasks that are parked no more come up now and then.
        var parked = Heap()
        var count = 0
    }

    /// By number: a hash of queue, key and value.
    var gates = Shards<UInt64, Gate>()
    /// By number: the gate's, or a hash of those of several gates.
    var groups = Shards<UInt64, Group>()
    /// Gates with parked tasks that may have opened.
    var changed: [UInt64] = []
    /// Tasks that were let into their lanes and have not met the free workers yet.
    var admitted: [TaskID] = []

    /// Entries that are looked at to tidy up when another one comes.
    static let looks = 16

    static func gate(queue: UInt32, _ value: Label) -> UInt64 {
        var hash = StableHash(seed: UInt64(queue))
        hash.mix(value.name)
        hash.mix(value.value)
        return hash.digest
    }

    static func group(_ gates: [UInt64]) -> UInt64 {
        guard gates.count > 1 else { return gates[0] }
        var hash = StableHash()
        for gate in gates { hash.mix(gate) }
        return hash.digest
    }

    static func isParked(_ entry: Heap.Entry, in tasks: TaskTable) -> Bool {
        guard let position = tasks.position(of: TaskID(entry.id)) else { return false }
        return tasks[position].state == .ready && tasks[position].isParked
            && tasks[position].startKey == entry.key
    }

    /// The group's first task; nil: there is none.
    mutating func first(ofGroup number: UInt64, in tasks: TaskTable) -> Heap.Entry? {
        while let top = groups[number]?.parked.top {
            if Self.isParked(top, in: tasks) { return top }
            groups[number]?.parked.pop()
        }
        return nil
    }

    /// Puts a parked task into its group, which is made if it is not there, to wait at `gate`.
    mutating func add(
        _ entry: Heap.Entry, toGroup number: UInt64, _ gates: [UInt64], of queue: UInt32,
        at gate: UInt64, in tasks: TaskTable
    ) {
        var group = groups[number] ?? Group(queue: queue, gates: gates, gate: gate)
        groups[number] = nil
        group.parked.push(key: entry.key, id: entry.id)
        group.count += 1
        group.parked.tidy(live: group.count, looks: Self.looks) { Self.isParked($0, in: tasks) }
        groups[number] = group
    }

    /// A task of the group is parked no more.
    mutating func removeOne(fromGroup number: UInt64) {
        groups[number]?.count -= 1
        if groups[number]?.count == 0 { groups[number] = nil }
    }
}
