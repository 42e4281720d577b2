/// The head of a record: four little-endian words, followed by the payload and zeros up to a multiple of
/// eight bytes.
///
///      0  u8 magic, u8 kind, u16 mask key (0: not masked), u32 payload bytes
///      8  u64 index     16  u64 term
///     24  u32 CRC32C of the payload as it stands on disk
///     28  u32 CRC32C of the 28 bytes before, seeded by segment and offset
///
/// Separate checksums, so that a damaged payload still tells which entry it was; bound to the offset, so
/// that headers can be found behind damage without the ones before.
struct RecordHeader: Equatable {
    static let bytes = 32

    var kind: UInt8
    var maskKey: UInt16
    var payloadBytes: Int
    var index: UInt64
    var term: UInt64
    var payloadChecksum: UInt32

    /// Header, payload and padding.
    var totalBytes: Int { Self.totalBytes(payloadBytes: payloadBytes) }

    static func totalBytes(payloadBytes: Int) -> Int { bytes + (payloadBytes + 7) / 8 * 8 }

    func words(
        seed: UInt32, offset: Int
    ) -> (values: (UInt64, UInt64, UInt64, UInt64), checksum: UInt32) {
        let first =
            UInt64(Self.magic) | UInt64(kind) << 8 | UInt64(maskKey) << 16
            | UInt64(payloadBytes) << 32
        let checksum = Self.checksum(
            first, index, term, payloadChecksum, seed: BatchHeader.seed(seed, offset))
        let last = UInt64(payloadChecksum) | UInt64(checksum) << 32
        return ((first, index, term, last), checksum)
    }

    /// nil unless a header that was written for this very place stands there unchanged.
    static func decode(
        _ image: SegmentImage, at offset: Int, seed: UInt32
    ) -> (header: RecordHeader, checksum: UInt32)? {
        guard offset + bytes <= image.count else { return nil }
        let first = image.word(at: offset)
        let last = image.word(at: offset + 24)
        let header = RecordHeader(
            kind: UInt8(truncatingIfNeeded: first >> 8),
            maskKey: UInt16(truncatingIfNeeded: first >> 16),
            payloadBytes: Int(first >> 32),
            index: image.word(at: offset + 8),
            term: image.word(at: offset + 16),
            payloadChecksum: UInt32(truncatingIfNeeded: last))
        let checksum = checksum(
            first, header.index, header.term, header.payloadChecksum,
            seed: BatchHeader.seed(seed, offset))
        guard UInt8(truncatingIfNeeded: first) == magic, UInt32(last >> 32) == checksum else {
            return nil
        }
        return (header, checksum)
    }

    private static let magic: UInt8 = 0xc5

    private static func checksum(
        _ first: UInt64, _ index: UInt64, _ term: UInt64, _ payloadChecksum: UInt32, seed: UInt32
    ) -> UInt32 {
        var crc = CRC32C(resuming: seed)
        crc.update(word: first)
        crc.update(word: index)
        crc.update(word: term)
        crc.update(word: UInt64(payloadChecksum))
        return crc.value
    }
}
