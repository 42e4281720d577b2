/// One value of a document: a position in its list of nodes.
struct JSONValue: Sendable {
    let document: JSONDocument
    let index: Int

    private var node: JSONNode { document.nodes[index] }

    var kind: JSONKind { node.kind }

    /// Where the value stands in the source.
    var range: Range<Int> { Int(node.start)..<Int(node.end) }

    /// The value as it was written.
    var raw: [UInt8] { Array(document.bytes[range]) }

    /// As it was written, for messages.
    var source: String { String(decoding: document.bytes[range], as: UTF8.self) }

    var isNull: Bool { kind == .null }

    var bool: Bool? { kind == .bool ? node.flag : nil }

    /// The text of a string; halves of surrogate pairs become U+FFFD (see `hasLoneSurrogate`).
    var string: String? {
        let node = node
        guard node.kind == .string else { return nil }
        if node.flag {
            let bytes = document.bytes
            return String(decoding: JSONEscape.text(of: node, bytes.span), as: UTF8.self)
        }
        return String(
            decoding: document.bytes[Int(node.start) + 1..<Int(node.end) - 1], as: UTF8.self)
    }

    /// The value is a string that no Unicode text can hold.
    var hasLoneSurrogate: Bool { node.hasLoneSurrogate }

    /// A number written without fraction and exponent that fits.
    var integer: Int64? {
        let node = node
        guard node.kind == .number else { return nil }
        return Int64(source)
    }

    /// The nearest double; infinite numbers (`1e400`) are nil.
    var double: Double? {
        guard kind == .number, let value = Double(source), value.isFinite else { return nil }
        return value
    }

    /// The member of that name; nil if this is no object or has none.
    subscript(_ name: String) -> JSONValue? { member(name)?.value }

    /// The member of that name, and how many stand before it.
    func member(_ name: String) -> (value: JSONValue, ordinal: Int)? {
        let nodes = document.nodes
        let bytes = document.bytes
        guard nodes[index].kind == .object else { return nil }
        let wanted = name.utf8
        let count = wanted.count
        var child = index + 1
        var ordinal = 0
        let end = Int(nodes[index].next)
        while child < end {
            let node = nodes[child]
            let isEqual =
                node.flag
                ? String(decoding: JSONEscape.text(of: node, bytes.span), as: UTF8.self) == name
                : Int(node.end - node.start) - 2 == count
                    && Self.stands(wanted, at: Int(node.start) + 1, bytes)
            if isEqual { return (JSONValue(document: document, index: child + 1), ordinal) }
            child = Int(nodes[child + 1].next)
            ordinal += 1
        }
        return nil
    }

    /// Bit n: a name of n bytes is among the members (modulo 64), to pass over most of the names that are not. All bits if
    /// one is written with escapes.
    var nameLengths: UInt64 {
        let nodes = document.nodes
        guard nodes[index].kind == .object else { return 0 }
        var lengths: UInt64 = 0
        var child = index + 1
        let end = Int(nodes[index].next)
        while child < end {
            let node = nodes[child]
            if node.flag { return .max }
            lengths |= 1 << UInt64((node.end - node.start - 2) & 63)
            child = Int(nodes[child + 1].next)
        }
        return lengths
    }

    /// The number of members of an object.
    var memberCount: Int {
        let nodes = document.nodes
        guard nodes[index].kind == .object else { return 0 }
        var child = index + 1
        var count = 0
        let end = Int(nodes[index].next)
        while child < end {
            child = Int(nodes[child + 1].next)
            count += 1
        }
        return count
    }

    /// The elements of an array in order; empty for anything else.
    var elements: [JSONValue] {
        guard kind == .array else { return [] }
        var result: [JSONValue] = []
        var child = index + 1
        let end = Int(node.next)
        while child < end {
            result.append(JSONValue(document: document, index: child))
            child = Int(document.nodes[child].next)
        }
        return result
    }

    /// The members of an object in the order of the source; empty for anything else.
    var members: [(name: String, value: JSONValue)] {
        guard kind == .object else { return [] }
        var result: [(name: String, value: JSONValue)] = []
        var child = index + 1
        let end = Int(node.next)
        while child < end {
            let name = JSONValue(document: document, index: child).string ?? ""
            let value = JSONValue(document: document, index: child + 1)
            result.append((name, value))
            child = Int(document.nodes[child + 1].next)
        }
        return result
    }

    @inline(__always)
    private static func stands(
        _ text: String.UTF8View, at start: Int, _ bytes: [UInt8]
    ) -> Bool {
        var position = start
        for byte in text {
            guard bytes[position] == byte else { return false }
            position += 1
        }
        return true
    }
}
