/// What a JSON value is.
enum JSONKind: UInt8, Sendable {
    case null, bool, number, string, array, object

    /// With its article, for messages: "expected a string, found an object".
    var description: String {
        switch self {
        case .null: return "null"
        case .bool: return "a boolean"
        case .number: return "a number"
        case .string: return "a string"
        case .array: return "an array"
        case .object: return "an object"
        }
    }
}

/// One value of a parsed document, in a flat list rather than a tree: a document costs one allocation,
/// whatever its number of values. An object's children are its names and values in turn.
struct JSONNode: Sendable {
    /// Byte range of the value in the source, quotes and brackets included. `end` is -1 while a
    /// container is still open.
    var start: Int32
    var end: Int32
    /// Index of the node after this one and all that it holds.
    var next: Int32
    var kind: JSONKind
    /// A string: has escapes. A boolean: is true.
    var flag: Bool
    /// A string: an escape names half of a surrogate pair, which no Unicode text can hold.
    var hasLoneSurrogate = false
}

/// A parsed JSON text, with its source: every value knows its bytes, so that a payload can be kept and
/// returned exactly as it was written (numbers beyond any machine type, escapes, spaces). An object, as every value
/// holds its document.
final class JSONDocument: Sendable {
    let bytes: [UInt8]
    let nodes: [JSONNode]

    /// Nesting beyond this is refused, so that no body can exhaust the stack.
    static let maxDepth = 128

    /// Parses strictly by RFC 8259: UTF-8 without byte order mark, no trailing commas or comments, no
    /// member name twice in an object.
    init(_ bytes: [UInt8], maxDepth: Int = JSONDocument.maxDepth) throws(JSONError) {
        var scanner = JSONScanner(maxDepth: maxDepth, expectedBytes: bytes.count)
        try scanner.document(bytes.span)
        self.bytes = bytes
        self.nodes = scanner.nodes
    }

    convenience init(_ text: String, maxDepth: Int = JSONDocument.maxDepth) throws(JSONError) {
        try self.init(Array(text.utf8), maxDepth: maxDepth)
    }

    var root: JSONValue { JSONValue(document: self, index: 0) }

    /// Whether the bytes are one JSON text.
    static func isValid(_ bytes: [UInt8]) -> Bool {
        var scanner = JSONScanner(maxDepth: maxDepth, expectedBytes: bytes.count)
        do {
            try scanner.document(bytes.span)
            return true
        } catch {
            return false
        }
    }
}

/// Why a text is not JSON.
struct JSONError: Error, Equatable, CustomStringConvertible, Sendable {
    /// Bytes from the start of the text.
    let offset: Int
    /// Where in the document (RFC 6901); empty for the whole of it.
    let pointer: String
    let reason: String

    var description: String {
        pointer.isEmpty
            ? "\(reason) at byte \(offset)" : "\(reason) at byte \(offset), in \(pointer)"
    }
}

/// JSON pointers (RFC 6901).
enum JSONPointer {
    static func appending(_ name: String, to pointer: String) -> String {
        guard name.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") })
        else { return pointer + "/" + name }
        var result = pointer + "/"
        for character in name.unicodeScalars {
            switch character {
            case "~": result += "~0"
            case "/": result += "~1"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
