/// A binary min-heap of (key, id), in that order. Entries whose reason is gone stay until they come to the top
/// or until `needsCompaction`: whoever pops asks the task whether the entry still holds.
struct Heap: Sendable {
    struct Entry: Comparable, Sendable {
        var key: UInt64
        var id: UInt64

        @inline(__always)
        static func < (left: Entry, right: Entry) -> Bool {
            left.key != right.key ? left.key < right.key : left.id < right.id
        }
    }

    private(set) var entries: [Entry] = []
    /// What the last compaction left: repeated entries of one task survive it, and must not start the next one.
    private var compactedCount = 0

    var top: Entry? { entries.first }

    mutating func push(key: UInt64, id: UInt64) {
        let entry = Entry(key: key, id: id)
        entries.append(entry)
        var child = entries.count - 1
        entries.withUnsafeMutableBufferPointer { heap in
            while child > 0 {
                let parent = (child - 1) / 2
                guard entry < heap[parent] else { break }
                heap[child] = heap[parent]
                child = parent
            }
            heap[child] = entry
        }
    }

    mutating func pop() {
        let last = entries.removeLast()
        guard !entries.isEmpty else { return }
        entries[0] = last
        siftDown(from: 0)
    }

    /// True when most entries are stale, `live` being the number of those that hold.
    func needsCompaction(live: Int) -> Bool {
        entries.count > 2 * max(live, compactedCount) + 1_024
    }

    mutating func compact(keeping holds: (Entry) -> Bool) {
        entries.removeAll { !holds($0) }
        if entries.capacity > 4 * entries.count + 1_024 {
            var smaller: [Entry] = []
            smaller.reserveCapacity(entries.count)
            smaller.append(contentsOf: entries)
            entries = smaller
        }
        compactedCount = entries.count
        guard entries.count > 1 else { return }
        for position in stride(from: entries.count / 2 - 1, through: 0, by: -1) {
            siftDown(from: position)
        }
    }

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: entries.capacity <= 4_096)
        compactedCount = 0
    }

    private mutating func siftDown(from start: Int) {
        entries.withUnsafeMutableBufferPointer { heap in
            let entry = heap[start]
            var parent = start
            while true {
                var child = 2 * parent + 1
                guard child < heap.count else { break }
                if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
                guard heap[child] < entry else { break }
                heap[parent] = heap[child]
                parent = child
            }
            heap[parent] = entry
        }
    }
}
