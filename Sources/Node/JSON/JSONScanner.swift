/// Reads a JSON text (RFC 8259) into nodes. The source is passed to each method rather than held, because
/// a `Span` can't be stored in an ordinary struct.
struct JSONScanner {
    private(set) var nodes: [JSONNode] = []
    private var position = 0
    private var depth = 0
    private let maxDepth: Int

    /// Room for so many is taken at once. It costs address space only, until nodes stand there.
    private static let maxExpectedNodes = 1 << 16

    /// Above this number of members names are compared by hash rather than in pairs.
    private static let maxMembersComparedInPairs = 16

    init(maxDepth: Int, expectedBytes: Int) {
        self.maxDepth = maxDepth
        nodes.reserveCapacity(min(expectedBytes / 8 + 2, Self.maxExpectedNodes))
    }

    mutating func document(_ bytes: Span<UInt8>) throws(JSONError) {
        guard bytes.count < Int(Int32.max) else {
            throw JSONError(offset: 0, pointer: "", reason: "the text is longer than 2 GiB")
        }
        skipSpace(bytes)
        try value(bytes)
        skipSpace(bytes)
        guard position == bytes.count else {
            throw JSONError(
                offset: position, pointer: "", reason: "unexpected text after the value")
        }
    }

    private mutating func value(_ bytes: Span<UInt8>) throws(JSONError) {
        guard position < bytes.count else {
            throw failure("unexpected end, expected a value", bytes)
        }
        switch bytes[position] {
        case UInt8(ascii: "{"): try object(bytes)
        case UInt8(ascii: "["): try array(bytes)
        case UInt8(ascii: "\""): try string(bytes)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number(bytes)
        case UInt8(ascii: "t"): try literal("true", .bool, true, bytes)
        case UInt8(ascii: "f"): try literal("false", .bool, false, bytes)
        case UInt8(ascii: "n"): try literal("null", .null, false, bytes)
        case 0xEF where position == 0: throw failure("a byte order mark is not allowed", bytes)
        default: throw failure("expected a value", bytes)
        }
    }

    private mutating func object(_ bytes: Span<UInt8>) throws(JSONError) {
        let index = try open(.object, bytes)
        var members = 0
        skipSpace(bytes)
        if peek(bytes) != UInt8(ascii: "}") {
            while true {
                guard peek(bytes) == UInt8(ascii: "\"") else {
                    throw failure("expected a member name in double quotes", bytes)
                }
                try string(bytes)
                skipSpace(bytes)
                guard peek(bytes) == UInt8(ascii: ":") else {
                    throw failure("expected ':' after the member name", bytes)
                }
                position += 1
                skipSpace(bytes)
                try value(bytes)
                members += 1
                skipSpace(bytes)
                guard let byte = peek(bytes) else {
                    throw failure("unexpected end in an object", bytes)
                }
                if byte == UInt8(ascii: "}") { break }
                guard byte == UInt8(ascii: ",") else {
                    throw failure("expected ',' or '}' after a member", bytes)
                }
                position += 1
                skipSpace(bytes)
            }
        }
        try refuseDuplicates(of: index, members: members, bytes)
        close(index)
    }

    private mutating func array(_ bytes: Span<UInt8>) throws(JSONError) {
        let index = try open(.array, bytes)
        skipSpace(bytes)
        if peek(bytes) != UInt8(ascii: "]") {
            while true {
                try value(bytes)
                skipSpace(bytes)
                guard let byte = peek(bytes) else {
                    throw failure("unexpected end in an array", bytes)
                }
                if byte == UInt8(ascii: "]") { break }
                guard byte == UInt8(ascii: ",") else {
                    throw failure("expected ',' or ']' after an element", bytes)
                }
                position += 1
                skipSpace(bytes)
            }
        }
        close(index)
    }

    private mutating func string(_ bytes: Span<UInt8>) throws(JSONError) {
        let start = position
        var hasEscapes = false
        var hasLoneSurrogate = false
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                position += 1
                nodes.append(
                    JSONNode(
                        start: Int32(start), end: Int32(position), next: Int32(nodes.count + 1),
                        kind: .string, flag: hasEscapes, hasLoneSurrogate: hasLoneSurrogate))
                return
            }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                if try escape(bytes) { hasLoneSurrogate = true }
            } else if byte < 0x20 {
                throw failure("a control character in a string must be escaped", bytes)
            } else if byte < 0x80 {
                position += 1
            } else {
                let length = UTF8Sequence.length(bytes, at: position)
                guard length > 0 else { throw failure("invalid UTF-8", bytes) }
                position += length
            }
        }
        throw failure("unexpected end in a string", bytes)
    }

    /// Passes one escape, or both of a surrogate pair; true if it is half a pair.
    private mutating func escape(_ bytes: Span<UInt8>) throws(JSONError) -> Bool {
        guard position + 1 < bytes.count else { throw failure("unexpected end in a string", bytes) }
        switch bytes[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
            return false
        case UInt8(ascii: "u"):
            guard let unit = JSONEscape.unit(bytes, at: position) else {
                throw failure("\\u must be followed by four hexadecimal digits", bytes)
            }
            position += 6
            guard unit & 0xF800 == 0xD800 else { return false }
            guard unit < 0xDC00, let low = JSONEscape.unit(bytes, at: position),
                low & 0xFC00 == 0xDC00
            else { return true }
            position += 6
            return false
        default:
            throw failure("unknown escape in a string", bytes)
        }
    }

    private mutating func number(_ bytes: Span<UInt8>) throws(JSONError) {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        if peek(bytes) == UInt8(ascii: "0") {
            position += 1
            if let byte = peek(bytes), Self.isDigit(byte) {
                throw failure("a number must not begin with 0", bytes)
            }
        } else {
            try digits(bytes)
        }
        if peek(bytes) == UInt8(ascii: ".") {
            position += 1
            try digits(bytes)
        }
        if let byte = peek(bytes), byte | 0x20 == UInt8(ascii: "e") {
            position += 1
            if let sign = peek(bytes), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
                position += 1
            }
            try digits(bytes)
        }
        appendLeaf(.number, from: start)
    }

    private mutating func digits(_ bytes: Span<UInt8>) throws(JSONError) {
        let start = position
        while position < bytes.count, Self.isDigit(bytes[position]) { position += 1 }
        guard position > start else { throw failure("expected a digit", bytes) }
    }

    private mutating func literal(
        _ text: String, _ kind: JSONKind, _ flag: Bool, _ bytes: Span<UInt8>
    ) throws(JSONError) {
        let start = position
        let end = start + text.utf8.count
        guard end <= bytes.count else { throw failure("expected a value", bytes) }
        var offset = start
        for byte in text.utf8 {
            guard bytes[offset] == byte else { throw failure("expected a value", bytes) }
            offset += 1
        }
        position = end
        appendLeaf(kind, from: start, flag: flag)
    }

    private mutating func appendLeaf(_ kind: JSONKind, from start: Int, flag: Bool = false) {
        nodes.append(
            JSONNode(
                start: Int32(start), end: Int32(position), next: Int32(nodes.count + 1),
                kind: kind, flag: flag))
    }

    private mutating func open(_ kind: JSONKind, _ bytes: Span<UInt8>) throws(JSONError) -> Int {
        guard depth < maxDepth else {
            throw failure("nested deeper than \(maxDepth) levels", bytes)
        }
        depth += 1
        let index = nodes.count
        nodes.append(
            JSONNode(start: Int32(position), end: -1, next: -1, kind: kind, flag: false))
        position += 1
        return index
    }

    private mutating func close(_ index: Int) {
        position += 1
        depth -= 1
        nodes[index].end = Int32(position)
        nodes[index].next = Int32(nodes.count)
    }

    @inline(__always)
    private mutating func skipSpace(_ bytes: Span<UInt8>) {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    @inline(__always)
    private func peek(_ bytes: Span<UInt8>) -> UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    @inline(__always)
    private static func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    private func refuseDuplicates(
        of object: Int, members: Int, _ bytes: Span<UInt8>
    ) throws(JSONError) {
        guard members > 1 else { return }
        if members > Self.maxMembersComparedInPairs {
            var seen = Set<[UInt8]>(minimumCapacity: members)
            var name = object + 1
            while name < nodes.count {
                let text = JSONEscape.text(of: nodes[name], bytes)
                guard seen.insert(text).inserted else { throw duplicate(name, bytes) }
                name = Int(nodes[name + 1].next)
            }
            return
        }
        var second = Int(nodes[object + 2].next)
        while second < nodes.count {
            var first = object + 1
            while first < second {
                if isSameName(nodes[first], nodes[second], bytes) { throw duplicate(second, bytes) }
                first = Int(nodes[first + 1].next)
            }
            second = Int(nodes[second + 1].next)
        }
    }

    private func isSameName(_ one: JSONNode, _ other: JSONNode, _ bytes: Span<UInt8>) -> Bool {
        if one.flag || other.flag {
            return JSONEscape.text(of: one, bytes) == JSONEscape.text(of: other, bytes)
        }
        let count = Int(one.end - one.start)
        guard count == Int(other.end - other.start) else { return false }
        for offset in 1..<count
        where bytes[Int(one.start) + offset] != bytes[Int(other.start) + offset] {
            return false
        }
        return true
    }

    private func duplicate(_ name: Int, _ bytes: Span<UInt8>) -> JSONError {
        let text = String(decoding: JSONEscape.text(of: nodes[name], bytes), as: UTF8.self)
        return JSONError(
            offset: Int(nodes[name].start), pointer: pointer(bytes),
            reason: "the member \"\(text)\" stands twice in one object")
    }

    private func failure(_ reason: String, _ bytes: Span<UInt8>) -> JSONError {
        JSONError(offset: position, pointer: pointer(bytes), reason: reason)
    }

    /// The place being read, from the containers still open; made only when reading has failed.
    private func pointer(_ bytes: Span<UInt8>) -> String {
        var result = ""
        var index = 0
        while index < nodes.count, nodes[index].end == -1 {
            let isObject = nodes[index].kind == .object
            var child = index + 1
            var count = 0
            while child < nodes.count {
                let value = isObject ? child + 1 : child
                guard value < nodes.count, nodes[value].end != -1 else { break }
                child = Int(nodes[value].next)
                count += 1
            }
            guard isObject else {
                result += "/\(count)"
                index = child
                continue
            }
            guard child < nodes.count else { return result }
            let name = String(decoding: JSONEscape.text(of: nodes[child], bytes), as: UTF8.self)
            result = JSONPointer.appending(name, to: result)
            index = child + 1
        }
        return result
    }
}
