/// Finds one value in a payload without taking the rest apart. Whoever submits has checked that it is JSON; of what is
/// not, the outcome is some value or none, and the same on every replica.
struct PayloadScanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The text of a string without its quotes, or any other value as it stands there; nil if there is none, or
    /// `null`. Names are compared byte by byte with those in the payload, which are taken as they are written.
    func value(at names: [[UInt8]]) -> ArraySlice<UInt8>? {
        var scanner = self
        for name in names {
            guard scanner.enter(name) else { return nil }
        }
        scanner.skipSpace()
        let begin = scanner.position
        guard begin < bytes.count else { return nil }
        scanner.skipValue()
        if bytes[begin] == UInt8(ascii: "\"") {
            guard scanner.position - begin >= 2 else { return nil }
            return bytes[(begin + 1)..<(scanner.position - 1)]
        }
        let value = bytes[begin..<scanner.position]
        return value.isEmpty || value.elementsEqual("null".utf8) ? nil : value
    }

    /// Goes to the value of this member of the object that begins here; false if there is none.
    private mutating func enter(_ name: [UInt8]) -> Bool {
        guard take(UInt8(ascii: "{")) else { return false }
        repeat {
            skipSpace()
            let begin = position
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
                return false
            }
            skipString()
            let found = bytes[begin..<position].dropFirst().dropLast()
            guard take(UInt8(ascii: ":")) else { return false }
            if found.elementsEqual(name) { return true }
            skipSpace()
            skipValue()
        } while take(UInt8(ascii: ","))
        return false
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte)
    }

    /// To behind the closing quote; the position is at the opening one.
    private mutating func skipString() {
        position += 1
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        position = min(position + 1, bytes.count)
    }

    /// Counts brackets rather than call itself: a payload may be nested as deeply as it is long.
    private mutating func skipValue() {
        var depth = 0
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                skipString()
                if depth == 0 { return }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard depth > 0 else { return }
                depth -= 1
                position += 1
                if depth == 0 { return }
            case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x09...0x0D:
                if depth == 0 { return }
                position += 1
            default:
                position += 1
            }
        }
    }
}
