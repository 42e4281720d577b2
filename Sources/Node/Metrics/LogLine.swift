/// How much a line of the log matters.
enum LogLevel: UInt8, Comparable, CaseIterable, Sendable {
    case debug, info, warning, error

    var name: String {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        }
    }

    static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }
}

enum LogFormat: String, CaseIterable, Sendable {
    /// For people: `2026-11-21T08:30:00.000Z info  leads term=4`.
    case text
    /// For machines: an object a line.
    case json
}

/// A value beside the message.
enum LogValue: Equatable, Sendable, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral
{
    case text(String)
    case integer(Int64)
    case bool(Bool)

    init(stringLiteral value: String) { self = .text(value) }
    init(integerLiteral value: Int64) { self = .integer(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
}

/// One line of the log, before it is written.
struct LogLine: Sendable {
    var timeMilliseconds: Int64
    var level: LogLevel
    var message: String
    var fields: [(name: String, value: LogValue)]

    /// A line of this length enters a pipe as a whole or not at all (POSIX PIPE_BUF on Linux).
    static let maxBytes = 4_096

    /// With its newline. A line that would be too long loses its last fields, then the end of its message.
    func encoded(_ format: LogFormat) -> [UInt8] {
        let whole = bytes(format, fields: fields.count, messageBytes: .max)
        if whole.count <= Self.maxBytes { return whole }
        for count in (0..<fields.count).reversed() {
            let shorter = bytes(format, fields: count, messageBytes: .max)
            if shorter.count <= Self.maxBytes { return shorter }
        }
        // A byte of the message takes at most six as an escape.
        return bytes(format, fields: 0, messageBytes: (Self.maxBytes - 128) / 6)
    }

    private func bytes(_ format: LogFormat, fields count: Int, messageBytes: Int) -> [UInt8] {
        let message =
            message.utf8.count <= messageBytes
            ? message : String(decoding: message.utf8.prefix(messageBytes), as: UTF8.self)
        switch format {
        case .text: return text(message, fields.prefix(count))
        case .json: return json(message, fields.prefix(count))
        }
    }

    private func text(
        _ message: String, _ fields: ArraySlice<(name: String, value: LogValue)>
    ) -> [UInt8] {
        var line: [UInt8] = []
        Timestamp.append(timeMilliseconds, to: &line)
        let padding = String(repeating: " ", count: 8 - level.name.utf8.count)
        line.append(contentsOf: " \(level.name)\(padding)".utf8)
        // What others sent may stand in a message: it must not forge lines or drive the terminal.
        for scalar in message.unicodeScalars {
            line.append(contentsOf: Self.isControl(scalar) ? [0x20] : Array(String(scalar).utf8))
        }
        for (name, value) in fields {
            line.append(contentsOf: " \(name)=".utf8)
            switch value {
            case .text(let text): Self.append(text, to: &line)
            case .integer(let number): line.append(contentsOf: String(number).utf8)
            case .bool(let flag): line.append(contentsOf: (flag ? "true" : "false").utf8)
            }
        }
        line.append(0x0A)
        return line
    }

    private func json(
        _ message: String, _ fields: ArraySlice<(name: String, value: LogValue)>
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.timestampField("time", timeMilliseconds)
        writer.field("level", level.name)
        writer.field("message", message)
        for (name, value) in fields {
            switch value {
            case .text(let text): writer.field(JSONName(name), text)
            case .integer(let number): writer.field(JSONName(name), number)
            case .bool(let flag): writer.field(JSONName(name), flag)
            }
        }
        writer.endObject()
        writer.endLine()
        return writer.bytes
    }

    /// Quoted as in JSON unless it is a single plain word.
    private static func append(_ text: String, to line: inout [UInt8]) {
        let isWord =
            !text.isEmpty
            && text.unicodeScalars.allSatisfy {
                $0 != " " && $0 != "\"" && $0 != "=" && $0 != "\\" && !isControl($0)
            }
        if isWord {
            line.append(contentsOf: text.utf8)
        } else {
            var writer = JSONWriter(capacity: text.utf8.count + 2)
            writer.string(text)
            line.append(contentsOf: writer.bytes)
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
    }
}
