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
    /// (tag, task) by rising tag, in pieces of bounded size: the newest ones, and those before them. Entries of tasks that
    /// wait no more are dropped when they are at the end, or many.
    private var newest: [Heap.Entry] = []
    private var older: [[Heap.Entry]] = []
    /// Entries in `older`.
    private var olderCount = 0
    /// The piece to be tidied next, and how many entries may be looked at for that.
    private var untidy = 0
    private var allowance = 0

    private static let pieceSize = 1_024
    /// Entries that are looked at to tidy up when a task waits no more.
    private static let looks = 8

    /// `isNew`: the tag is higher than the virtual time. That of a task that came back is not, and such a tag can't
    /// be the one that counts.
    mutating func add(_ entry: Heap.Entry, isNew: Bool) {
        count += 1
        guard isNew else { return }
        if newest.count == Self.pieceSize {
            older.append(newest)
            olderCount += newest.count
            newest = []
        }
        newest.append(entry)
    }

    mutating func removeOne(in tasks: TaskTable) {
        count -= 1
        // Two, so that many of them don't wait for whoever gets ready next.
        for _ in 0..<2 {
            guard let last = newest.last, !Self.isWaiting(last, in: tasks) else { break }
            dropLast()
        }
        tidy(in: tasks)
    }

    /// The highest tag of a task that waits; 0 if only tasks that came back do.
    mutating func lastTag(in tasks: TaskTable) -> UInt64 {
        while let last = newest.last {
            if Self.isWaiting(last, in: tasks) { return last.key }
            dropLast()
        }
        return 0
    }

    /// `newest` is empty only if there are no others.
    private mutating func dropLast() {
        newest.removeLast()
        guard newest.isEmpty, let piece = older.popLast() else { return }
        olderCount -= piece.count
        newest = piece
    }

    /// A piece at a time, as long as most of the entries may be stale.
    private mutating func tidy(in tasks: TaskTable) {
        guard olderCount + newest.count > 2 * count + 64 else { return }
        allowance += Self.looks
        if untidy >= older.count {
            guard allowance >= newest.count else { return }
            allowance = 0
            untidy = 0
            newest.removeAll { !Self.isWaiting($0, in: tasks) }
            if newest.isEmpty, let piece = older.popLast() {
                olderCount -= piece.count
                newest = piece
            }
            return
        }
        guard allowance >= older[untidy].count else { return }
        allowance = 0
        let piece = older[untidy].filter { Self.isWaiting($0, in: tasks) }
        olderCount -= older[untidy].count - piece.count
        if untidy > 0, older[untidy - 1].count + piece.count <= Self.pieceSize {
            older[untidy - 1] += piece
            older.remove(at: untidy)
        } else if piece.isEmpty {
            older.remove(at: untidy)
        } else {
            older[untidy] = piece
            untidy += 1
        }
    }

    /// In a lane, or parked.
    private static func isWaiting(_ entry: Heap.Entry, in tasks: TaskTable) -> Bool {
        guard let position = tasks.position(of: TaskID(entry.id)) else { return false }
        return tasks[position].state == .ready && tasks[position].tag == entry.key
    }

    /// For tasks that were added in another order than they got ready in.
    mutating func sort() {
        guard !older.isEmpty else { return newest.sort() }
        let entries = (older.flatMap { $0 } + newest).sorted()
        older = stride(from: 0, to: entries.count, by: Self.pieceSize).map { begin in
            Array(entries[begin..<min(entries.count, begin + Self.pieceSize)])
        }
        newest = older.removeLast()
        olderCount = entries.count - newest.count
    }
}

/// The flows of one queue at one priority that have waiting tasks.
struct FlowTable: Sendable {
    /// Of tasks without a routing key.
    private var plain = Flow()
    /// By hash of the routing key.
    private var keyed = Shards<UInt64, Flow>()

    mutating func add(_ entry: Heap.Entry, to flow: UInt64?, isNew: Bool) {
        if let flow {
            keyed[flow, default: Flow()].add(entry, isNew: isNew)
        } else {
            plain.add(entry, isNew: isNew)
        }
    }

    mutating func removeOne(from flow: UInt64?, in tasks: TaskTable) {
        if let flow {
            keyed[flow]?.removeOne(in: tasks)
            if keyed[flow]?.count == 0 { keyed[flow] = nil }
        } else {
            plain.removeOne(in: tasks)
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
