/// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, 2012) under a fixed key: stands for an
/// idempotency key in the table of remembered keys. Among five million keys the chance that any two of them
/// collide is below 10^-25.
struct KeyHash: Hashable, Sendable {
    var high: UInt64
    var low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        var sip = SipState()
        var offset = range.lowerBound
        while offset + 8 <= range.upperBound {
            var word: UInt64 = 0
            for position in 0..<8 {
                word |= UInt64(bytes[offset + position]) << UInt64(8 * position)
            }
            sip.absorb(word)
            offset += 8
        }
        var last = UInt64(truncatingIfNeeded: range.count) << 56
        for position in offset..<range.upperBound {
            last |= UInt64(bytes[position]) << UInt64(8 * (position - offset))
        }
        sip.absorb(last)
        sip.v2 ^= 0xEE
        for _ in 0..<4 { sip.round() }
        low = sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3
        sip.v1 ^= 0xDD
        for _ in 0..<4 { sip.round() }
        high = sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3
    }

    /// The bits are well mixed already.
    func hash(into hasher: inout Hasher) { hasher.combine(low) }
}

private struct SipState {
    private static let key0: UInt64 = 0x0706_0504_0302_0100
    private static let key1: UInt64 = 0x0F0E_0D0C_0B0A_0908

    var v0 = Self.key0 ^ 0x736F_6D65_7073_6575
    var v1 = Self.key1 ^ 0x646F_7261_6E64_6F6D ^ 0xEE
    var v2 = Self.key0 ^ 0x6C79_6765_6E65_7261
    var v3 = Self.key1 ^ 0x7465_6462_7974_6573

    mutating func absorb(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    mutating func round() {
        v0 = v0 &+ v1
        v1 = rotated(v1, 13) ^ v0
        v0 = rotated(v0, 32)
        v2 = v2 &+ v3
        v3 = rotated(v3, 16) ^ v2
        v0 = v0 &+ v3
        v3 = rotated(v3, 21) ^ v0
        v2 = v2 &+ v1
        v1 = rotated(v1, 17) ^ v2
        v2 = rotated(v2, 32)
    }

    private func rotated(_ value: UInt64, _ bits: UInt64) -> UInt64 {
        (value << bits) | (value >> (64 - bits))
    }
}
