/// The entries of a heap in ascending order, found without changing it: the next smallest one is always a child of one that
/// was visited. A step costs the logarithm of the steps before it.
struct HeapWalk {
    private let entries: [Heap.Entry]
    /// Places of entries, under the keys of those. Equal keys come in the order of places, which is the same on every node
    /// with the same heap, and on no other.
    private var open = Heap()

    init(_ entries: [Heap.Entry]) {
        self.entries = entries
        if let first = entries.first { open.push(key: first.key, id: 0) }
    }

    var nextKey: UInt64? { open.top?.key }

    mutating func next() -> Heap.Entry? {
        guard let place = open.top else { return nil }
        open.pop()
        for child in [2 * Int(place.id) + 1, 2 * Int(place.id) + 2] where child < entries.count {
            open.push(key: entries[child].key, id: UInt64(child))
        }
        return entries[Int(place.id)]
    }
}
