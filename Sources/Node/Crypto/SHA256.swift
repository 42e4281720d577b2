/// SHA-256: FIPS 180-4, section 6.2.
///
/// Eight 32-bit words are mixed with the message in blocks of 64 bytes; the last block ends with a one bit, zeros and the
/// message's length in bits, big-endian.
struct SHA256 {
    static let blockBytes = 64
    static let digestBytes = 32

    private var state: SIMD8<UInt32> = [
        0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB,
        0x5BE0_CD19,
    ]
    /// Less than a block.
    private var rest: [UInt8] = []
    private var byteCount: UInt64 = 0

    init() {
        rest.reserveCapacity(Self.blockBytes)
    }

    /// The digest of a message that is there as a whole.
    static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finish()
    }

    /// Takes the next piece of the message.
    mutating func update(_ bytes: [UInt8]) {
        byteCount += UInt64(bytes.count)
        var place = 0
        if !rest.isEmpty {
            place = min(Self.blockBytes - rest.count, bytes.count)
            rest.append(contentsOf: bytes[..<place])
            guard rest.count == Self.blockBytes else { return }
            let block = rest
            rest = []
            compress(block.span, at: 0)
        }
        let span = bytes.span
        while span.count - place >= Self.blockBytes {
            compress(span, at: place)
            place += Self.blockBytes
        }
        rest.append(contentsOf: bytes[place...])
    }

    /// The digest of all pieces. No piece may follow.
    mutating func finish() -> [UInt8] {
        let bitCount = byteCount &* 8
        var end: [UInt8] = [0x80]
        while (rest.count + end.count) % Self.blockBytes != Self.blockBytes - 8 { end.append(0) }
        for shift in stride(from: 56, through: 0, by: -8) {
            end.append(UInt8(truncatingIfNeeded: bitCount >> UInt64(shift)))
        }
        update(end)
        var digest: [UInt8] = []
        digest.reserveCapacity(Self.digestBytes)
        for place in 0..<8 {
            for shift in stride(from: 24, through: 0, by: -8) {
                digest.append(UInt8(truncatingIfNeeded: state[place] >> UInt32(shift)))
            }
        }
        return digest
    }

    /// Mixes the block that begins at `start` into the state.
    private mutating func compress(_ bytes: Span<UInt8>, at start: Int) {
        var schedule = InlineArray<64, UInt32>(repeating: 0)
        for place in 0..<16 {
            let byte = start + 4 * place
            schedule[place] =
                UInt32(bytes[byte]) << 24 | UInt32(bytes[byte + 1]) << 16
                | UInt32(bytes[byte + 2]) << 8 | UInt32(bytes[byte + 3])
        }
        for place in 16..<64 {
            let early = schedule[place - 15]
            let late = schedule[place - 2]
            let low = Self.rotate(early, 7) ^ Self.rotate(early, 18) ^ early >> 3
            let high = Self.rotate(late, 17) ^ Self.rotate(late, 19) ^ late >> 10
            schedule[place] = schedule[place - 16] &+ low &+ schedule[place - 7] &+ high
        }
        // The working variables a to h of the standard.
        var a = state[0]
        var b = state[1]
        var c = state[2]
        var d = state[3]
        var e = state[4]
        var f = state[5]
        var g = state[6]
        var h = state[7]
        let constants = Self.constants.span
        for round in 0..<64 {
            let mixedE = Self.rotate(e, 6) ^ Self.rotate(e, 11) ^ Self.rotate(e, 25)
            let chosen = (e & f) ^ (~e & g)
            let first = h &+ mixedE &+ chosen &+ constants[round] &+ schedule[round]
            let mixedA = Self.rotate(a, 2) ^ Self.rotate(a, 13) ^ Self.rotate(a, 22)
            let majority = (a & b) ^ (a & c) ^ (b & c)
            h = g
            g = f
            f = e
            e = d &+ first
            d = c
            c = b
            b = a
            a = first &+ mixedA &+ majority
        }
        state = state &+ SIMD8(a, b, c, d, e, f, g, h)
    }

    private static func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 {
        word >> count | word << (32 - count)
    }

    /// The fractional parts of the cube roots of the first 64 primes.
    private static let constants: [UInt32] = [
        0x428A_2F98, 0x7137_4491, 0xB5C0_FBCF, 0xE9B5_DBA5, 0x3956_C25B, 0x59F1_11F1, 0x923F_82A4,
        0xAB1C_5ED5, 0xD807_AA98, 0x1283_5B01, 0x2431_85BE, 0x550C_7DC3, 0x72BE_5D74, 0x80DE_B1FE,
        0x9BDC_06A7, 0xC19B_F174, 0xE49B_69C1, 0xEFBE_4786, 0x0FC1_9DC6, 0x240C_A1CC, 0x2DE9_2C6F,
        0x4A74_84AA, 0x5CB0_A9DC, 0x76F9_88DA, 0x983E_5152, 0xA831_C66D, 0xB003_27C8, 0xBF59_7FC7,
        0xC6E0_0BF3, 0xD5A7_9147, 0x06CA_6351, 0x1429_2967, 0x27B7_0A85, 0x2E1B_2138, 0x4D2C_6DFC,
        0x5338_0D13, 0x650A_7354, 0x766A_0ABB, 0x81C2_C92E, 0x9272_2C85, 0xA2BF_E8A1, 0xA81A_664B,
        0xC24B_8B70, 0xC76C_51A3, 0xD192_E819, 0xD699_0624, 0xF40E_3585, 0x106A_A070, 0x19A4_C116,
        0x1E37_6C08, 0x2748_774C, 0x34B0_BCB5, 0x391C_0CB3, 0x4ED8_AA4A, 0x5B9C_CA4F, 0x682E_6FF3,
        0x748F_82EE, 0x78A5_636F, 0x84C8_7814, 0x8CC7_0208, 0x90BE_FFFA, 0xA450_6CEB, 0xBEF9_A3F7,
        0xC671_78F2,
    ]
}
