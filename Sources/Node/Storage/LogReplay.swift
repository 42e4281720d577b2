import Raft

/// Turns the records of all segments back into a log. A record that contradicts the ones before it is
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

    mutating func apply(_ record: LogRecord) throws(Contradiction) {
        switch record {
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
            state.lastIndex = min(state.lastIndex, from - 1)
            missingThrough = min(missingThrough, from - 1)
        case .entry(let entry):
            guard entry.index == state.lastIndex + 1, entry.term <= state.hardState.term else {
                throw Contradiction(
                    problem: "entry \(entry.index) of term \(entry.term) follows index "
                        + "\(state.lastIndex) in term \(state.hardState.term)")
            }
            state.lastIndex = entry.index
            highestIndexes[highestIndexes.count - 1] = entry.index
            if entry.index > state.mark.index { entries.append(entry) }
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
        state.mark = mark
        if resetsLog {
            entries.removeAll()
            state.lastIndex = mark.index
            missingThrough = 0
            for position in highestIndexes.indices { highestIndexes[position] = 0 }
        } else {
            let covered = entries.prefix { $0.index <= mark.index }.count
            entries.removeFirst(covered)
            state.lastIndex = max(state.lastIndex, mark.index)
        }
    }
}
