/// The part of the replicated log that is in memory: everything behind `base`.
///
/// Reading by index, appending and cutting off the end cost the same at any length. Dropping a prefix
/// only moves `base`; the memory behind it is given back in portions (`releaseSome`), because freeing a
/// few hundred thousand payloads at once would hold up the loop for longer than a heartbeat.
struct Log: Sendable {
    /// The entry before the first: covered by a snapshot, or (0, 0).
    private(set) var base: (index: Index, term: Term)
    /// The newest durable snapshot. Entries at or below it may still be in memory for slow followers.
    private(set) var snapshotMark: SnapshotMark
    /// The configurations behind `snapshotMark`, appended but not necessarily committed, oldest first.
    private(set) var configurations: [(index: Index, configuration: Configuration)] = []

    /// Slots before `head` are dropped, those before `released` hold no payload any more.
    private var entries: [Entry]
    private var head = 0
    private var released = 0
    /// For each slot the bytes of all entries up to and including it, since this log was made.
    private var endBytes: [Int]
    private var baseBytes = 0

    init(_ recovered: Recovered) {
        base = (recovered.snapshot.index, recovered.snapshot.term)
        snapshotMark = recovered.snapshot
        entries = []
        endBytes = []
        for entry in recovered.entries { append(entry) }
    }

    var firstIndex: Index { base.index + 1 }
    var lastIndex: Index { base.index + UInt64(entries.count - head) }
    var lastTerm: Term { entries.count > head ? entries[entries.count - 1].term : base.term }

    /// The newest configuration governs from the moment it is appended (section 6).
    var configuration: Configuration {
        configurations.last?.configuration ?? snapshotMark.configuration
    }

    /// Where the newest configuration stands; the snapshot's index if that holds it.
    var configurationIndex: Index { configurations.last?.index ?? snapshotMark.index }

    /// nil for what the log does not reach, at either end.
    func term(at index: Index) -> Term? {
        if index == base.index { return base.term }
        guard index > base.index, index <= lastIndex else { return nil }
        return entries[slot(index)].term
    }

    subscript(index: Index) -> Entry {
        precondition(index >= firstIndex && index <= lastIndex, "no such entry in memory")
        return entries[slot(index)]
    }

    /// Shares the log's storage: let go of it before the log changes, or the change copies the log.
    func slice(from: Index, through: Index) -> ArraySlice<Entry> {
        precondition(from >= firstIndex && through <= lastIndex, "no such entries in memory")
        guard from <= through else { return [] }
        return entries[slot(from)...slot(through)]
    }

    /// Bytes of the entries behind `index`.
    func bytes(behind index: Index) -> Int { bytes(through: lastIndex) - bytes(through: index) }

    /// The last entry of the longest run beginning at `from` that has at most `maxBytes`; at least `from`.
    func lastIndex(ofRunFrom from: Index, maxBytes: Int) -> Index {
        let limit = bytes(through: from - 1) + maxBytes
        if bytes(through: lastIndex) <= limit { return lastIndex }
        return max(from, highest(from: from, through: lastIndex) { bytes(through: $0) <= limit })
    }

    /// Where the run of entries with the term of the entry at `index` begins, as far as it is in memory.
    func firstIndex(ofTermAt index: Index) -> Index {
        let sought = self[index].term
        return highest(from: firstIndex, through: index) { entries[slot($0)].term < sought } + 1
    }

    /// The last entry at or below `through` whose term is at most `term`; `base.index` if there is none.
    func lastIndex(withTermAtMost term: Term, through: Index) -> Index {
        highest(from: firstIndex, through: min(through, lastIndex)) {
            entries[slot($0)].term <= term
        }
    }

    /// The configuration in force after the entry at `index`.
    func configuration(at index: Index) -> Configuration {
        precondition(index >= snapshotMark.index && index <= lastIndex)
        return configurations.last { $0.index <= index }?.configuration
            ?? snapshotMark.configuration
    }

    /// The configuration in force after the entry at `index`, and all later ones, oldest first.
    func configurations(from index: Index) -> [Configuration] {
        [configuration(at: index)] + configurations.filter { $0.index > index }.map(\.configuration)
    }

    mutating func append(_ entry: Entry) {
        precondition(entry.index == lastIndex + 1, "entries are consecutive")
        precondition(entry.term >= lastTerm, "terms never fall along the log")
        if case .configuration(let configuration) = entry.payload {
            configurations.append((entry.index, configuration))
        }
        endBytes.append((endBytes.last ?? baseBytes) + entry.sizeBytes)
        entries.append(entry)
    }

    /// Gives lost entries, ascending, their content; in one pass, as every size behind them changes.
    mutating func fill(_ whole: [Entry]) {
        guard let first = whole.first else { return }
        var grownBytes = 0
        var position = slot(first.index)
        for entry in whole {
            let place = slot(entry.index)
            while position < place {
                endBytes[position] += grownBytes
                position += 1
            }
            precondition(entries[place].payload == .lost && entries[place].term == entry.term)
            grownBytes += entry.sizeBytes - entries[place].sizeBytes
            entries[place] = entry
            guard case .configuration(let configuration) = entry.payload else { continue }
            let next = configurations.firstIndex { $0.index > entry.index }
            configurations.insert(
                (entry.index, configuration), at: next ?? configurations.count)
        }
        while position < endBytes.count {
            endBytes[position] += grownBytes
            position += 1
        }
    }

    /// Drops the entries at and above `index`.
    mutating func truncate(from index: Index) {
        precondition(index > snapshotMark.index && index <= lastIndex)
        let count = Int(lastIndex - index + 1)
        entries.removeLast(count)
        endBytes.removeLast(count)
        configurations.removeAll { $0.index >= index }
    }

    /// A snapshot is durable. Keeps `retainedBytes` of what it covers, and more, up to `maxRetainedBytes`, as far
    /// as somebody needs the entries behind `neededBehind`.
    mutating func compact(
        to mark: SnapshotMark, retainedBytes: Int, neededBehind: Index = .max,
        maxRetainedBytes: Int = 0
    ) {
        precondition(mark.index > snapshotMark.index && mark.index <= lastIndex)
        precondition(term(at: mark.index) == mark.term, "the snapshot is of another history")
        snapshotMark = mark
        configurations.removeAll { $0.index <= mark.index }
        let covered = bytes(through: mark.index)
        func lastBefore(_ limitBytes: Int) -> Index {
            highest(from: firstIndex, through: mark.index) {
                bytes(through: $0) <= covered - limitBytes
            }
        }
        let dropped = min(
            lastBefore(retainedBytes), max(neededBehind, lastBefore(maxRetainedBytes)))
        guard dropped > base.index else { return }
        let position = slot(dropped)
        let droppedTerm = entries[position].term
        baseBytes = endBytes[position]
        head = position + 1
        base = (dropped, droppedTerm)
    }

    /// A snapshot of another history takes the place of everything here.
    mutating func reset(to mark: SnapshotMark) {
        precondition(mark.index > snapshotMark.index)
        base = (mark.index, mark.term)
        snapshotMark = mark
        configurations.removeAll()
        entries = []
        endBytes = []
        (head, released, baseBytes) = (0, 0, 0)
    }

    /// Gives back the memory of at most `maxEntries` dropped entries, and of no more once that makes `maxBytes`:
    /// large payloads cost by the page.
    mutating func releaseSome(maxEntries: Int, maxBytes: Int) {
        guard released < head || head > 0 && head * 2 > entries.count else { return }
        let end = min(head, released + maxEntries)
        var bytes = 0
        while released < end, bytes < maxBytes {
            bytes += entries[released].sizeBytes
            entries[released].payload = .noop
            released += 1
        }
        // Moving the rest to the front is worth it once it is the smaller half.
        guard released == head, head * 2 > entries.count else { return }
        entries.removeFirst(head)
        endBytes.removeFirst(head)
        (head, released) = (0, 0)
    }

    /// Entries that are dropped, but still take memory.
    var unreleasedCount: Int { head - released }

    private func slot(_ index: Index) -> Int { head + Int(index - firstIndex) }

    private func bytes(through index: Index) -> Int {
        index <= base.index ? baseBytes : endBytes[slot(index)]
    }

    /// The highest index in the range for which `holds`, given that it holds for a prefix of the range;
    /// `from - 1` if for none.
    private func highest(from: Index, through: Index, where holds: (Index) -> Bool) -> Index {
        var low = from
        var high = through + 1
        while low < high {
            let middle = low + (high - low) / 2
            if holds(middle) { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }
}
