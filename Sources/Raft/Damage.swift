/// Entries of this node's log whose content is damaged on its disk, from the start of the node until they are
/// whole again on the disk.
struct Damage: Sendable {
    /// What came from peers stands in memory only: everything from here on is written anew once nothing
    /// is lost any more. Until then nothing from here on counts as durable.
    private(set) var start: Index
    /// Still without content, ascending.
    private(set) var lost: [Index]
    /// When the next peer is asked, and how many were asked so far.
    var nextRequestAt: Nanoseconds = 0
    var requests = 0

    /// nil: nothing is lost.
    init?(_ entries: [Entry]) {
        lost = entries.filter { $0.payload == .lost }.map(\.index)
        guard let first = lost.first else { return nil }
        start = first
    }

    var isRepaired: Bool { lost.isEmpty }

    /// The first run of consecutive lost entries.
    var firstRun: ClosedRange<Index>? {
        guard let first = lost.first else { return nil }
        var last = first
        for index in lost.dropFirst() where index == last + 1 { last = index }
        return first...last
    }

    func contains(_ index: Index) -> Bool {
        var low = 0
        var high = lost.count
        while low < high {
            let middle = low + (high - low) / 2
            if lost[middle] < index { low = middle + 1 } else { high = middle }
        }
        return low < lost.count && lost[low] == index
    }

    /// - Parameter indexes: lost until now, ascending.
    mutating func repaired(_ indexes: [Index]) {
        var done = indexes[...]
        lost.removeAll { index in
            guard done.first == index else { return false }
            done.removeFirst()
            return true
        }
    }

    /// The entries from `index` on were cut off.
    mutating func truncate(from index: Index) {
        lost.removeAll { $0 >= index }
    }

    /// A snapshot took the place of everything up to `index`.
    mutating func cover(through index: Index) {
        lost.removeAll { $0 <= index }
        start = max(start, index + 1)
    }
}
