/// Start-time fair queueing (Goyal, Vin and Cheng, 1996) with tasks of equal length. The tasks of a queue with one
/// routing key are a flow; those without a key are one together. When a task gets ready, its tag is one more
/// than the queue's virtual time or its flow's last tag, whichever is higher; tasks start in the order of tags, and
/// the virtual time is the highest tag that was started. So the flows take turns, however much one of them holds.
///
/// This is what one flow at one priority has to know to give the next tag: the highest tag among its waiting
/// tasks, and nothing else, so that it can be found again from the tasks alone.
struct Flow: Sendable {
    /// Its waiting tasks.
    private(set) var count = 0
    /// (tag, task) by rising tag; those that wait no more are dropped when they are at the end, or many.
    private var entries: [Heap.Entry] = []

    /// `isNew`: the tag is higher than the virtual time. That of a task that came back is not, and such a tag can't
    /// be the one that counts.
    mutating func add(_ entry: Heap.Entry, isNew: Bool) {
        count += 1
        if isNew { entries.append(entry) }
    }

    mutating func removeOne() { count -= 1 }

    /// The highest tag of a task that waits; 0 if only tasks that came back do.
    mutating func lastTag(in tasks: TaskTable) -> UInt64 {
        while let last = entries.last {
            if Self.isWaiting(last, in: tasks) { break }
            entries.removeLast()
        }
        if entries.count > 2 * count + 64 {
            entries.removeAll { !Self.isWaiting($0, in: tasks) }
        }
        return entries.last?.key ?? 0
    }

    /// In a lane, or parked.
    private static func isWaiting(_ entry: Heap.Entry, in tasks: TaskTable) -> Bool {
        guard let position = tasks.position(of: TaskID(entry.id)) else { return false }
        return tasks[position].state == .ready && tasks[position].tag == entry.key
    }

    /// For tasks that were added in another order than they got ready in.
    mutating func sort() { entries.sort() }
}

/// The flows of one queue at one priority that have waiting tasks.
struct FlowTable: Sendable {
    /// Of tasks without a routing key.
    private var plain = Flow()
    /// By hash of the routing key.
    private var keyed: [UInt64: Flow] = [:]

    mutating func add(_ entry: Heap.Entry, to flow: UInt64?, isNew: Bool) {
        if let flow {
            keyed[flow, default: Flow()].add(entry, isNew: isNew)
        } else {
            plain.add(entry, isNew: isNew)
        }
    }

    mutating func removeOne(from flow: UInt64?) {
        if let flow {
            keyed[flow]?.removeOne()
            if keyed[flow]?.count == 0 { keyed[flow] = nil }
        } else {
            plain.removeOne()
            if plain.count == 0 { plain = Flow() }
        }
    }

    mutating func lastTag(of flow: UInt64?, in tasks: TaskTable) -> UInt64 {
        guard let flow else { return plain.count == 0 ? 0 : plain.lastTag(in: tasks) }
        return keyed[flow]?.lastTag(in: tasks) ?? 0
    }

    mutating func sort() {
        plain.sort()
        for flow in keyed.keys { keyed[flow]?.sort() }
    }
}
