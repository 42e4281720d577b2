/// A 64-bit hash that is the same in every process, on every platform and in every version, unlike Swift's
/// `Hasher`: whatever it decides (worker, jitter, digest) has to be equal on all replicas. Not cryptographic.
struct StableHash {
    private var value: UInt64

    init(seed: UInt64 = 0) {
        value = seed ^ 0x9E37_79B9_7F4A_7C15
    }

    /// One-to-one in `word` for a given state, so nothing mixed in is lost.
    @inline(__always)
    mutating func mix(_ word: UInt64) {
        let product = (value ^ word) &* 0x9FB2_1C65_1E98_DF25
        value = product ^ (product >> 32)
    }

    mutating func mix(_ bytes: [UInt8]) { mix(bytes, 0..<bytes.count) }

    mutating func mix(_ bytes: [UInt8], _ range: Range<Int>) {
        bytes.withUnsafeBytes { mix(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    mutating func mix(_ text: String) {
        var text = text
        text.withUTF8 { mix(UnsafeRawBufferPointer($0)) }
    }

    /// The length goes in first, so that neighbouring strings can't trade bytes.
    private mutating func mix(_ raw: UnsafeRawBufferPointer) {
        mix(UInt64(raw.count))
        var offset = 0
        while offset + 8 <= raw.count {
            mix(UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        guard offset < raw.count else { return }
        var tail: UInt64 = 0
        for position in offset..<raw.count {
            tail |= UInt64(raw[position]) << UInt64(8 * (position - offset))
        }
        mix(tail)
    }

    /// Every bit of the result depends on every bit mixed in.
    var digest: UInt64 {
        var x = value
        x = (x ^ (x >> 30)) &* 0xBF58_476D_1CE4_E5B9
        x = (x ^ (x >> 27)) &* 0x94D0_49BB_1331_11EB
        return x ^ (x >> 31)
    }

    static func of(_ text: String) -> UInt64 {
        var hash = StableHash()
        hash.mix(text)
        return hash.digest
    }

    static func of(_ first: UInt64, _ second: UInt64) -> UInt64 {
        var hash = StableHash()
        hash.mix(first)
        hash.mix(second)
        return hash.digest
    }
}
