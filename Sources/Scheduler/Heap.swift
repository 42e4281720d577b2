/// A min-heap of (key, id), in that order. Entries whose reason is gone stay until they come to the top or `tidy` finds
/// them: whoever pops asks the task whether the entry still holds.
///
/// It may hold millions, and nothing that is done to it takes long: entries are in runs of bounded size, each a heap of its
/// own, which stand in a heap by their tops. So it grows without being copied, and is tidied a run at a time.
package struct Heap: Sendable {
    package struct Entry: Comparable, Sendable {
        package var key: UInt64
        package var id: UInt64

        @inline(__always)
        package static func < (left: Entry, right: Entry) -> Bool {
            left.key != right.key ? left.key < right.key : left.id < right.id
        }
    }

    /// Never empty.
    private struct Run: Comparable, Sendable {
        var entries: BinaryHeap<Entry>
        /// The sweep that looked through it last, or in which it was begun.
        var sweep: UInt32

        @inline(__always)
        static func < (left: Run, right: Run) -> Bool {
            left.entries.elements[0] < right.entries.elements[0]
        }

        static func == (left: Run, right: Run) -> Bool {
            left.entries.elements[0] == right.entries.elements[0]
        }
    }

    static let runSize = 2_048

    /// Takes what is pushed until it is a run.
    private var young = BinaryHeap<Entry>()
    private var runs = BinaryHeap<Run>()
    /// The lowest entry of all runs.
    private var runTop: Entry?
    package private(set) var count = 0

    private var sweep: UInt32 = 0
    private var isSweeping = false
    /// Entries that the sweep may still look at.
    private var allowance = 0
    /// What the last sweep left: repeated entries of one task survive it, and must not start the next one.
    private var survivors = 0

    package init() {}

    package var top: Entry? {
        guard let runTop else { return young.top }
        guard let youngTop = young.top, youngTop < runTop else { return runTop }
        return youngTop
    }

    package mutating func push(key: UInt64, id: UInt64) {
        count += 1
        young.push(Entry(key: key, id: id))
        guard young.count == Self.runSize else { return }
        runs.push(Run(entries: young, sweep: sweep))
        young = BinaryHeap()
        noteRuns()
    }

    package mutating func pop() {
        count -= 1
        guard let runTop, !(young.top.map { $0 < runTop } ?? false) else { return young.pop() }
        if runs.elements[0].entries.count == 1 {
            runs.pop()
        } else {
            runs.changeTop { $0.entries.pop() }
        }
        noteRuns()
    }

    mutating func removeAll() {
        count = 0
        young.removeAll()
        runs = BinaryHeap()
        runTop = nil
        isSweeping = false
        survivors = 0
    }

    private mutating func noteRuns() {
        runTop = runs.isEmpty ? nil : runs.elements[0].entries.elements[0]
    }

    // MARK: Tidying

    /// Whether most entries are stale, `live` being the number of those that hold.
    package func isUntidy(live: Int) -> Bool {
        isSweeping || count > 2 * max(live, survivors) + 1_024
    }

    /// Drops stale entries once most are, run by run: a call looks at about `looks` of them, on the average.
    package mutating func tidy(live: Int, looks: Int, keeping holds: (Entry) -> Bool) {
        guard isUntidy(live: live) else { return }
        if !isSweeping {
            isSweeping = true
            allowance = 0
            sweep &+= 1
        }
        allowance += looks
        while let place = runs.elements.firstIndex(where: { $0.sweep != sweep }) {
            guard allowance >= runs.elements[place].entries.count else { return }
            tidyRun(at: place, holds)
        }
        guard allowance >= young.count else { return }
        let before = young.count
        young.removeAll { !holds($0) }
        count -= before - young.count
        isSweeping = false
        survivors = count
    }

    private mutating func tidyRun(at place: Int, _ holds: (Entry) -> Bool) {
        var run = runs.remove(at: place)
        let before = run.entries.count
        allowance -= before
        run.entries.removeAll { !holds($0) }
        run.sweep = sweep
        count -= before - run.entries.count
        if young.count + run.entries.count < Self.runSize {
            // What little is left of many runs comes together again.
            for entry in run.entries.elements { young.push(entry) }
        } else {
            runs.push(run)
        }
        noteRuns()
    }

    // MARK: Looking

    /// In no order.
    func forEach(_ body: (Entry) -> Void) {
        for entry in young.elements { body(entry) }
        for run in runs.elements { for entry in run.entries.elements { body(entry) } }
    }

    /// In order, as far as `key`, until `body` is false. The next lowest entry is always the top of a run, or below one that
    /// was visited.
    func visit(through key: UInt64, _ body: (Entry) -> Bool) {
        var open = BinaryHeap<Place>()
        open.push(in: young.elements, run: nil, 0, through: key)
        for run in runs.elements.indices {
            open.push(in: runs.elements[run].entries.elements, run: run, 0, through: key)
        }
        while let place = open.top {
            open.pop()
            guard body(place.entry) else { return }
            let entries =
                place.run.map { runs.elements[$0].entries.elements } ?? young.elements
            for child in [2 * place.place + 1, 2 * place.place + 2] {
                open.push(in: entries, run: place.run, child, through: key)
            }
        }
    }

    fileprivate struct Place: Comparable, Sendable {
        let entry: Entry
        /// nil: among the young ones.
        let run: Int?
        let place: Int

        @inline(__always)
        static func < (left: Place, right: Place) -> Bool { left.entry < right.entry }
    }
}

extension BinaryHeap<Heap.Place> {
    fileprivate mutating func push(
        in entries: [Heap.Entry], run: Int?, _ place: Int, through key: UInt64
    ) {
        guard place < entries.count, entries[place].key <= key else { return }
        push(Heap.Place(entry: entries[place], run: run, place: place))
    }
}
