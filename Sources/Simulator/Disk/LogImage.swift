import Raft

/// The log of one node as it stands on a disk.
struct LogImage {
    var hardState = HardState()
    var mark: SnapshotMark
    /// From `mark.index + 1` on.
    private(set) var entries: [Entry] = []
    /// Those that are known by index and term only, ascending.
    private(set) var lost: [Index] = []
    /// The snapshot at the mark is damaged.
    private(set) var isStateLost = false

    init(configuration: Configuration) {
        mark = SnapshotMark(index: 0, term: 0, configuration: configuration)
    }

    /// Nothing of what it says is there is damaged.
    var isWhole: Bool { lost.isEmpty && !isStateLost }

    var lastIndex: Index { mark.index + Index(entries.count) }

    var lastTerm: Term { entries.last?.term ?? mark.term }

    /// nil: behind the end, or dropped.
    func term(at index: Index) -> Term? {
        if index == mark.index { return mark.term }
        guard index > mark.index, index <= lastIndex else { return nil }
        return entries[Int(index - mark.index) - 1].term
    }

    /// What is found again after a restart is this. With `damaged` entries may be lost, and the state; otherwise
    /// nothing may be that was not before.
    func equals(_ recovered: Recovered, damaged: Bool = false) -> Bool {
        guard hardState == recovered.hardState, mark == recovered.snapshot,
            entries.count == recovered.entries.count,
            damaged || isStateLost || !recovered.isStateLost
        else { return false }
        return zip(entries, recovered.entries).allSatisfy { mine, found in
            if mine == found { return true }
            guard damaged, mine.index == found.index, mine.term == found.term else { return false }
            return mine.payload == .lost || found.payload == .lost
        }
    }

    /// What the node found there: some of it may be known as lost now.
    mutating func take(_ recovered: Recovered) {
        precondition(entries.count == recovered.entries.count && mark == recovered.snapshot)
        entries = recovered.entries
        lost = entries.filter { $0.payload == .lost }.map(\.index)
        isStateLost = recovered.isStateLost
    }

    /// Has the entry (index, term), whole or damaged, or a snapshot that covers it: it is not taken for one that never
    /// came.
    func knows(_ index: Index, _ term: Term) -> Bool {
        index <= mark.index || self.term(at: index) == term
    }

    /// Holds the entry (index, term) and all before it.
    func holds(_ index: Index, _ term: Term) -> Bool {
        knows(index, term) && index < lost.first ?? .max
    }

    mutating func write(_ batch: Batch) throws(Violation) {
        if let state = batch.hardState {
            guard state.term >= hardState.term else {
                throw Violation(
                    "monotone term", "term \(hardState.term) overwritten by \(state.term)")
            }
            if state.term == hardState.term, let vote = hardState.vote, state.vote != vote {
                throw Violation(
                    "one vote a term",
                    "vote for \(vote) in term \(state.term) overwritten by \(String(describing: state.vote))"
                )
            }
            hardState = state
        }
        if let newMark = batch.snapshot {
            guard newMark.index >= mark.index else {
                throw Violation(
                    "monotone snapshot", "mark \(mark.index) overwritten by \(newMark.index)")
            }
            isStateLost = false
            lost.removeAll { batch.resetsLog || $0 <= newMark.index }
            if batch.resetsLog {
                entries = []
            } else {
                guard let term = term(at: newMark.index), term == newMark.term else {
                    throw Violation("log shape", "marker \(newMark.index) is not in the log")
                }
                entries.removeFirst(Int(newMark.index - mark.index))
            }
            mark = newMark
        } else if batch.resetsLog {
            throw Violation("log shape", "reset without a snapshot")
        }
        if let from = batch.truncateFrom {
            guard from > mark.index else {
                throw Violation(
                    "log shape", "truncation at \(from) below the snapshot at \(mark.index)")
            }
            if from <= lastIndex { entries.removeLast(Int(lastIndex - from) + 1) }
            lost.removeAll { $0 >= from }
        }
        for entry in batch.entries {
            guard entry.index == lastIndex + 1, entry.term >= lastTerm else {
                throw Violation(
                    "log shape",
                    "entry (\(entry.index), \(entry.term)) behind (\(lastIndex), \(lastTerm))")
            }
            guard entry.term <= hardState.term else {
                throw Violation(
                    "term durable before its entries",
                    "entry \(entry.index) of term \(entry.term) written in term \(hardState.term)")
            }
            entries.append(entry)
        }
    }
}
