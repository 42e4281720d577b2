import Scheduler

/// A text with places for what is known of an attempt: `{{payload}}`, `{{payload.a.b}}` (members, and
/// elements by their number), `{{inputs}}` and `{{inputs.t1.a}}` (results of the tasks that it waited for),
/// `{{task.id}}`, `{{task.attempt}}`, `{{task.fence}}`,
/// `{{task.scheduledAt}}`, `{{task.schedule}}`, `{{task.occurrence}}`. The last two are empty for tasks
/// that no schedule made.
///
/// What is put in can't break out of its place:
/// - in a URL everything but letters, digits and `-._~` is percent-encoded, and what makes a part of the path `.` or `..`
///   is refused: clients take these for steps back, and would go elsewhere;
/// - in a header control characters are refused;
/// - in a body that is JSON (begins with `{`, `[` or `"`, or is one place alone) values stay JSON;
///   between quotation marks strings are put in escaped and without marks of their own.
///   In any other body strings are put in as they are.
struct Template: Equatable, Sendable {
    enum Position: Equatable, Sendable {
        case url, header, body
    }

    fileprivate enum Part: Equatable, Sendable {
        case literal([UInt8])
        case payload(path: [String], isQuoted: Bool)
        case inputs(path: [String], isQuoted: Bool)
        case task(TaskField, isQuoted: Bool)
    }

    fileprivate enum TaskField: String, CaseIterable, Sendable {
        case id, attempt, fence, scheduledAt, schedule, occurrence

        var isNumber: Bool { self == .attempt || self == .fence }
    }

    let position: Position
    /// Whether the body is JSON, for its Content-Type.
    let isJSON: Bool
    private let parts: [Part]

    private static let maxBytes = 64 * 1024

    init(_ text: String, for position: Position) throws(TemplateError) {
        guard text.utf8.count <= Self.maxBytes else {
            throw TemplateError("is longer than \(Self.maxBytes) bytes")
        }
        let pieces = try Self.split(text)
        self.position = position
        isJSON = position == .body && Self.isJSON(pieces)
        var quotes = QuotationState()
        var parts: [Part] = []
        for piece in pieces {
            switch piece {
            case .literal(let text):
                let bytes = Array(text.utf8)
                if position == .header { try Self.checkHeader(bytes) }
                quotes.pass(bytes)
                parts.append(.literal(bytes))
            case .place(let name):
                parts.append(try Self.part(name, isQuoted: isJSON && quotes.isInside))
            }
        }
        self.parts = parts
        if position == .url, !isLiteral { try Self.checkSteps(pieces) }
    }

    /// Whether nothing is filled in.
    var isLiteral: Bool {
        parts.allSatisfy { if case .literal = $0 { true } else { false } }
    }

    /// Whether the text before the first place begins so.
    func hasLiteralPrefix(_ prefix: String) -> Bool {
        guard case .literal(let bytes)? = parts.first else { return false }
        return bytes.starts(with: prefix.utf8)
    }

    /// The text for an attempt. `payload` is that of the assignment, parsed.
    func render(_ assignment: Assignment, payload: JSONValue) throws(TemplateError) -> [UInt8] {
        var result: [UInt8] = []
        for part in parts {
            switch part {
            case .literal(let bytes):
                result.append(contentsOf: bytes)
            case .payload(let path, let isQuoted):
                let value = try Self.find(path, in: payload, "the payload")
                try append(value, isQuoted: isQuoted, to: &result)
            case .inputs(let path, let isQuoted):
                let value = try Self.find(path, in: try Self.inputs(assignment), "the input")
                try append(value, isQuoted: isQuoted, to: &result)
            case .task(let field, let isQuoted):
                let text = Self.text(field, of: assignment)
                try append(
                    text: text, isJSONText: !field.isNumber, isQuoted: isQuoted, to: &result)
            }
        }
        if position == .url, !isLiteral { try Self.checkSteps(result) }
        return result
    }

    // MARK: Reading

    private enum Piece {
        case literal(Substring)
        case place(Substring)
    }

    private static func split(_ text: String) throws(TemplateError) -> [Piece] {
        var pieces: [Piece] = []
        var rest = text[...]
        while let open = rest.firstRange(of: "{{") {
            if open.lowerBound > rest.startIndex {
                pieces.append(.literal(rest[..<open.lowerBound]))
            }
            rest = rest[open.upperBound...]
            guard let close = rest.firstRange(of: "}}") else {
                throw TemplateError("has {{ without }}")
            }
            pieces.append(.place(rest[..<close.lowerBound]))
            rest = rest[close.upperBound...]
        }
        if !rest.isEmpty { pieces.append(.literal(rest)) }
        return pieces
    }

    private static func isJSON(_ pieces: [Piece]) -> Bool {
        guard case .literal(let first)? = pieces.first else { return pieces.count == 1 }
        let start = first.utf8.first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }
        return start == UInt8(ascii: "{") || start == UInt8(ascii: "[")
            || start == UInt8(ascii: "\"")
    }

    private static func part(_ name: Substring, isQuoted: Bool) throws(TemplateError) -> Part {
        let words = name.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 1 else { throw TemplateError("{{\(name)}} is not a name") }
        var path = words[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard !path.contains("") else { throw TemplateError("{{\(name)}} has an empty part") }
        switch path.removeFirst() {
        case "payload":
            return .payload(path: path, isQuoted: isQuoted)
        case "inputs":
            return .inputs(path: path, isQuoted: isQuoted)
        case "task":
            guard path.count == 1, let field = TaskField(rawValue: path[0]) else {
                let names = TaskField.allCases.map { "task.\($0.rawValue)" }
                throw TemplateError(
                    "{{\(name)}} is not known; there are payload, inputs, "
                        + names.joined(separator: ", "))
            }
            return .task(field, isQuoted: isQuoted)
        default:
            throw TemplateError(
                "{{\(name)}} is not known; it must begin with payload, inputs or task")
        }
    }

    private static func checkHeader(_ bytes: [UInt8]) throws(TemplateError) {
        guard bytes.allSatisfy({ ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }) else {
            throw TemplateError("would put a control character into a header")
        }
    }

    /// Whatever is filled in: what the template itself says must not be refused later.
    private static func checkSteps(_ pieces: [Piece]) throws(TemplateError) {
        var text = ""
        for piece in pieces {
            if case .literal(let literal) = piece { text += literal } else { text += "x" }
        }
        try checkSteps(Array(text.utf8))
    }

    /// Parts of the path are those between slashes, before a query or fragment.
    private static func checkSteps(_ url: [UInt8]) throws(TemplateError) {
        let path = url.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        for part in path.split(separator: UInt8(ascii: "/"))
        where part.count <= 2 && part.allSatisfy({ $0 == UInt8(ascii: ".") }) {
            throw TemplateError(
                "has \"\(String(decoding: part, as: UTF8.self))\" as a part of the URL's path")
        }
    }

    // MARK: Writing

    private static func find(
        _ path: [String], in root: JSONValue, _ noun: String
    ) throws(TemplateError) -> JSONValue {
        var value = root
        for name in path {
            if let member = value[name] {
                value = member
            } else if value.kind == .array, let index = Int(name), index >= 0,
                index < value.elements.count
            {
                value = value.elements[index]
            } else {
                throw TemplateError("\(noun) has no \"\(path.joined(separator: "."))\"")
            }
        }
        return value
    }

    private static func inputs(_ assignment: Assignment) throws(TemplateError) -> JSONValue {
        do {
            return try JSONDocument(assignment.inputsJSON).root
        } catch {
            throw TemplateError("a result is not JSON: \(error.description)")
        }
    }

    private static func text(_ field: TaskField, of assignment: Assignment) -> String {
        switch field {
        case .id: return assignment.task.description
        case .attempt: return "\(assignment.attempt)"
        case .fence: return "\(assignment.fence)"
        case .scheduledAt: return Timestamp.format(assignment.scheduledAt)
        case .schedule: return assignment.schedule ?? ""
        case .occurrence: return assignment.occurrence ?? ""
        }
    }

    private func append(
        _ value: JSONValue, isQuoted: Bool, to result: inout [UInt8]
    ) throws(TemplateError) {
        if isJSON, !isQuoted {
            result.append(contentsOf: value.raw)
        } else if let text = value.string {
            try append(text: text, isJSONText: true, isQuoted: isQuoted, to: &result)
        } else {
            try append(text: value.source, isJSONText: false, isQuoted: isQuoted, to: &result)
        }
    }

    /// `isJSONText`: the text would be a string in JSON, not a number or a value written out.
    private func append(
        text: String, isJSONText: Bool, isQuoted: Bool, to result: inout [UInt8]
    ) throws(TemplateError) {
        switch position {
        case .url:
            PercentEncoding.append(text, to: &result)
        case .header:
            let bytes = Array(text.utf8)
            try Self.checkHeader(bytes)
            result.append(contentsOf: bytes)
        case .body:
            guard isJSON, isJSONText || isQuoted else {
                result.append(contentsOf: text.utf8)
                return
            }
            var writer = JSONWriter(capacity: text.utf8.count + 2)
            writer.string(text)
            result.append(
                contentsOf: isQuoted ? writer.bytes.dropFirst().dropLast() : writer.bytes[...])
        }
    }
}

/// Why a template is wrong, or can't be filled in.
struct TemplateError: Error, Equatable, CustomStringConvertible, Sendable {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }

    var description: String { reason }
}

/// Follows JSON text to know whether its end stands within a string.
private struct QuotationState {
    private(set) var isInside = false
    private var isEscaped = false

    mutating func pass(_ bytes: [UInt8]) {
        for byte in bytes {
            if isEscaped {
                isEscaped = false
            } else if isInside, byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isInside.toggle()
            }
        }
    }
}
