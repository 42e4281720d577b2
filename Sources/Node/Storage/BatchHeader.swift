import Raft

/// The head of a batch on disk: eight little-endian words.
///
///      0  u32 magic, u8 format version, u8 flags (1: seal, 2: mirrored, 4: this is the copy), u16 zero
///      8  u64 index of the log's last entry before this batch
///     16  u64 sequence, rising by one from batch to batch through all segments
///     24  u64 offset at which the write that brought this batch began: all before it had been synced
///     32  u64 offset at which that write ended
///     40  u32 bytes of the body B, u32 number of entries
///     48  u32 checksum in the trailer of the batch before, u32 batches with facts before this one
///     56  u32 bytes of the facts F, u32 CRC32C of the 60 bytes before, seeded by segment and offset
///
/// The body follows, and a trailer of eight bytes: u32 magic, u32 CRC32C of the header's checksum and of
/// every record header's checksum. So the trailers chain all batches.
///
/// The body holds entries. Everything else there is to say (hard state, snapshot mark, truncation, the
/// entry a term begins with) is a *fact*, and facts are what can't be fetched from a peer or inferred from
/// the batches around. They are rare, so a batch with facts is *mirrored*, that is, says twice what matters,
/// so far apart that no single bad sector takes both:
///
///     header, facts (F bytes), entries, padding, copy of the header, copy of the facts (F bytes), trailer
///
/// A batch without facts needs no mirror. When its header is lost, the next one says by its sequence, its
/// last index and its count of fact batches that only entries were lost, which, and, since a new term is a
/// fact, of which term. An empty mirrored batch marks that all before it had been synced.
struct BatchHeader: Equatable {
    static let bytes = 64
    static let trailerBytes = 8
    static let formatVersion: UInt8 = 1
    /// Padding is not zero, because zeros mean "never arrived" (see `SegmentTail`).
    static let paddingByte: UInt8 = 0x2e

    var isSeal: Bool
    var isMirrored: Bool
    var offset: Int
    var lastIndex: Index
    var sequence: UInt64
    var writeStart: Int
    var writeEnd: Int
    var bodyBytes: Int
    var entryCount: Int
    var factBytes: Int
    var factBatches: UInt32
    var previousChecksum: UInt32

    /// The whole batch, trailer included.
    var totalBytes: Int { Self.bytes + bodyBytes + Self.trailerBytes }
    var end: Int { offset + totalBytes }

    var facts: Range<Int> { offset + Self.bytes..<offset + Self.bytes + factBytes }
    /// Where the copy of the header stands, in a mirrored batch.
    var copyOffset: Int { offset + bodyBytes - factBytes }
    var factsCopy: Range<Int> { copyOffset + Self.bytes..<end - Self.trailerBytes }
    /// Entries and padding.
    var entries: Range<Int> {
        facts.upperBound..<(isMirrored ? copyOffset : end - Self.trailerBytes)
    }

    /// The count that the next batch has to have.
    var factBatchesAfter: UInt32 { factBytes > 0 ? factBatches &+ 1 : factBatches }

    struct Words {
        var values: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
        var checksum: UInt32
    }

    func words(seed: UInt32, asCopy: Bool = false) -> Words {
        var first = Self.firstWord
        if isSeal { first |= Self.sealBit }
        if isMirrored { first |= Self.mirroredBit }
        if asCopy { first |= Self.copyBit }
        let sizes = UInt64(bodyBytes) | UInt64(entryCount) << 32
        let previous = UInt64(previousChecksum) | UInt64(factBatches) << 32
        var crc = CRC32C(resuming: Self.seed(seed, asCopy ? copyOffset : offset))
        crc.update(word: first)
        crc.update(word: lastIndex)
        crc.update(word: sequence)
        crc.update(word: UInt64(writeStart))
        crc.update(word: UInt64(writeEnd))
        crc.update(word: sizes)
        crc.update(word: previous)
        crc.update(word: UInt64(factBytes))
        return Words(
            values: (
                first, lastIndex, sequence, UInt64(writeStart), UInt64(writeEnd), sizes, previous,
                UInt64(factBytes) | UInt64(crc.value) << 32
            ), checksum: crc.value)
    }

    /// The header that stands at `position`, or whose copy does; nil unless it was written for this very
    /// place and stands there unchanged.
    static func decode(_ image: SegmentImage, at position: Int, seed: UInt32) -> BatchHeader? {
        guard position + bytes <= image.count else { return nil }
        let first = image.word(at: position)
        guard first & ~(sealBit | mirroredBit | copyBit) == firstWord else { return nil }
        var crc = CRC32C(resuming: Self.seed(seed, position))
        for number in 0..<7 { crc.update(word: image.word(at: position + 8 * number)) }
        let last = image.word(at: position + 56)
        crc.update(word: last & 0xffff_ffff)
        guard UInt32(last >> 32) == crc.value else { return nil }
        let sizes = image.word(at: position + 40)
        let previous = image.word(at: position + 48)
        var header = BatchHeader(
            isSeal: first & sealBit != 0,
            isMirrored: first & mirroredBit != 0,
            offset: position,
            lastIndex: image.word(at: position + 8),
            sequence: image.word(at: position + 16),
            writeStart: Int(truncatingIfNeeded: image.word(at: position + 24)),
            writeEnd: Int(truncatingIfNeeded: image.word(at: position + 32)),
            bodyBytes: Int(sizes & 0xffff_ffff),
            entryCount: Int(sizes >> 32),
            factBytes: Int(last & 0xffff_ffff),
            factBatches: UInt32(previous >> 32),
            previousChecksum: UInt32(truncatingIfNeeded: previous))
        if first & copyBit != 0 { header.offset = position - header.bodyBytes + header.factBytes }
        let mirrorBytes = header.isMirrored ? bytes + 2 * header.factBytes : 0
        guard header.offset >= 0, header.bodyBytes >= mirrorBytes,
            header.isMirrored || header.factBytes == 0
        else { return nil }
        return header
    }

    static func trailer(checksum: UInt32) -> UInt64 {
        UInt64(trailerMagic) | UInt64(checksum) << 32
    }

    /// The checksum that a trailer's word holds; nil if it is none.
    static func checksum(inTrailer word: UInt64) -> UInt32? {
        UInt32(truncatingIfNeeded: word) == trailerMagic ? UInt32(word >> 32) : nil
    }

    /// Another seed at every offset, so that what a stray write put elsewhere is not taken for what
    /// belongs there: for given bytes, CRC32C maps seeds to checksums one to one.
    static func seed(_ seed: UInt32, _ offset: Int) -> UInt32 {
        seed ^ UInt32(truncatingIfNeeded: offset)
    }

    private static let magic: UInt32 = 0x4854_4243  // "CBTH"
    private static let trailerMagic: UInt32 = 0x5454_4243  // "CBTT"
    private static let firstWord = UInt64(magic) | UInt64(formatVersion) << 32
    private static let sealBit: UInt64 = 1 << 40
    private static let mirroredBit: UInt64 = 1 << 41
    private static let copyBit: UInt64 = 1 << 42
}
