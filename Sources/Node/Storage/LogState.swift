import Raft

/// What the log amounts to at some position: each segment opens with it, so that everything before can go.
struct LogState: Equatable, Sendable {
    var hardState: HardState
    var mark: SnapshotMark
    /// The last entry, or `mark.index` if there is none behind the mark.
    var lastIndex: Index
    /// The term of the last entry; 0 if that is not told by an entry that stands right before. An entry of
    /// another term is announced by a fact of its own.
    var lastTerm: Term

    init(hardState: HardState, mark: SnapshotMark, lastIndex: Index, lastTerm: Term) {
        self.hardState = hardState
        self.mark = mark
        self.lastIndex = lastIndex
        self.lastTerm = lastTerm
    }

    /// An empty log, before the first entry.
    init(initial: Configuration) {
        hardState = HardState()
        mark = SnapshotMark(index: 0, term: 0, configuration: initial)
        lastIndex = 0
        lastTerm = 0
    }

    /// Traps on a batch that would break the log: better no log than one that can't be read back.
    mutating func apply(_ batch: Batch) {
        if let next = batch.hardState {
            precondition(next.term >= hardState.term, "a term never falls")
            hardState = next
        }
        if let next = batch.snapshot {
            precondition(next.index >= mark.index, "a snapshot never goes back")
            move(to: next, resetsLog: batch.resetsLog)
        } else {
            precondition(!batch.resetsLog, "a reset needs a snapshot to start from")
        }
        if let from = batch.truncateFrom {
            precondition(from > mark.index, "what a snapshot covers is committed")
            cut(from: from)
        }
        for entry in batch.entries {
            precondition(entry.index == lastIndex + 1, "entries are consecutive")
            precondition(entry.term > 0, "the first term is 1")
            precondition(entry.term <= hardState.term, "a term is durable before its entries")
            lastIndex = entry.index
            lastTerm = entry.term
        }
    }

    mutating func move(to next: SnapshotMark, resetsLog: Bool) {
        mark = next
        if resetsLog || next.index > lastIndex {
            lastIndex = next.index
            lastTerm = 0
        }
    }

    mutating func cut(from index: Index) {
        guard index <= lastIndex else { return }
        lastIndex = index - 1
        lastTerm = 0
    }
}
