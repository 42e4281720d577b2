import Raft

/// Every entry that any node has ever known to be committed, in order: what may never change again.
struct Ledger {
    struct Line {
        var entry: Entry
        /// No leader of a later term than this may be without the entry.
        var committedInTerm: Term
    }

    private(set) var lines: [Line] = []

    var lastIndex: Index { Index(lines.count) }

    subscript(index: Index) -> Line { lines[Int(index) - 1] }

    mutating func append(_ entry: Entry, committedInTerm term: Term) {
        precondition(entry.index == lastIndex + 1)
        lines.append(Line(entry: entry, committedInTerm: term))
    }

    /// Damaged entries, and what follows them, are written anew in one batch: all that are committed, and the same ones.
    /// Behind them may have been entries of another term, which are not missed.
    func isKept(by batch: Batch, from: Index, of disk: LogImage) -> Bool {
        guard !disk.isWhole, batch.entries.first?.index == from else { return false }
        return (from...min(disk.lastIndex, lastIndex)).allSatisfy { index in
            let committed = self[index].entry
            guard disk.term(at: index) == committed.term else { return true }
            let place = Int(index - from)
            return place < batch.entries.count && batch.entries[place] == committed
        }
    }
}
