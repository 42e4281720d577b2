import Raft
import Scheduler

/// A snapshot file:
///
///     header     0  magic "CRLNSNAP"     8  u32 format version    12  u32 header bytes H
///               16  u64 mark index      24  u64 mark term
///               32  configuration, as in the log
///              H-4  u32 CRC32C of the H-4 bytes before; here in every future version too
///     block …   u32 bytes B, 1 MiB in all but the last; u32 CRC32C of the B bytes, seeded by the header's
///               checksum and the block's number; B bytes of the state
///     footer     0  magic "CRLNSEND"     8  u64 bytes of the state
///               16  u32 number of blocks 20  u32 CRC32C of all the blocks' checksums
///               24  u32 CRC32C of the header's checksum and the 24 bytes before
///               28  u32 zero
///
/// Numbers are little-endian. The footer has a fixed size, so that it is found from the end; blocks have,
/// so that each can be checked without those before. Nothing is sent or received unchecked.
///
/// Crash cases: the file is written under another name, synced, renamed, and the directory synced; only
/// then does a batch of the log name its mark, and only when that is durable are older snapshots removed.
/// So the snapshot that the log starts from is always there and whole; files under temporary names are
/// left-overs, and so are snapshots newer than the log's mark.
///
/// A snapshot that is found damaged gets `.damaged` behind its name. It is neither loaded nor sent any more,
/// and goes when a newer one is durable; only the newest of them is kept.
enum SnapshotFormat {
    static let version: UInt32 = 1
    static let blockHeaderBytes = 8
    static let footerBytes = 32

    static func header(for mark: SnapshotMark) -> [UInt8] {
        var writer = ByteWriter()
        writer.putRaw(headerMagic)
        writer.put(version)
        let lengthOffset = writer.count
        writer.put(UInt32(0))
        writer.put(mark.index)
        writer.put(mark.term)
        writer.put(mark.configuration)
        let bytes = writer.count + 4
        precondition(
            bytes <= StorageLimits.maxSnapshotHeaderBytes, "the configuration is too large")
        writer.patch(UInt32(bytes), at: lengthOffset)
        writer.put(CRC32C.checksum(writer.bytes))
        return writer.bytes
    }

    /// Reads the header from the beginning of a file. Throws text; the caller knows the file.
    static func mark(
        fromHeader bytes: [UInt8]
    ) throws(CodecError) -> (mark: SnapshotMark, headerBytes: Int, checksum: UInt32) {
        guard bytes.count >= 40, bytes.starts(with: headerMagic) else {
            throw CodecError("it does not begin like a snapshot")
        }
        var reader = ByteReader(bytes, range: 8..<bytes.count)
        let found = try reader.uint32()
        let headerBytes = Int(try reader.uint32())
        guard headerBytes >= 40, headerBytes <= bytes.count else {
            throw CodecError("the header announces \(headerBytes) bytes")
        }
        var trailer = ByteReader(bytes, range: headerBytes - 4..<headerBytes)
        let checksum = try trailer.uint32()
        guard checksum == SegmentImage(bytes: bytes).checksum(0..<headerBytes - 4) else {
            throw CodecError("the header's checksum does not match")
        }
        guard found == version else {
            throw CodecError("format version \(found) is not known, only \(version)")
        }
        reader = ByteReader(bytes, range: 16..<headerBytes - 4)
        let index = try reader.uint64()
        let term = try reader.uint64()
        let configuration = try reader.configuration()
        guard reader.remaining == 0 else { throw CodecError("the header has bytes too many") }
        return (
            SnapshotMark(index: index, term: term, configuration: configuration), headerBytes,
            checksum
        )
    }

    /// What the blocks of a snapshot add up to.
    struct Totals: Equatable, Sendable {
        var stateBytes: UInt64 = 0
        var blocks: UInt32 = 0
        private(set) var blocksChecksum: UInt32 = 0

        mutating func add(bytes: Int, checksum: UInt32) {
            stateBytes += UInt64(bytes)
            blocks += 1
            var chain = CRC32C(resuming: blocksChecksum)
            chain.update(word: UInt64(checksum))
            blocksChecksum = chain.value
        }
    }

    static func blockHeader(bytes: Int, checksum: UInt32) -> [UInt8] {
        var writer = ByteWriter(capacity: blockHeaderBytes)
        writer.put(UInt32(bytes))
        writer.put(checksum)
        return writer.bytes
    }

    /// Bytes of the block that begins at `offset`, its header included.
    static func blockBytes(at offset: Int, before footerOffset: Int) -> Int {
        min(blockHeaderBytes + StorageLimits.snapshotBlockBytes, footerOffset - offset)
    }

    /// Where a block belongs is part of its checksum: a block of another file or place is not taken for it.
    static func blockSeed(number: UInt32, headerChecksum: UInt32) -> UInt32 {
        headerChecksum ^ number
    }

    /// Returns the block's checksum if it is the one that stands in its header.
    static func check(
        block: [UInt8], number: UInt32, headerChecksum: UInt32
    ) throws(CodecError) -> UInt32 {
        guard block.count > blockHeaderBytes else { throw CodecError("a block is cut off") }
        let head = SegmentImage(bytes: block).word(at: 0)
        let checksum = CRC32C.checksum(
            block, range: blockHeaderBytes..<block.count,
            seed: blockSeed(number: number, headerChecksum: headerChecksum))
        guard Int(head & 0xffff_ffff) == block.count - blockHeaderBytes,
            UInt32(head >> 32) == checksum
        else { throw CodecError("block \(number) does not match its checksum") }
        return checksum
    }

    /// Whether a footer is as it was written, whatever the blocks are.
    static func isFooter(_ bytes: [UInt8], headerChecksum: UInt32) -> Bool {
        guard bytes.count == footerBytes, bytes.starts(with: footerMagic) else { return false }
        var checksum = CRC32C(resuming: headerChecksum)
        checksum.update(Array(bytes[..<24]))
        return SegmentImage(bytes: bytes).word(at: 24) == UInt64(checksum.value)
    }

    static func footer(_ totals: Totals, headerChecksum: UInt32) -> [UInt8] {
        var writer = ByteWriter(capacity: footerBytes)
        writer.putRaw(footerMagic)
        writer.put(totals.stateBytes)
        writer.put(totals.blocks)
        writer.put(totals.blocksChecksum)
        var checksum = CRC32C(resuming: headerChecksum)
        checksum.update(writer.bytes)
        writer.put(checksum.value)
        writer.put(UInt32(0))
        return writer.bytes
    }

    /// The state's length, as the footer has it; whether the footer is right is decided by comparing it
    /// with the one that the blocks demand.
    static func stateBytes(inFooter bytes: [UInt8]) throws(CodecError) -> UInt64 {
        guard bytes.count == footerBytes, bytes.starts(with: footerMagic) else {
            throw CodecError("it does not end like a snapshot")
        }
        var reader = ByteReader(bytes, range: 8..<16)
        return try reader.uint64()
    }

    private static let headerMagic = Array("CRLNSNAP".utf8)
    private static let footerMagic = Array("CRLNSEND".utf8)
}
