/// Well-formed UTF-8 byte sequences (Unicode 15, table 3-7).
enum UTF8Sequence {
    /// Bytes of the sequence that begins at `position`, 1 to 4; 0 if it is not well formed: overlong,
    /// a surrogate, above U+10FFFF, or cut off.
    @inline(__always)
    static func length(_ bytes: Span<UInt8>, at position: Int) -> Int {
        let first = bytes[position]
        if first < 0x80 { return 1 }
        let left = bytes.count - position
        switch first {
        case 0xC2...0xDF:
            return left >= 2 && isContinuation(bytes[position + 1]) ? 2 : 0
        case 0xE0...0xEF:
            guard left >= 3 else { return 0 }
            let second = bytes[position + 1]
            let lowest: UInt8 = first == 0xE0 ? 0xA0 : 0x80
            let highest: UInt8 = first == 0xED ? 0x9F : 0xBF
            return second >= lowest && second <= highest && isContinuation(bytes[position + 2])
                ? 3 : 0
        case 0xF0...0xF4:
            guard left >= 4 else { return 0 }
            let second = bytes[position + 1]
            let lowest: UInt8 = first == 0xF0 ? 0x90 : 0x80
            let highest: UInt8 = first == 0xF4 ? 0x8F : 0xBF
            return second >= lowest && second <= highest && isContinuation(bytes[position + 2])
                && isContinuation(bytes[position + 3]) ? 4 : 0
        default:
            return 0
        }
    }

    @inline(__always)
    private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }
}
