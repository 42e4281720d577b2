import CLinux

/// The checksum of everything that goes to disk or to a peer: CRC-32C (Castagnoli; RFC 3720, appendix
/// B.4), by the processor's instruction, or by slicing over eight bytes a step where it has none.
public struct CRC32C: Sendable {
    private var register: UInt32 = ~0

    public init() {}

    /// Goes on behind bytes whose checksum is `value`, or seeds a checksum with another one.
    public init(resuming value: UInt32) {
        register = ~value
    }

    public var value: UInt32 { ~register }

    public static func checksum(_ bytes: [UInt8]) -> UInt32 {
        checksum(bytes, range: 0..<bytes.count)
    }

    /// `seed`: as in `init(resuming:)`.
    public static func checksum(
        _ bytes: [UInt8], range: Range<Int>, seed: UInt32 = 0
    ) -> UInt32 {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        var checksum = CRC32C(resuming: seed)
        bytes.withUnsafeBytes { checksum.update(UnsafeRawBufferPointer(rebasing: $0[range])) }
        return checksum.value
    }

    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// Eight bytes in little-endian order: what a fixed-size header is made of.
    @inline(__always)
    public mutating func update(word: UInt64) {
        register = Self.advance(register, by: word, Self.tables)
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard Self.hasInstruction, let start = bytes.baseAddress else { return slice(bytes) }
        register = carillon_crc32c(
            register, start.assumingMemoryBound(to: UInt8.self), bytes.count)
    }

    private static let hasInstruction = carillon_has_crc32c() != 0

    /// Without the instruction.
    mutating func slice(_ bytes: UnsafeRawBufferPointer) {
        let tables = Self.tables
        var register = register
        var offset = 0
        let count = bytes.count
        while offset + 8 <= count {
            let word = UInt64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            register = Self.advance(register, by: word, tables)
            offset += 8
        }
        while offset < count {
            register = (register >> 8) ^ tables[Int((register ^ UInt32(bytes[offset])) & 0xff)]
            offset += 1
        }
        self.register = register
    }

    @inline(__always)
    private static func advance(
        _ register: UInt32, by word: UInt64, _ tables: UnsafePointer<UInt32>
    ) -> UInt32 {
        let low = register ^ UInt32(truncatingIfNeeded: word)
        let high = UInt32(truncatingIfNeeded: word >> 32)
        // Two halves, so that the eight look-ups do not wait for each other.
        let first =
            tables[1_792 + Int(low & 0xff)] ^ tables[1_536 + Int((low >> 8) & 0xff)]
            ^ tables[1_280 + Int((low >> 16) & 0xff)] ^ tables[1_024 + Int(low >> 24)]
        let second =
            tables[768 + Int(high & 0xff)] ^ tables[512 + Int((high >> 8) & 0xff)]
            ^ tables[256 + Int((high >> 16) & 0xff)] ^ tables[Int(high >> 24)]
        return first ^ second
    }

    /// Eight tables of 256, one behind the other. Allocated once, never written again and never freed,
    /// hence safe to share; a pointer spares the bounds checks, which would halve the speed.
    nonisolated(unsafe) private static let tables: UnsafePointer<UInt32> = {
        let reversedPolynomial: UInt32 = 0x82f6_3b78
        let tables = UnsafeMutablePointer<UInt32>.allocate(capacity: 8 * 256)
        for index in 0..<256 {
            var value = UInt32(index)
            for _ in 0..<8 {
                value = (value >> 1) ^ (value & 1 == 1 ? reversedPolynomial : 0)
            }
            tables[index] = value
        }
        for index in 256..<8 * 256 {
            let previous = tables[index - 256]
            tables[index] = (previous >> 8) ^ tables[Int(previous & 0xff)]
        }
        return UnsafePointer(tables)
    }()
}
