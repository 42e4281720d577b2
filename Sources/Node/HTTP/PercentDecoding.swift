/// Percent-encoding as in paths and query strings (RFC 3986 2.1; `+` as a space in queries, as forms
/// send it).
enum PercentDecoding {
    /// Decodes bytes whose escapes were checked to be well formed.
    static func decode(_ bytes: ArraySlice<UInt8>, plusIsSpace: Bool) -> [UInt8] {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            if byte == 0x25, index + 2 < bytes.endIndex,
                let high = bytes[index + 1].hexadecimalValue,
                let low = bytes[index + 2].hexadecimalValue
            {
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(byte == 0x2B && plusIsSpace ? 0x20 : byte)
                index += 1
            }
        }
        return decoded
    }

    static func text(_ bytes: ArraySlice<UInt8>, plusIsSpace: Bool = false) -> String {
        guard bytes.contains(where: { $0 == 0x25 || $0 == 0x2B && plusIsSpace }) else {
            return String(decoding: bytes, as: UTF8.self)
        }
        return String(decoding: decode(bytes, plusIsSpace: plusIsSpace), as: UTF8.self)
    }
}
