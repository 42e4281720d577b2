import Raft
import Scheduler

/// Reads and verifies a snapshot file.
struct SnapshotReader {
    let mark: SnapshotMark
    let fileBytes: Int
    private let file: StorageFile
    private let headerBytes: Int
    private let headerChecksum: UInt32
    private let header: [UInt8]
    /// What `chunk` read and found good last, with its offset.
    private var part: (offset: Int, bytes: [UInt8]) = (0, [])

    /// Throws `corrupt` if the header is damaged.
    init(_ name: String, in folder: StorageFolder) throws(StorageError) {
        let opened = try folder.open(name, mode: .read)
        let start = try opened.read(count: StorageLimits.maxSnapshotHeaderBytes, at: 0)
        do throws(CodecError) {
            (mark, headerBytes, headerChecksum) = try SnapshotFormat.mark(fromHeader: start)
        } catch {
            throw .corrupt(path: opened.path, offset: 0, problem: error.reason)
        }
        header = Array(start[..<headerBytes])
        file = opened
        fileBytes = try opened.sizeBytes()
    }

    /// Bytes of the file, for sending it; fewer at its end. What rotted since it was written is not handed
    /// out. Throws `corrupt`.
    mutating func chunk(at offset: UInt64, maxBytes: Int) throws(StorageError) -> [UInt8] {
        let limit = min(maxBytes, StorageLimits.maxSnapshotChunkBytes)
        var chunk: [UInt8] = []
        guard offset < UInt64(fileBytes) else { return chunk }
        var position = Int(offset)
        while position < fileBytes, chunk.count < limit {
            if !(part.offset..<part.offset + part.bytes.count).contains(position) {
                part = try verifiedPart(around: position)
            }
            let start = position - part.offset
            let end = min(part.bytes.count, start + limit - chunk.count)
            chunk.append(contentsOf: part.bytes[start..<end])
            position += end - start
        }
        return chunk
    }

    /// The header, the block or the footer in which `offset` lies.
    private func verifiedPart(
        around offset: Int
    ) throws(StorageError) -> (offset: Int, bytes: [UInt8]) {
        let footerOffset = fileBytes - SnapshotFormat.footerBytes
        if offset < headerBytes { return (0, header) }
        guard offset < footerOffset else {
            let footer = try file.read(count: SnapshotFormat.footerBytes, at: footerOffset)
            guard footerOffset >= headerBytes,
                SnapshotFormat.isFooter(footer, headerChecksum: headerChecksum)
            else { throw corrupt(footerOffset, "the footer is not as it was written") }
            return (footerOffset, footer)
        }
        let stride = SnapshotFormat.blockHeaderBytes + StorageLimits.snapshotBlockBytes
        let number = (offset - headerBytes) / stride
        let start = headerBytes + number * stride
        return (start, try block(number, at: start))
    }

    private func block(_ number: Int, at start: Int) throws(StorageError) -> [UInt8] {
        let footerOffset = fileBytes - SnapshotFormat.footerBytes
        let block = try file.read(
            count: SnapshotFormat.blockBytes(at: start, before: footerOffset), at: start)
        do throws(CodecError) {
            _ = try SnapshotFormat.check(
                block: block, number: UInt32(number), headerChecksum: headerChecksum)
        } catch {
            throw corrupt(start, error.reason)
        }
        return block
    }

    /// The whole state, every checksum verified. Throws `corrupt`.
    func state() throws(StorageError) -> [UInt8] {
        var state: [UInt8] = []
        state.reserveCapacity(try announcedStateBytes())
        try readBlocks { state.append(contentsOf: $0) }
        return state
    }

    /// The footer's checksum, which stands for every byte of the file: it covers the header's checksum and those of
    /// all blocks. Throws `corrupt`.
    func checksum() throws(StorageError) -> UInt32 {
        let footer = try verifiedPart(around: max(fileBytes - 1, headerBytes)).bytes
        guard footer.count == SnapshotFormat.footerBytes else {
            throw corrupt(fileBytes, "the file is too short")
        }
        return UInt32(truncatingIfNeeded: SegmentImage(bytes: footer).word(at: 24))
    }

    /// Throws `corrupt` unless every byte of the file is as it was written.
    func verify() throws(StorageError) {
        _ = try announcedStateBytes()
        try readBlocks { _ in }
    }

    private func announcedStateBytes() throws(StorageError) -> Int {
        let start = fileBytes - SnapshotFormat.footerBytes
        guard start >= headerBytes else { throw corrupt(fileBytes, "the file is too short") }
        let footer = try file.read(count: SnapshotFormat.footerBytes, at: start)
        do throws(CodecError) {
            let bytes = try SnapshotFormat.stateBytes(inFooter: footer)
            guard bytes <= UInt64(start - headerBytes) else {
                throw CodecError("the footer announces \(bytes) bytes of state")
            }
            return Int(bytes)
        } catch {
            throw corrupt(start, error.reason)
        }
    }

    private func readBlocks(_ take: (ArraySlice<UInt8>) -> Void) throws(StorageError) {
        let end = fileBytes - SnapshotFormat.footerBytes
        var totals = SnapshotFormat.Totals()
        var offset = headerBytes
        while offset < end {
            let block = try block(Int(totals.blocks), at: offset)
            take(block[SnapshotFormat.blockHeaderBytes...])
            totals.add(
                bytes: block.count - SnapshotFormat.blockHeaderBytes,
                checksum: UInt32(SegmentImage(bytes: block).word(at: 0) >> 32))
            offset += block.count
        }
        let footer = try file.read(count: SnapshotFormat.footerBytes, at: end)
        guard footer == SnapshotFormat.footer(totals, headerChecksum: headerChecksum) else {
            throw corrupt(end, "the footer does not match what stands before it")
        }
    }

    private func corrupt(_ offset: Int, _ problem: String) -> StorageError {
        .corrupt(path: file.path, offset: UInt64(max(offset, 0)), problem: problem)
    }
}
