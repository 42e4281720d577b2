/// The head of a batch on disk: eight little-endian words.
///
///      0  u32 magic, u8 format version, u8 flags (1: seal), u16 zero
///      8  u64 offset of this header in its segment
///     16  u64 sequence, rising by one from batch to batch through all segments
///     24  u64 offset at which the write that brought this batch began: all before it had been synced
///     32  u64 offset at which that write ended
///     40  u32 bytes of the records, u32 number of records
///     48  u32 checksum in the trailer of the batch before, u32 zero
///     56  u32 zero, u32 CRC32C of the 60 bytes before, seeded by the segment
///
/// The records follow, and a trailer of eight bytes: u32 magic, u32 CRC32C of the header's checksum and
/// of every record header's checksum. So the trailers chain all batches.
struct BatchHeader: Equatable {
    static let bytes = 64
    static let trailerBytes = 8
    static let formatVersion: UInt8 = 1

    var isSeal: Bool
    var offset: Int
    var sequence: UInt64
    var writeStart: Int
    var writeEnd: Int
    var bodyBytes: Int
    var recordCount: Int
    var previousChecksum: UInt32

    /// The whole batch, trailer included.
    var totalBytes: Int { Self.bytes + bodyBytes + Self.trailerBytes }

    struct Words {
        var values: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
        var checksum: UInt32
    }

    func words(seed: UInt32) -> Words {
        let first = Self.firstWord | (isSeal ? Self.sealBit : 0)
        let sizes = UInt64(bodyBytes) | UInt64(recordCount) << 32
        let previous = UInt64(previousChecksum)
        var crc = CRC32C(resuming: seed)
        crc.update(word: first)
        crc.update(word: UInt64(offset))
        crc.update(word: sequence)
        crc.update(word: UInt64(writeStart))
        crc.update(word: UInt64(writeEnd))
        crc.update(word: sizes)
        crc.update(word: previous)
        return Words(
            values: (
                first, UInt64(offset), sequence, UInt64(writeStart), UInt64(writeEnd), sizes,
                previous, UInt64(crc.value) << 32
            ), checksum: crc.value)
    }

    /// nil unless a header that was written for this very place stands there unchanged.
    static func decode(
        _ image: SegmentImage, at offset: Int, seed: UInt32
    ) -> (header: BatchHeader, checksum: UInt32)? {
        guard offset + bytes <= image.count,
            image.word(at: offset) | sealBit == firstWord | sealBit,
            image.word(at: offset + 8) == UInt64(offset)
        else { return nil }
        let sizes = image.word(at: offset + 40)
        let header = BatchHeader(
            isSeal: image.word(at: offset) & sealBit != 0,
            offset: offset,
            sequence: image.word(at: offset + 16),
            writeStart: Int(truncatingIfNeeded: image.word(at: offset + 24)),
            writeEnd: Int(truncatingIfNeeded: image.word(at: offset + 32)),
            bodyBytes: Int(sizes & 0xffff_ffff),
            recordCount: Int(sizes >> 32),
            previousChecksum: UInt32(truncatingIfNeeded: image.word(at: offset + 48)))
        var crc = CRC32C(resuming: seed)
        for position in 0..<7 { crc.update(word: image.word(at: offset + 8 * position)) }
        guard image.word(at: offset + 56) == UInt64(crc.value) << 32 else { return nil }
        return (header, crc.value)
    }

    static func trailer(checksum: UInt32) -> UInt64 {
        UInt64(trailerMagic) | UInt64(checksum) << 32
    }

    private static let magic: UInt32 = 0x4854_4243  // "CBTH"
    private static let trailerMagic: UInt32 = 0x5454_4243  // "CBTT"
    private static let firstWord = UInt64(magic) | UInt64(formatVersion) << 32
    private static let sealBit: UInt64 = 1 << 40
}
