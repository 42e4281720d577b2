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
        index >= start && lost.contains(index)
    }

    mutating func repaired(_ index: Index) {
        lost.removeAll { $0 == index }
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
