import Raft

@testable import Node

/// The segment files of a log at one moment, to build the disk of a crash from.
struct LogImage: Equatable {
    var files: [String: [UInt8]] = [:]

    init(of scratch: ScratchFolder) throws {
        for name in try scratch.folder.names() where SegmentName.isSegment(name) {
            files[name] = try scratch.bytes(of: name)
        }
    }

    /// Puts these files, and no others, into the folder.
    func restore(to scratch: ScratchFolder) throws {
        for name in try scratch.folder.names() { try scratch.remove(name) }
        for name in files.keys.sorted() { try scratch.write(files[name] ?? [], to: name) }
    }

    var names: [String] { files.keys.sorted() }

    /// What a crash may leave if `self` was synced and `later` was being written: any of the sectors in
    /// which they differ may have reached the disk.
    func torn(
        towards later: LogImage, using generator: inout SeededGenerator, share: Double
    ) -> LogImage {
        var image = self
        for name in names {
            guard var bytes = image.files[name], let target = later.files[name] else { continue }
            for start in stride(from: 0, to: bytes.count, by: 512) {
                let range = start..<start + 512
                guard bytes[range] != target[range],
                    Double.random(in: 0..<1, using: &generator) < share
                else { continue }
                bytes.replaceSubrange(range, with: target[range])
            }
            image.files[name] = bytes
        }
        return image
    }
}

/// Follows a log in memory, as simply as it can be done.
struct LogModel: Equatable {
    var recovered: Recovered
    var lastIndex: Index = 0

    init(initial: Configuration) {
        recovered = Recovered(
            hardState: HardState(),
            snapshot: SnapshotMark(index: 0, term: 0, configuration: initial), entries: [])
    }

    mutating func apply(_ batch: Batch) {
        if let hardState = batch.hardState { recovered.hardState = hardState }
        if let mark = batch.snapshot {
            recovered.snapshot = mark
            recovered.entries.removeAll { batch.resetsLog || $0.index <= mark.index }
            lastIndex = batch.resetsLog ? mark.index : max(lastIndex, mark.index)
        }
        if let from = batch.truncateFrom {
            recovered.entries.removeAll { $0.index >= from }
            lastIndex = min(lastIndex, from - 1)
        }
        recovered.entries += batch.entries
        lastIndex = batch.entries.last?.index ?? lastIndex
    }

    /// Some batch that may follow.
    func randomBatch(
        ticket: Ticket, maxPayloadBytes: Int, using generator: inout SeededGenerator
    ) -> Batch {
        var batch = Batch(ticket: ticket)
        var term = recovered.hardState.term
        let kind = Int.random(in: 0..<20, using: &generator)
        if kind < 4 || term == 0 {
            term += 1
            batch.hardState = HardState(term: term, vote: kind == 0 ? nil : "n2")
        }
        var last = lastIndex
        let mark = recovered.snapshot.index
        if kind == 5, last > mark {
            last = UInt64.random(in: mark...last - 1, using: &generator)
            batch.truncateFrom = last + 1
        } else if kind == 6 || kind == 7, last > mark {
            let index = UInt64.random(in: mark + 1...last, using: &generator)
            let entryTerm = recovered.entries.first { $0.index == index }?.term ?? term
            batch.snapshot = SnapshotMark(
                index: index, term: entryTerm, configuration: recovered.snapshot.configuration)
        } else if kind == 8 {
            last += 5
            batch.snapshot = SnapshotMark(
                index: last, term: term, configuration: Configuration(voters: ["n1", "n9"]))
            batch.resetsLog = true
        }
        for _ in 0..<Int.random(in: 0...4, using: &generator) {
            last += 1
            batch.entries.append(
                Entry(
                    index: last, term: term,
                    payload: Self.randomPayload(maxPayloadBytes, using: &generator)))
        }
        return batch
    }

    static func randomPayload(
        _ maxBytes: Int, using generator: inout SeededGenerator
    ) -> Entry.Payload {
        let count = Int.random(in: 0...maxBytes, using: &generator)
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: return .noop
        case 1:
            return .configuration(
                Configuration(voters: ["n1", "n2"], outgoing: ["n1"], learners: ["n3"]))
        case 2: return .command([UInt8](repeating: 0, count: count))
        case 3:
            // Mostly zeros: the case in which a written sector could look like an unwritten one.
            var bytes = [UInt8](repeating: 0, count: count)
            if count > 0 { bytes[count / 2] = 1 }
            return .command(bytes)
        default:
            return .command((0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) })
        }
    }
}

/// A log under test, with the settings and the configuration all these tests share.
struct LogBed: Sendable {
    static let initial = Configuration(voters: ["n1", "n2", "n3"])

    let scratch: ScratchFolder
    let segmentBytes: Int

    init(segmentBytes: Int = 32 << 10) throws {
        scratch = try ScratchFolder()
        self.segmentBytes = segmentBytes
    }

    func open(mayCreate: Bool = true) throws(StorageError) -> (SegmentedLog, Recovered) {
        var settings = SegmentedLog.Settings()
        settings.segmentBytes = segmentBytes
        let opened = try SegmentedLog.open(
            folder: scratch.folder, initial: Self.initial, mayCreate: mayCreate,
            settings: settings)
        return (opened.log, opened.recovered)
    }

    /// Opens, lets go without closing, and returns what was found.
    func recover() throws(StorageError) -> Recovered {
        let (log, recovered) = try open(mayCreate: false)
        log.abandon()
        return recovered
    }
}

extension SegmentedLog {
    /// Writes and syncs all of them.
    func append(_ batches: [Batch]) throws(StorageError) {
        var next = 0
        while next < batches.count {
            next = try write(batches, from: next)
            try sync()
        }
    }
}
