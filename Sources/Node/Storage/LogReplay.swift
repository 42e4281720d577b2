import Raft

/// Turns the batches of all segments back into a log. A batch that contradicts the ones before it is
/// reported as text; the caller knows the file.
struct LogReplay {
    private(set) var state: LogState
    /// Behind `state.mark`, consecutive.
    private(set) var entries: [Entry] = []
    /// Entries behind the mark up to this index stood in segments that are no longer there. At the end
    /// the mark has to cover them.
    private var missingThrough: Index
    /// The highest entry each segment holds, in the order of the segments; a truncation does not lower it.
    private(set) var highestIndexes: [Index] = []

    struct Contradiction: Error {
        let problem: String
    }

    /// Begins with the first segment there is.
    init(first state: LogState) {
        self.state = state
        missingThrough = state.lastIndex
    }

    /// A segment's opening has to say what the segments before it add up to.
    mutating func beginSegment(_ opening: LogState) throws(Contradiction) {
        guard opening == state else {
            throw Contradiction(
                problem: "the segment opens with term \(opening.hardState.term), snapshot index "
                    + "\(opening.mark.index), last index \(opening.lastIndex); the segments before "
                    + "it end with \(state.hardState.term), \(state.mark.index), "
                    + "\(state.lastIndex)")
        }
        highestIndexes.append(0)
    }

    /// Returns which entries of the batch are lost.
    mutating func apply(_ batch: ScannedBatch) throws(Contradiction) -> ClosedRange<Index>? {
        guard batch.lastIndex == nil || batch.lastIndex == state.lastIndex else {
            throw Contradiction(
                problem: "the batch follows entry \(batch.lastIndex ?? 0), but the log ends with "
                    + "\(state.lastIndex)")
        }
        var starts: [(index: Index, term: Term)] = []
        for fact in batch.facts {
            if case .termStart(let index, let term) = fact {
                starts.append((index, term))
            } else {
                try apply(fact)
            }
        }
        let last =
            switch batch.extent {
            case .entries(let count): state.lastIndex + Index(count)
            case .through(let index): index
            }
        guard last >= state.lastIndex else {
            throw Contradiction(
                problem: "the log goes back from \(state.lastIndex) to \(last)")
        }
        var found = batch.entries[...]
        var pending = starts[...]
        var lost: ClosedRange<Index>?
        while state.lastIndex < last {
            let index = state.lastIndex + 1
            if let start = pending.first, start.index == index {
                state.lastTerm = start.term
                pending.removeFirst()
            }
            var entry = Entry(index: index, term: state.lastTerm, payload: .lost)
            if found.first?.index == index { entry = found.removeFirst() }
            try append(entry)
            if entry.payload == .lost { lost = (lost?.lowerBound ?? index)...index }
        }
        guard found.isEmpty, pending.isEmpty else {
            throw Contradiction(
                problem:
                    "entry \(found.first?.index ?? pending.first?.index ?? 0) stands where the "
                    + "log goes on to \(last)")
        }
        return lost
    }

    private mutating func append(_ entry: Entry) throws(Contradiction) {
        guard entry.term == state.lastTerm, entry.term > 0, entry.term <= state.hardState.term
        else {
            throw Contradiction(
                problem:
                    "entry \(entry.index) is of term \(entry.term); the entries before and the "
                    + "hard state are of terms \(state.lastTerm) and \(state.hardState.term)")
        }
        state.lastIndex = entry.index
        highestIndexes[highestIndexes.count - 1] = entry.index
        if entry.index > state.mark.index { entries.append(entry) }
    }

    private mutating func apply(_ fact: LogRecord) throws(Contradiction) {
        switch fact {
        case .hardState(let next):
            guard next.term >= state.hardState.term else {
                throw Contradiction(
                    problem: "the term falls from \(state.hardState.term) to \(next.term)")
            }
            state.hardState = next
        case .snapshot(let mark, let resetsLog):
            try apply(mark, resetsLog: resetsLog)
        case .truncate(let from):
            guard from > state.mark.index else {
                throw Contradiction(
                    problem: "the log is cut at \(from), but a snapshot covers "
                        + "\(state.mark.index)")
            }
            while let last = entries.last, last.index >= from { entries.removeLast() }
            state.cut(from: from)
            missingThrough = min(missingThrough, from - 1)
        case .entry, .termStart:
            preconditionFailure("entries and their terms are no facts of their own")
        }
    }

    func finish() throws(Contradiction) -> Recovered {
        guard missingThrough <= state.mark.index else {
            throw Contradiction(
                problem: "entries \(state.mark.index + 1) to \(missingThrough) are gone: "
                    + "an earlier segment is missing")
        }
        return Recovered(hardState: state.hardState, snapshot: state.mark, entries: entries)
    }

    private mutating func apply(_ mark: SnapshotMark, resetsLog: Bool) throws(Contradiction) {
        guard mark.index >= state.mark.index else {
            throw Contradiction(
                problem: "the snapshot goes back from \(state.mark.index) to \(mark.index)")
        }
        state.move(to: mark, resetsLog: resetsLog)
        if resetsLog {
            entries.removeAll()
            missingThrough = 0
            for position in highestIndexes.indices { highestIndexes[position] = 0 }
        } else {
            let covered = entries.prefix { $0.index <= mark.index }.count
            entries.removeFirst(covered)
        }
    }
}
