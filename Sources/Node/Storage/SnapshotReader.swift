import Raft
import Scheduler

/// Reads and verifies a snapshot file.
struct SnapshotReader {
    let mark: SnapshotMark
    let fileBytes: Int
    private let file: StorageFile
    private let headerBytes: Int
    private let headerChecksum: UInt32

    /// Throws `corrupt` if the header is damaged.
    init(path: String) throws(StorageError) {
        let opened = try StorageFile(path: path, mode: .read)
        let start = try opened.read(count: StorageLimits.maxSnapshotHeaderBytes, at: 0)
        do throws(CodecError) {
            (mark, headerBytes, headerChecksum) = try SnapshotFormat.mark(fromHeader: start)
        } catch {
            throw .corrupt(path: path, offset: 0, problem: error.reason)
        }
        file = opened
        fileBytes = try opened.sizeBytes()
    }

    /// Bytes of the file, for sending it; fewer at its end.
    func chunk(at offset: UInt64, maxBytes: Int) throws(StorageError) -> [UInt8] {
        guard offset < UInt64(fileBytes) else { return [] }
        return try file.read(
            count: min(maxBytes, StorageLimits.maxSnapshotChunkBytes, fileBytes - Int(offset)),
            at: Int(offset))
    }

    /// The whole state, every checksum verified. Throws `corrupt`.
    func state() throws(StorageError) -> [UInt8] {
        var state: [UInt8] = []
        state.reserveCapacity(try announcedStateBytes())
        try readBlocks { state.append(contentsOf: $0) }
        return state
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
            let maxBytes = SnapshotFormat.blockHeaderBytes + StorageLimits.snapshotBlockBytes
            let block = try file.read(count: min(maxBytes, end - offset), at: offset)
            guard block.count >= SnapshotFormat.blockHeaderBytes else {
                throw corrupt(offset, "a block is cut off")
            }
            let image = SegmentImage(bytes: block)
            let bytes = Int(image.word(at: 0) & 0xffff_ffff)
            let checksum = UInt32(image.word(at: 0) >> 32)
            let blockEnd = SnapshotFormat.blockHeaderBytes + bytes
            guard bytes > 0, blockEnd <= block.count,
                image.checksum(SnapshotFormat.blockHeaderBytes..<blockEnd) == checksum
            else { throw corrupt(offset, "a block does not match its checksum") }
            take(block[SnapshotFormat.blockHeaderBytes..<blockEnd])
            totals.add(bytes: bytes, checksum: checksum)
            offset += blockEnd
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
