/// The escapes of JSON strings (RFC 8259, section 7).
enum JSONEscape {
    /// The UTF-16 unit of the `\uXXXX` at `position`; nil if none stands there.
    static func unit(_ bytes: Span<UInt8>, at position: Int) -> UInt16? {
        guard position + 6 <= bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        else { return nil }
        var unit: UInt16 = 0
        for offset in 2..<6 {
            guard let digit = hexadecimalDigit(bytes[position + offset]) else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    /// The text of a string node, without quotes and escapes. Half a surrogate pair becomes the three
    /// bytes that a surrogate would have (WTF-8), so that different texts stay different; as `String`
    /// they decode to U+FFFD.
    static func text(of node: JSONNode, _ bytes: Span<UInt8>) -> [UInt8] {
        var position = Int(node.start) + 1
        let end = Int(node.end) - 1
        var result: [UInt8] = []
        result.reserveCapacity(end - position)
        while position < end {
            let byte = bytes[position]
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                position += 1
                continue
            }
            switch bytes[position + 1] {
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "u"):
                position += appendCodePoint(bytes, at: position, to: &result)
                continue
            case let other: result.append(other)
            }
            position += 2
        }
        return result
    }

    /// Appends the code point of a `\u` escape or a pair of them; returns the bytes it took.
    private static func appendCodePoint(
        _ bytes: Span<UInt8>, at position: Int, to result: inout [UInt8]
    ) -> Int {
        guard let high = unit(bytes, at: position) else {
            preconditionFailure("the scanner has checked this escape")
        }
        var codePoint = UInt32(high)
        var taken = 6
        if high & 0xFC00 == 0xD800, let low = unit(bytes, at: position + 6), low & 0xFC00 == 0xDC00
        {
            codePoint = 0x10000 + (UInt32(high & 0x3FF) << 10 | UInt32(low & 0x3FF))
            taken = 12
        }
        switch codePoint {
        case ..<0x80:
            result.append(UInt8(codePoint))
        case ..<0x800:
            result.append(0xC0 | UInt8(codePoint >> 6))
            result.append(0x80 | UInt8(codePoint & 0x3F))
        case ..<0x10000:
            result.append(0xE0 | UInt8(codePoint >> 12))
            result.append(0x80 | UInt8(codePoint >> 6 & 0x3F))
            result.append(0x80 | UInt8(codePoint & 0x3F))
        default:
            result.append(0xF0 | UInt8(codePoint >> 18))
            result.append(0x80 | UInt8(codePoint >> 12 & 0x3F))
            result.append(0x80 | UInt8(codePoint >> 6 & 0x3F))
            result.append(0x80 | UInt8(codePoint & 0x3F))
        }
        return taken
    }

    static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): return byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): return byte - UInt8(ascii: "A") + 10
        default: return nil
        }
    }
}
