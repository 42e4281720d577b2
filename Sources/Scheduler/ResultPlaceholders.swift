/// What a task that waited for others gets from one of them.
public struct TaskInput: Equatable, Sendable {
    /// What the task calls the other: its name in their workflow, or its id.
    public var name: String
    /// JSON; nil if the other did not succeed.
    public var result: [UInt8]?

    public init(name: String, result: [UInt8]?) {
        self.name = name
        self.result = result
    }
}

/// A payload that can't be filled in.
public struct PlaceholderError: Error, Equatable, CustomStringConvertible, Sendable {
    public let description: String
}

extension Assignment {
    private static let opening = Array("{{results.".utf8)
    private static let closing = Array("}}".utf8)
    private static let null = Array("null".utf8)

    /// The assignment with every `{{results.ID}}` of its payload replaced by what that task came to. A string that is nothing
    /// but a placeholder becomes the result, whatever it is; in a longer one, and in a member's name, stands the
    /// result's text. The payload stays JSON. Without inputs nothing is replaced.
    ///
    /// Whoever runs the attempt calls it. Throws, if the task has no such input or the payload grows too large:
    /// then the attempt has failed for good.
    public func filled() throws(PlaceholderError) -> Assignment {
        guard !inputs.isEmpty else { return self }
        var result: [UInt8] = []
        var position = 0
        // By name: there may be tens of thousands of places, and a thousand inputs.
        var known: [String: TaskInput] = [:]
        while let open = Self.find(Self.opening, in: payload, from: position) {
            if known.isEmpty {
                known = Dictionary(inputs.map { ($0.name, $0) }) { first, _ in first }
            }
            let start = open + Self.opening.count
            guard let end = Self.find(Self.closing, in: payload, from: start) else { break }
            let name = String(decoding: payload[start..<end], as: UTF8.self)
            guard let input = known[name] else {
                throw PlaceholderError(
                    description: "the payload wants the result of \"\(name)\", "
                        + "which is not among those the task waits for")
            }
            let value = Self.trimmed(input.result ?? Self.null)
            let rest = end + Self.closing.count
            if isWholeValue(open, rest) {
                result.append(contentsOf: payload[position..<open - 1])
                result.append(contentsOf: value)
                position = rest + 1
            } else {
                result.append(contentsOf: payload[position..<open])
                Self.append(text: value, to: &result)
                position = rest
            }
            try Self.check(result.count)
        }
        guard position > 0 else { return self }
        result.append(contentsOf: payload[position...])
        try Self.check(result.count)
        var filled = self
        filled.payload = result
        return filled
    }

    /// The first of whose results a payload wants that is not among `names`: what a task that waits for others has to
    /// have among them. nil: there is none.
    public static func missingResult(in payload: [UInt8], among names: Set<String>) -> String? {
        var position = 0
        while let open = find(opening, in: payload, from: position) {
            let start = open + opening.count
            guard let end = find(closing, in: payload, from: start) else { break }
            let name = String(decoding: payload[start..<end], as: UTF8.self)
            guard names.contains(name) else { return name }
            position = end + closing.count
        }
        return nil
    }

    private static func check(_ count: Int) throws(PlaceholderError) {
        guard count <= Limits.maxPayloadBytes else {
            throw PlaceholderError(
                description:
                    "the payload grows beyond \(Limits.maxPayloadBytes) bytes by the results in it")
        }
    }

    /// Whether there is nothing else between the quotation marks, and the string is a value. In JSON braces like
    /// these stand within strings alone, and a mark that opens a string has no backslash before it.
    private func isWholeValue(_ open: Int, _ rest: Int) -> Bool {
        let mark = UInt8(ascii: "\"")
        guard open > 0, payload[open - 1] == mark, rest < payload.count, payload[rest] == mark,
            open < 2 || payload[open - 2] != UInt8(ascii: "\\")
        else { return false }
        let next = payload[(rest + 1)...].first { !Self.isSpace($0) }
        return next != UInt8(ascii: ":")
    }

    /// A string's text stands there escaped already; the text of anything else is its JSON.
    private static func append(text value: ArraySlice<UInt8>, to result: inout [UInt8]) {
        if value.first == UInt8(ascii: "\""), value.count >= 2 {
            result.append(contentsOf: value.dropFirst().dropLast())
            return
        }
        for byte in value {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                result.append(UInt8(ascii: "\\"))
                result.append(byte)
            // Between tokens of JSON there are no other control characters than spaces of some kind.
            case ..<0x20: result.append(UInt8(ascii: " "))
            default: result.append(byte)
            }
        }
    }

    private static func trimmed(_ json: [UInt8]) -> ArraySlice<UInt8> {
        let start = json.firstIndex { !isSpace($0) } ?? json.endIndex
        let end = json.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? start
        return json[start..<end]
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    private static func find(_ wanted: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        var position = start
        while position + wanted.count <= bytes.count {
            if bytes[position] == wanted[0],
                bytes[position..<position + wanted.count].elementsEqual(wanted)
            {
                return position
            }
            position += 1
        }
        return nil
    }
}
