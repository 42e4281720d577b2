import Glibc

/// The few things HTTP needs to do with bytes in place. The unsafe access is confined to this file:
/// every pointer is used inside the closure that lends it.
extension Span<UInt8> {
    /// The position of the first line feed at or after `start`.
    func firstLineFeed(from start: Int) -> Int? {
        guard start < count else { return nil }
        return withUnsafeBufferPointer { buffer in
            let base = buffer.baseAddress!
            guard let found = memchr(base + start, 10, buffer.count - start) else { return nil }
            return UnsafeRawPointer(found) - UnsafeRawPointer(base)
        }
    }

    func equals(_ text: StaticString) -> Bool {
        guard text.utf8CodeUnitCount == count else { return false }
        for index in 0..<count where self[index] != text.utf8Start[index] { return false }
        return true
    }

    /// `lowercase` must be in lower case.
    func equalsIgnoringCase(_ lowercase: StaticString) -> Bool {
        guard lowercase.utf8CodeUnitCount == count else { return false }
        for index in 0..<count where self[index].asciiLowercased != lowercase.utf8Start[index] {
            return false
        }
        return true
    }

    /// Calls `body` with each element of a list with commas (RFC 9110 5.6.1), without the space around it.
    func forEachListed(_ body: (Span<UInt8>) -> Void) {
        var start = 0
        while start < count {
            var end = start
            while end < count && self[end] != 0x2C { end += 1 }
            var tokenEnd = end
            while start < tokenEnd && (self[start] == 32 || self[start] == 9) { start += 1 }
            while tokenEnd > start && (self[tokenEnd - 1] == 32 || self[tokenEnd - 1] == 9) {
                tokenEnd -= 1
            }
            body(extracting(start..<tokenEnd))
            start = end + 1
        }
    }

    func text() -> String {
        withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }

    func array() -> [UInt8] {
        withUnsafeBufferPointer { Array($0) }
    }

    func append(to array: inout [UInt8]) {
        withUnsafeBufferPointer { array.append(contentsOf: $0) }
    }
}

extension UInt8 {
    var asciiLowercased: UInt8 { self &- 65 < 26 ? self | 0x20 : self }

    /// RFC 9110 5.6.2: `!#$%&'*+-.^_|~`, the backtick, digits and letters, as a set of bits.
    var isHTTPToken: Bool {
        if self < 64 { return 0x03FF_6CFA_0000_0000 as UInt64 >> UInt64(self) & 1 == 1 }
        if self < 128 { return 0x57FF_FFFF_C7FF_FFFE as UInt64 >> UInt64(self & 63) & 1 == 1 }
        return false
    }

    /// The value of a hexadecimal digit.
    var hexadecimalValue: UInt8? {
        switch self {
        case 48...57: return self - 48
        case 65...70: return self - 55
        case 97...102: return self - 87
        default: return nil
        }
    }
}
