import Raft

/// Writes a snapshot file piece by piece. Whatever sizes the pieces have, the blocks in the file are the
/// same, so that equal states make equal files.
struct SnapshotWriter {
    private let file: StorageFile
    private let headerChecksum: UInt32
    private var offset: Int
    private var syncedBytes = 0
    private var totals = SnapshotFormat.Totals()
    /// Less than a block, waiting for the rest of it.
    private var waiting: [UInt8] = []

    init(_ name: String, in folder: StorageFolder, mark: SnapshotMark) throws(StorageError) {
        // What is there may be a spare, `SnapshotName.spare`, to be overwritten; `finish` cuts off what is left of it.
        _ = try folder.open(name, mode: .openOrCreate)
        // It is as large as the state, and who reads it does so much later: it would only push others out of the page cache.
        file = try folder.open(name, mode: .append(zerosBefore: 0))
        let header = SnapshotFormat.header(for: mark)
        headerChecksum = CRC32C.checksum(Array(header.dropLast(4)))
        try file.write(header, at: 0)
        offset = header.count
    }

    mutating func put(_ bytes: [UInt8]) throws(StorageError) {
        let blockBytes = StorageLimits.snapshotBlockBytes
        var next = 0
        if !waiting.isEmpty {
            next = min(blockBytes - waiting.count, bytes.count)
            waiting.append(contentsOf: bytes[..<next])
            guard waiting.count == blockBytes else { return }
            try writeBlock(waiting, 0..<blockBytes)
            waiting.removeAll(keepingCapacity: true)
        }
        while bytes.count - next >= blockBytes {
            try writeBlock(bytes, next..<next + blockBytes)
            next += blockBytes
        }
        waiting.append(contentsOf: bytes[next...])
    }

    /// Writes the end and syncs; returns the size of the file.
    mutating func finish() throws(StorageError) -> Int {
        if !waiting.isEmpty { try writeBlock(waiting, 0..<waiting.count) }
        let footer = SnapshotFormat.footer(totals, headerChecksum: headerChecksum)
        try file.write(footer, at: offset)
        offset += footer.count
        if try file.sizeBytes() > offset { try file.truncate(toBytes: offset) }
        try file.sync()
        return offset
    }

    private mutating func writeBlock(
        _ bytes: [UInt8], _ range: Range<Int>
    ) throws(StorageError) {
        guard totals.stateBytes + UInt64(range.count) <= StorageLimits.maxSnapshotBytes else {
            throw .tooLarge(
                what: "a snapshot", bytes: totals.stateBytes + UInt64(range.count),
                maxBytes: StorageLimits.maxSnapshotBytes)
        }
        let checksum = CRC32C.checksum(
            bytes, range: range,
            seed: SnapshotFormat.blockSeed(number: totals.blocks, headerChecksum: headerChecksum))
        let header = SnapshotFormat.blockHeader(bytes: range.count, checksum: checksum)
        try file.write(header, at: offset)
        try file.write(bytes, range: range, at: offset + header.count)
        offset += header.count + range.count
        totals.add(bytes: range.count, checksum: checksum)
        if offset - syncedBytes >= StorageLimits.snapshotSyncStepBytes {
            try file.sync()
            syncedBytes = offset
        }
    }
}
