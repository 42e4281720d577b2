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
}
