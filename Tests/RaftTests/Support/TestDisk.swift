import Raft

/// A disk that loses what was not synced.
struct TestDisk {
    struct File {
        let mark: SnapshotMark
        let bytes: [UInt8]
    }

    private(set) var image: Recovered
    private(set) var pending: [Batch] = []
    /// Snapshot files by index; they are durable as soon as they stand here.
    private(set) var files: [Index: File] = [:]
    private var incoming: (mark: SnapshotMark, bytes: [UInt8])?

    init(_ image: Recovered) {
        self.image = image
    }

    var lastIndex: Index { image.snapshot.index + UInt64(image.entries.count) }

    func term(at index: Index) -> Term? {
        if index == image.snapshot.index { return image.snapshot.term }
        guard index > image.snapshot.index, index <= lastIndex else { return nil }
        return image.entries[Int(index - image.snapshot.index) - 1].term
    }

    /// What a snapshot covers, or an entry with that term.
    func holds(_ index: Index, term expected: Term) -> Bool {
        index < image.snapshot.index || term(at: index) == expected
    }

    mutating func write(_ batch: Batch) {
        precondition(pending.last.map { $0.ticket + 1 == batch.ticket } ?? true)
        pending.append(batch)
    }

    /// Makes the oldest `count` batches durable.
    mutating func sync(_ count: Int) -> Ticket? {
        let done = pending.prefix(count)
        pending.removeFirst(done.count)
        for batch in done { apply(batch) }
        return done.last?.ticket
    }

    mutating func crash() {
        pending.removeAll()
        incoming = nil
    }

    /// The disk of a stopped node forgets what these entries were.
    mutating func damage(_ indexes: [Index]) {
        for position in image.entries.indices where indexes.contains(image.entries[position].index)
        {
            image.entries[position].payload = .lost
        }
    }

    mutating func loseState() {
        files[image.snapshot.index] = nil
        image.isStateLost = image.snapshot.index > 0
    }

    func isWhole(through index: Index) -> Bool {
        !image.entries.contains { $0.index <= index && $0.payload == .lost }
    }

    mutating func put(_ file: File) {
        files[file.mark.index] = file
    }

    mutating func remove(fileAt index: Index) {
        files[index] = nil
    }

    mutating func store(_ chunk: Message.SnapshotChunk) -> Input {
        if chunk.offset == 0 { incoming = (chunk.mark, []) }
        guard var current = incoming, current.mark == chunk.mark,
            UInt64(current.bytes.count) == chunk.offset
        else {
            incoming = nil
            return .snapshotChunkStored(mark: chunk.mark, nextOffset: 0, isComplete: false)
        }
        current.bytes += chunk.bytes
        incoming = current
        if chunk.isLast {
            put(File(mark: chunk.mark, bytes: current.bytes))
            incoming = nil
        }
        return .snapshotChunkStored(
            mark: chunk.mark, nextOffset: UInt64(current.bytes.count), isComplete: chunk.isLast)
    }

    private mutating func apply(_ batch: Batch) {
        if let hardState = batch.hardState { image.hardState = hardState }
        if let mark = batch.snapshot {
            if batch.resetsLog {
                image.entries.removeAll()
            } else {
                image.entries.removeAll { $0.index <= mark.index }
            }
            image.snapshot = mark
            image.isStateLost = false
        }
        if let from = batch.truncateFrom { image.entries.removeAll { $0.index >= from } }
        for entry in batch.entries {
            precondition(entry.index == lastIndex + 1)
            image.entries.append(entry)
        }
    }
}
