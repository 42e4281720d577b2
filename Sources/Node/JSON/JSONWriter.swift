/// Writes JSON by appending. The caller calls in the order of the text; commas come by themselves.
struct JSONWriter: Sendable {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false
    private var depth = 0

    init(capacity: Int = 256) {
        bytes.reserveCapacity(capacity)
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Ready for the next text, with the memory kept.
    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        needsComma = false
        depth = 0
    }

    mutating func beginObject() { open(UInt8(ascii: "{")) }
    mutating func endObject() { close(UInt8(ascii: "}")) }
    mutating func beginArray() { open(UInt8(ascii: "[")) }
    mutating func endArray() { close(UInt8(ascii: "]")) }

    /// The name of the member whose value is written next.
    mutating func key(_ name: JSONName) {
        separate()
        switch name.form {
        case .literal(let name):
            bytes.append(UInt8(ascii: "\""))
            bytes.append(literal: name)
            bytes.append(literal: "\":")
        case .text(let name):
            quote(name.utf8Span.span)
            bytes.append(UInt8(ascii: ":"))
        }
        needsComma = false
    }

    mutating func null() {
        separate()
        append("null")
    }

    mutating func bool(_ value: Bool) {
        separate()
        append(value ? "true" : "false")
    }

    mutating func string(_ value: String) {
        separate()
        quote(value.utf8Span.span)
    }

    mutating func string(_ utf8: Span<UInt8>) {
        separate()
        quote(utf8)
    }

    mutating func int(_ value: Int64) {
        separate()
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        bytes.append(decimal: value.magnitude)
    }

    mutating func int(_ value: Int) { int(Int64(value)) }

    mutating func uint(_ value: UInt64) {
        separate()
        bytes.append(decimal: value)
    }

    /// Infinities and not-a-number, which JSON can't say, become null.
    mutating func double(_ value: Double) {
        separate()
        append(value.isFinite ? value.description : "null")
    }

    /// Bytes that are JSON already, unchanged.
    mutating func raw(_ json: [UInt8]) {
        separate()
        bytes.append(contentsOf: json)
    }

    mutating func raw(_ json: ArraySlice<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
    }

    /// A string that `body` appends; none of its bytes needs an escape.
    mutating func plainString(_ body: (inout [UInt8]) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        body(&bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// A time in milliseconds since the epoch, as RFC 3339 text.
    mutating func timestamp(_ milliseconds: Int64) {
        plainString { Timestamp.append(milliseconds, to: &$0) }
    }

    mutating func field(_ name: JSONName, _ value: String) {
        key(name)
        string(value)
    }

    mutating func field(_ name: JSONName, _ value: Int64) {
        key(name)
        int(value)
    }

    mutating func field(_ name: JSONName, _ value: Int) {
        key(name)
        int(Int64(value))
    }

    mutating func field(_ name: JSONName, _ value: UInt64) {
        key(name)
        uint(value)
    }

    mutating func field(_ name: JSONName, _ value: Bool) {
        key(name)
        bool(value)
    }

    mutating func field(_ name: JSONName, _ value: Double) {
        key(name)
        double(value)
    }

    mutating func field(_ name: JSONName, _ values: [String]) {
        key(name)
        beginArray()
        for value in values { string(value) }
        endArray()
    }

    mutating func nullField(_ name: JSONName) {
        key(name)
        null()
    }

    mutating func rawField(_ name: JSONName, _ json: [UInt8]) {
        key(name)
        raw(json)
    }

    mutating func timestampField(_ name: JSONName, _ milliseconds: Int64) {
        key(name)
        timestamp(milliseconds)
    }

    /// Appends a newline, for texts of one value a line.
    mutating func endLine() {
        precondition(depth == 0, "a line ends outside of every object and array")
        bytes.append(0x0A)
        needsComma = false
    }

    @inline(__always)
    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
        depth += 1
    }

    private mutating func close(_ bracket: UInt8) {
        precondition(depth > 0, "nothing is open")
        depth -= 1
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func append(_ text: String) {
        text.utf8Span.span.append(to: &bytes)
    }

    private mutating func quote(_ text: Span<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        if Self.isPlain(text) {
            text.append(to: &bytes)
        } else {
            for index in text.indices { escape(text[index]) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func isPlain(_ text: Span<UInt8>) -> Bool {
        for index in text.indices where needsEscape(text[index]) { return false }
        return true
    }

    @inline(__always)
    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func escape(_ byte: UInt8) {
        guard Self.needsEscape(byte) else {
            bytes.append(byte)
            return
        }
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case ..<0x20:
            append("u00")
            bytes.append(byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
            let low = byte & 0x0F
            bytes.append(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
        default: bytes.append(byte)
        }
    }
}
