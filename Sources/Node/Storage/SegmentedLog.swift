import Raft

/// The durable log of one node: hard state, entries, truncations and snapshot marks, as a sequence of
/// batches in segment files.
///
/// Format. A segment file `segment-<number in 16 hex digits>` has a fixed size and holds
///
///     segment header   at 0; what the log amounts to before this segment (`SegmentHeader`)
///     batch …          one behind the other, each a multiple of eight bytes
///     zeros            up to the copy
///     copy             of the segment header, at the end of the file
///
///     batch  = batch header, record …, trailer       (`BatchHeader`, `BatchLayout`)
///     record = record header, payload, zeros to 8    (`RecordHeader`, `RecordCodec`, `PayloadMask`)
///
/// All numbers are little-endian. A batch never crosses the end of a segment: one that does not fit goes
/// to the next, and a batch larger than a segment gets a segment of its own size. While the next segment of
/// the usual size is not ready there are smaller ones (`SegmentPool`). The last batch of a full segment is an
/// empty one that is marked as its seal. Reading all batches in order and applying their records in order
/// gives the log.
///
/// Writing. Batches that are waiting are written together and synced once; nothing is written while
/// anything is unsynced. Nobody reads what was written before the next start, so it goes past the page cache where that is
/// possible (`DirectFile`): the last block is written again, as it was and with more behind. Changing segments takes four steps, each durable before the next: a zeroed
/// spare file, the new header in it, its new name, the seal in the old segment.
///
/// Crash cases.
/// - During a write: any of its sectors may be missing. A batch counts only if all of it is there and all
///   before it, so the log ends with a whole batch; the rest is zeroed (`SegmentTail` tells this from
///   damage to something that had been synced).
/// - During a change of segments: see the table in `LogRecovery`.
/// - During compaction: segments vanish from the beginning, one by one (`SegmentPool`), and only such
///   whose entries the snapshot mark covers, which is durable in a later segment or its header.
/// - During recovery: it changes nothing but zeros behind the last whole batch, and can be done again.
///
/// What is relied on. A sector of 512 bytes is written wholly or not at all, also when the power fails and when a write
/// ends early: what a write that was broken off has left ends with a sector, whatever lies behind is as it was, zero.
/// Disks promise that much (those with sectors of 4 KiB more), and file systems that copy and map by the page add
/// nothing smaller. A system that tore within a sector would leave a batch that `SegmentTail` takes for damage, not for
/// torn: the node would refuse to start rather than forget something. That a sync which succeeds has reached the disk
/// is relied on as well; where it has not, only other nodes can tell.
///
/// Damage to what had been synced. What can't be had from a peer stands twice, so a single bad sector takes no
/// hard state, mark, truncation or term; entries that it takes are known by index and term, and are found
/// as `lost` (`SegmentScan+Bridge.swift`). Anything that is not certain is refused.
///
/// Entries are not read back while the node runs: the consensus core keeps what it needs in memory. So a sector that
/// the disk can't read any more (EIO) is met when the log is opened, and treated as damage like any other; it can be
/// read again when its segment is used for other entries, since disks replace such sectors when they are written.
final class SegmentedLog {
    struct Settings: Equatable, Sendable {
        var segmentBytes = StorageLimits.segmentBytes
        var maxGroupBytes = StorageLimits.maxGroupBytes
        /// Whether a thread keeps the next segment ready; else it is made when it is needed.
        var usesSpareThread = true
        /// Where the segments' nonces come from, for a run that has to be repeatable: another number at
        /// each opening. nil: from the system's randomness.
        var nonceSeed: UInt64?

        init() {}

        func nonce(ofSegment number: UInt64) -> UInt64 {
            guard let nonceSeed else { return UInt64.random(in: .min ... .max) }
            return PayloadMask.stream(nonceSeed, Int(truncatingIfNeeded: number))
        }
    }

    /// Room kept free for the seal.
    private static let sealBytes = BatchHeader.bytes + BatchHeader.trailerBytes

    /// A segment that is full, and the highest entry it holds.
    private struct Sealed {
        var name: String
        var highestIndex: Index
    }

    private let folder: StorageFolder
    private let settings: Settings
    private let pool: SegmentPool
    private var encoder = GroupEncoder()
    /// Including what is written and not yet synced.
    private var state: LogState
    private var sealed: [Sealed]
    private var file: StorageFile
    private var header: SegmentHeader
    private var highestIndex: Index
    private var end: Int
    private var syncedEnd: Int
    private var nextSequence: UInt64
    private var factBatches: UInt32
    private var previousChecksum: UInt32

    /// Segments in use.
    var segmentCount: Int { sealed.count + 1 }

    /// Opens the log in `folder`, or creates it if there is none and `mayCreate` says that there never was
    /// one; `initial` is the configuration of an empty log. What is returned has been synced.
    ///
    /// Throws `corrupt` or `missing` for damage that leaves in doubt what was there, having changed nothing,
    /// and `system`. Damage that leaves no doubt is reported in `findings`, and the entries it took are `lost`.
    static func open(
        folder: StorageFolder, initial: Configuration, mayCreate: Bool,
        settings: Settings = Settings()
    ) throws(StorageError) -> (log: SegmentedLog, recovered: Recovered, findings: LogFindings) {
        precondition(settings.segmentBytes >= StorageLimits.minSegmentBytes)
        let names = try folder.names()
        let segments = names.filter(SegmentName.isSegment)
        let log: SegmentedLog
        let recovered: Recovered
        var findings = LogFindings()
        if segments.isEmpty {
            guard mayCreate else {
                throw .missing(path: folder.path, problem: "the log is gone")
            }
            let pool = try startPool(folder, settings, names)
            log = try SegmentedLog(creating: folder, settings, pool, initial)
            recovered = Recovered(
                hardState: HardState(), snapshot: log.state.mark, entries: [])
        } else {
            let recovery = try LogRecovery(folder: folder, names: segments)
            try recovery.repair(in: folder)
            if let discarded = recovery.discarded {
                try folder.remove(discarded)
                try folder.sync()
            }
            log = try SegmentedLog(
                opening: folder, settings, try startPool(folder, settings, names), recovery)
            recovered = recovery.recovered
            findings = recovery.findings
        }
        try log.writeMarker()
        return (log, recovered, findings)
    }

    /// Writes as many of `batches`, from `first` on, as one sync may cover, and returns the position behind
    /// the last of them. Nothing may be unsynced.
    ///
    /// Throws `tooLarge` for an entry or batch beyond the limits, and `system`; the log must not be used
    /// any more then.
    func write(_ batches: [Batch], from first: Int) throws(StorageError) -> Int {
        precondition(end == syncedEnd, "what was written before must be synced first")
        var layouts: [BatchLayout] = []
        var planned = state
        var groupBytes = 0
        for batch in batches[first...] {
            let layout = try Self.checkedLayout(of: batch, after: planned)
            let bytes = layout.totalBytes
            if groupBytes == 0, end + bytes + Self.sealBytes > header.bodyEnd {
                try changeSegment(forBytes: bytes)
            } else if groupBytes > 0 {
                guard groupBytes + bytes <= settings.maxGroupBytes,
                    end + groupBytes + bytes + Self.sealBytes <= header.bodyEnd
                else { break }
            }
            layouts.append(layout)
            planned.apply(batch)
            groupBytes += bytes
        }
        encoder.begin(in: header)
        let writeEnd = end + groupBytes
        var offset = end
        for (position, layout) in layouts.enumerated() where !layout.isEmpty {
            let batch = batches[first + position]
            noteEntries(of: batch)
            appendBatch(batch, layout, at: offset, writeEnd: writeEnd)
            offset += layout.totalBytes
        }
        state = planned
        try writePieces()
        precondition(end == writeEnd, "a batch takes what was computed for it")
        return first + layouts.count
    }

    /// Makes everything that was written durable, and lets go of segments that are no longer needed.
    func sync() throws(StorageError) {
        guard syncedEnd < end else { return }
        try file.sync()
        syncedEnd = end
        // Only now: the mark that makes the segments superfluous is durable.
        while let first = sealed.first, first.highestIndex <= state.mark.index {
            pool.recycle(name: first.name)
            sealed.removeFirst()
        }
    }

    /// Proves by one more batch that all before was synced, and stops the pool. Not to be called after an
    /// error: then `abandon`.
    func close() throws(StorageError) {
        defer { pool.stop() }
        try writeMarker()
    }

    /// Ends without touching the log any more.
    func abandon() {
        pool.stop()
    }

    private init(
        creating folder: StorageFolder, _ settings: Settings, _ pool: SegmentPool,
        _ initial: Configuration
    ) throws(StorageError) {
        self.folder = folder
        self.settings = settings
        self.pool = pool
        state = LogState(initial: initial)
        sealed = []
        highestIndex = 0
        nextSequence = 1
        factBatches = 0
        previousChecksum = 0
        header = SegmentHeader(
            number: 1, nonce: settings.nonce(ofSegment: 1),
            segmentBytes: settings.segmentBytes, firstSequence: nextSequence,
            previousChecksum: previousChecksum, factBatches: factBatches, state: state)
        end = header.bodyOffset
        syncedEnd = end
        file = try Self.place(&header, forBytes: 0, in: folder, from: pool)
    }

    private init(
        opening folder: StorageFolder, _ settings: Settings, _ pool: SegmentPool,
        _ recovery: LogRecovery
    ) throws(StorageError) {
        self.folder = folder
        self.settings = settings
        self.pool = pool
        let last = recovery.segments[recovery.segments.count - 1]
        state = recovery.state
        sealed = recovery.segments.dropLast().map {
            Sealed(name: $0.name, highestIndex: $0.highestIndex)
        }
        file = try Self.open(last.header, in: folder)
        header = last.header
        highestIndex = last.highestIndex
        end = recovery.end
        syncedEnd = end
        nextSequence = recovery.nextSequence
        factBatches = recovery.factBatches
        previousChecksum = recovery.previousChecksum
    }

    private static func startPool(
        _ folder: StorageFolder, _ settings: Settings, _ names: [String]
    ) throws(StorageError) -> SegmentPool {
        let spares = names.filter { SegmentName.spareNumber($0) != nil }
        for name in spares.dropFirst(StorageLimits.maxSpareSegments) { try folder.remove(name) }
        return try SegmentPool(
            folder: folder, segmentBytes: settings.segmentBytes,
            used: Array(spares.prefix(StorageLimits.maxSpareSegments)),
            usesThread: settings.usesSpareThread)
    }

    private static func checkedLayout(
        of batch: Batch, after state: LogState
    ) throws(StorageError) -> BatchLayout {
        for entry in batch.entries {
            if case .command(let bytes) = entry.payload,
                bytes.count > StorageLimits.maxEntryPayloadBytes
            {
                throw .tooLarge(
                    what: "log entry \(entry.index)", bytes: UInt64(bytes.count),
                    maxBytes: UInt64(StorageLimits.maxEntryPayloadBytes))
            }
        }
        let layout = BatchLayout(of: batch, after: state)
        guard layout.bodyBytes <= StorageLimits.maxBatchBytes else {
            throw .tooLarge(
                what: "a batch of the log", bytes: UInt64(layout.bodyBytes),
                maxBytes: UInt64(StorageLimits.maxBatchBytes))
        }
        return layout
    }

    private func noteEntries(of batch: Batch) {
        if batch.resetsLog {
            for position in sealed.indices { sealed[position].highestIndex = 0 }
            highestIndex = 0
        }
        if let last = batch.entries.last { highestIndex = max(highestIndex, last.index) }
    }

    private func appendBatch(
        _ batch: Batch, _ layout: BatchLayout, at offset: Int, writeEnd: Int
    ) {
        let batchHeader = BatchHeader(
            isSeal: layout.isSeal, isMirrored: layout.isMirrored, offset: offset,
            lastIndex: layout.lastIndex, sequence: nextSequence, writeStart: syncedEnd,
            writeEnd: writeEnd, bodyBytes: layout.bodyBytes, entryCount: layout.entryCount,
            factBytes: layout.factBytes, factBatches: factBatches,
            previousChecksum: previousChecksum)
        previousChecksum = encoder.append(batch, layout, header: batchHeader)
        factBatches = batchHeader.factBatchesAfter
        nextSequence += 1
    }

    private func writePieces() throws(StorageError) {
        encoder.finish()
        for piece in encoder.pieces {
            switch piece {
            case .staged(let range):
                try file.write(encoder.staging, range: range, at: end)
                end += range.count
            case .payload(let bytes):
                try file.write(bytes, at: end)
                end += bytes.count
            }
        }
        try file.flush()
    }

    /// An empty batch: its header says that everything before it had been synced.
    private func writeMarker() throws(StorageError) {
        let bytes = BatchLayout.marker(lastIndex: state.lastIndex).totalBytes
        if end + bytes + Self.sealBytes > header.bodyEnd { try changeSegment(forBytes: bytes) }
        encoder.begin(in: header)
        appendEmptyBatch(.marker(lastIndex: state.lastIndex))
        try writePieces()
        try sync()
    }

    private func appendEmptyBatch(_ layout: BatchLayout) {
        appendBatch(Batch(ticket: 0), layout, at: end, writeEnd: end + layout.totalBytes)
    }

    /// Puts the next segment in place, large enough for a batch of that many bytes, and seals this one.
    private func changeSegment(forBytes bytes: Int) throws(StorageError) {
        precondition(end == syncedEnd)
        // The seal's checksum belongs into the next header, so it is encoded before that is written, and
        // written after.
        encoder.begin(in: header)
        appendEmptyBatch(.seal(lastIndex: state.lastIndex))
        var next = SegmentHeader(
            number: header.number + 1, nonce: settings.nonce(ofSegment: header.number + 1),
            segmentBytes: settings.segmentBytes, firstSequence: nextSequence,
            previousChecksum: previousChecksum, factBatches: factBatches, state: state)
        let nextFile = try Self.place(&next, forBytes: bytes, in: folder, from: pool)
        try writePieces()
        try file.sync()
        sealed.append(Sealed(name: SegmentName.text(header.number), highestIndex: highestIndex))
        file = nextFile
        header = next
        highestIndex = 0
        end = next.bodyOffset
        syncedEnd = end
    }

    /// Makes a segment with this header, and room for a batch of that many bytes, durable under its name; its size is
    /// what there is. A segment thus never has a bad header, and no space that is not zero.
    private static func place(
        _ header: inout SegmentHeader, forBytes bytes: Int, in folder: StorageFolder,
        from pool: SegmentPool
    ) throws(StorageError) -> StorageFile {
        let spare = try pool.take(
            atLeastBytes: 2 * header.bodyOffset + bytes + sealBytes, number: header.number)
        header.segmentBytes = spare.bytes
        let bytes = header.encoded()
        let file = try folder.open(spare.name, mode: .append(zerosBefore: spare.bytes))
        try file.write(bytes, at: 0)
        try file.write(bytes, at: header.bodyEnd)
        try file.sync()
        let name = SegmentName.text(header.number)
        try folder.rename(spare.name, to: name)
        try folder.sync()
        return try open(header, in: folder)
    }

    private static func open(
        _ header: SegmentHeader, in folder: StorageFolder
    ) throws(StorageError) -> StorageFile {
        try folder.open(
            SegmentName.text(header.number), mode: .append(zerosBefore: header.bodyEnd))
    }
}
