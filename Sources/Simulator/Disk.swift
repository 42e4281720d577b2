import Raft

/// The log of one node as it stands on a disk.
struct LogImage {
    var hardState = HardState()
    var mark: SnapshotMark
    /// From `mark.index + 1` on.
    var entries: [Entry] = []

    init(configuration: Configuration) {
        mark = SnapshotMark(index: 0, term: 0, configuration: configuration)
    }

    var lastIndex: Index { mark.index + Index(entries.count) }

    var lastTerm: Term { entries.last?.term ?? mark.term }

    /// nil: behind the end, or dropped.
    func term(at index: Index) -> Term? {
        if index == mark.index { return mark.term }
        guard index > mark.index, index <= lastIndex else { return nil }
        return entries[Int(index - mark.index) - 1].term
    }

    /// Holds the entry (index, term), or a snapshot that covers it.
    func holds(_ index: Index, _ term: Term) -> Bool {
        index <= mark.index || self.term(at: index) == term
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

/// The disk of one node. Batches gather while others are being synced. A crash loses what was not synced, but
/// the first batches of the group under way may have made it.
struct Disk {
    /// What is sure to be there after a crash.
    private(set) var synced: LogImage
    /// What the log will be once everything handed over is written.
    private(set) var latest: LogImage
    private var gathering: [Batch] = []
    private var inFlight: [Batch] = []
    private var snapshots: [SnapshotFile] = []
    /// Kept open between chunks, so that a file that was replaced by newer ones can still be sent.
    private var sending: SnapshotFile?
    private var incoming: Incoming?
    private(set) var incarnation: UInt64 = 0
    private(set) var bytesWritten = 0

    struct SnapshotFile {
        var mark: SnapshotMark
        var bytes: [UInt8]
    }

    private struct Incoming {
        var mark: SnapshotMark
        var bytes: [UInt8]
    }

    init(configuration: Configuration) {
        synced = LogImage(configuration: configuration)
        latest = synced
    }

    var isIdle: Bool { inFlight.isEmpty }

    mutating func startLife() -> UInt64 {
        incarnation += 1
        return incarnation
    }

    // MARK: Log

    mutating func persist(_ batch: Batch) throws(Violation) {
        if let mark = batch.snapshot, snapshot(at: mark) == nil {
            throw Violation("snapshot durable before its marker", "no file for \(mark.index)")
        }
        try latest.write(batch)
        gathering.append(batch)
    }

    /// True: a sync begins now.
    mutating func beginSync() -> Bool {
        guard inFlight.isEmpty, !gathering.isEmpty else { return false }
        swap(&inFlight, &gathering)
        return true
    }

    mutating func endSync() throws(Violation) -> Ticket {
        precondition(!inFlight.isEmpty)
        let ticket = inFlight[inFlight.count - 1].ticket
        try reachPlatter(inFlight.count)
        inFlight = []
        return ticket
    }

    private mutating func reachPlatter(_ count: Int) throws(Violation) {
        for batch in inFlight.prefix(count) {
            try synced.write(batch)
            bytesWritten += batch.entries.reduce(32) { $0 + $1.sizeBytes }
        }
        prune()
    }

    /// One older than the log's own is kept: a peer may be half through receiving it.
    private mutating func prune() {
        let mark = synced.mark.index
        let older = snapshots.filter { $0.mark.index < mark }.map(\.mark.index).max()
        snapshots.removeAll { $0.mark.index < mark && $0.mark.index != older }
    }

    mutating func crash(_ random: inout RandomSource) throws(Violation) {
        if !inFlight.isEmpty { try reachPlatter(random.index(inFlight.count + 1)) }
        inFlight = []
        gathering = []
        latest = synced
        incoming = nil
        sending = nil
        let mark = synced.mark.index
        snapshots.removeAll { $0.mark.index > mark }
        prune()
    }

    // MARK: Snapshots

    func snapshot(at mark: SnapshotMark) -> SnapshotFile? {
        snapshots.first { $0.mark.index == mark.index && $0.mark.term == mark.term }
    }

    mutating func storeSnapshot(_ file: SnapshotFile) {
        snapshots.removeAll { $0.mark.index == file.mark.index }
        snapshots.append(file)
    }

    /// A piece of a snapshot for a peer; nil if it is no longer there.
    mutating func readChunk(
        of mark: SnapshotMark, at offset: UInt64, maxBytes: Int
    ) -> (bytes: [UInt8], totalBytes: UInt64)? {
        if sending?.mark != mark {
            guard let file = snapshot(at: mark) else { return nil }
            sending = file
        }
        guard let bytes = sending?.bytes, offset <= UInt64(bytes.count) else { return nil }
        let end = min(bytes.count, Int(offset) + maxBytes)
        return (Array(bytes[Int(offset)..<end]), UInt64(bytes.count))
    }

    /// Where to go on, and whether the file is complete. A chunk out of place changes nothing.
    mutating func storeChunk(
        _ chunk: Message.SnapshotChunk
    ) -> (nextOffset: UInt64, isComplete: Bool) {
        if chunk.offset == 0 { incoming = Incoming(mark: chunk.mark, bytes: []) }
        guard var file = incoming, file.mark == chunk.mark else { return (0, false) }
        guard chunk.offset == UInt64(file.bytes.count) else {
            return (UInt64(file.bytes.count), false)
        }
        file.bytes += chunk.bytes
        let offset = UInt64(file.bytes.count)
        guard chunk.isLast else {
            incoming = file
            return (offset, false)
        }
        incoming = nil
        storeSnapshot(SnapshotFile(mark: file.mark, bytes: file.bytes))
        return (offset, true)
    }
}
