/// Keeps long runs of zeros off the disk.
///
/// Recovery takes a sector full of zeros, where a record should be, for one that never arrived (see
/// `SegmentTail`). A payload that holds such a run itself would be taken for torn when in truth a bit of
/// it was flipped, so it is written XORed with a pseudo-random stream. Few payloads are: JSON has no zeros.
enum PayloadMask {
    /// A sector that holds nothing but payload holds at least one block of this size, counted from the
    /// payload's beginning; a sector that holds the beginning of a header or trailer is not zero anyway.
    static let blockBytes = 128

    static func isNeeded(for payload: [UInt8]) -> Bool {
        payload.withUnsafeBytes { bytes in
            var block = 0
            while block + blockBytes <= bytes.count {
                var offset = block
                let end = block + blockBytes
                while offset < end,
                    bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) == 0
                {
                    offset += 8
                }
                if offset == end { return true }
                block = end
            }
            return false
        }
    }

    /// The first key whose stream leaves no block of zeros, with the masked payload. The nonce is secret,
    /// so nobody can prepare a payload that all keys fail for.
    static func masked(_ payload: [UInt8], nonce: UInt64) -> (key: UInt16, bytes: [UInt8]) {
        var key: UInt16 = 1
        while true {
            var bytes = payload
            apply(key: key, nonce: nonce, to: &bytes)
            if !isNeeded(for: bytes) { return (key, bytes) }
            precondition(key < UInt16.max, "a random stream leaves no zeros")
            key += 1
        }
    }

    /// Masks, or takes the mask off again.
    static func apply(key: UInt16, nonce: UInt64, to payload: inout [UInt8]) {
        let seed = nonce ^ UInt64(key) << 48
        payload.withUnsafeMutableBytes { bytes in
            var offset = 0
            while offset + 8 <= bytes.count {
                let word = UInt64(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                bytes.storeBytes(
                    of: (word ^ stream(seed, offset)).littleEndian, toByteOffset: offset,
                    as: UInt64.self)
                offset += 8
            }
            let rest = stream(seed, offset)
            for position in offset..<bytes.count {
                bytes[position] ^= UInt8(
                    truncatingIfNeeded: rest >> (8 * UInt64(position - offset)))
            }
        }
    }

    /// SplitMix64's output function over a counter.
    static func stream(_ seed: UInt64, _ offset: Int) -> UInt64 {
        var value = seed &+ (UInt64(offset) &+ 1) &* 0x9e37_79b9_7f4a_7c15
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
