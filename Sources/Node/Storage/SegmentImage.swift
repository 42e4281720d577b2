/// A segment's bytes in memory, for recovery. The unsafe loads of reading back are here; each checks that
/// it stays inside.
struct SegmentImage {
    let bytes: [UInt8]
    /// Where the disk could not read, ascending; `bytes` holds nothing of worth there.
    var unreadable: [Range<Int>] = []

    var count: Int { bytes.count }

    /// What was read of the range.
    func readable(in range: Range<Int>) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var start = range.lowerBound
        for gap in unreadable where gap.overlaps(range) {
            if start < gap.lowerBound { found.append(start..<gap.lowerBound) }
            start = gap.upperBound
        }
        if start < range.upperBound { found.append(start..<range.upperBound) }
        return found
    }

    func word(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset + 8 <= bytes.count)
        return bytes.withUnsafeBytes {
            UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
    }

    func checksum(_ range: Range<Int>) -> UInt32 { CRC32C.checksum(bytes, range: range) }

    func isZero(_ range: Range<Int>) -> Bool { firstNonZero(in: range) == nil }

    /// Whether the range holds whole words, and every byte of them is `byte`.
    func isFilled(_ range: Range<Int>, with byte: UInt8) -> Bool {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        guard range.count % 8 == 0 else { return false }
        let word = UInt64(byte) &* 0x0101_0101_0101_0101
        return bytes.withUnsafeBytes { bytes in
            var offset = range.lowerBound
            while offset < range.upperBound,
                bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) == word
            {
                offset += 8
            }
            return offset == range.upperBound
        }
    }

    func firstNonZero(in range: Range<Int>) -> Int? {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        return bytes.withUnsafeBytes { bytes in
            var offset = range.lowerBound
            while offset + 8 <= range.upperBound,
                bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) == 0
            {
                offset += 8
            }
            while offset < range.upperBound, bytes[offset] == 0 { offset += 1 }
            return offset < range.upperBound ? offset : nil
        }
    }

    /// The offset behind the last byte of the range that is not zero; its beginning if all are.
    func endOfNonZero(in range: Range<Int>) -> Int {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        return bytes.withUnsafeBytes { bytes in
            var end = range.upperBound
            while end - 8 >= range.lowerBound,
                bytes.loadUnaligned(fromByteOffset: end - 8, as: UInt64.self) == 0
            {
                end -= 8
            }
            while end > range.lowerBound, bytes[end - 1] == 0 { end -= 1 }
            return end
        }
    }
}
