/// Durations as users write them: whole numbers with units from large to small, `1h30m`, `250ms`, `7d`;
/// a number may have decimals (`1.5s`) if they come to whole milliseconds. `0` needs no unit.
enum DurationText {
    /// One hundred years of 365 days.
    static let maxMilliseconds: Int64 = 100 * 365 * 86_400_000

    private static let units: [(name: String, milliseconds: Int64)] = [
        ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000),
        ("ms", 1),
    ]

    /// Milliseconds of a text; the error says what is wrong with it.
    static func parse(_ text: String) throws(DurationError) -> Int64 {
        if text == "0" { return 0 }
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty else { throw DurationError(text, "is empty") }
        guard bytes.count <= 64 else { throw DurationError(text, "is too long") }
        var position = 0
        var nextUnit = 0
        var total: Int64 = 0
        while position < bytes.count {
            let number = try DurationNumber(bytes, at: &position, of: text)
            let start = position
            while position < bytes.count, bytes[position] | 0x20 >= UInt8(ascii: "a"),
                bytes[position] | 0x20 <= UInt8(ascii: "z")
            {
                position += 1
            }
            let name = String(decoding: bytes[start..<position], as: UTF8.self)
            guard !name.isEmpty else {
                throw DurationError(
                    text, position == bytes.count ? "lacks a unit" : "has an unexpected character")
            }
            guard let unit = units.firstIndex(where: { $0.name == name }) else {
                throw DurationError(text, "has the unknown unit \"\(name)\"")
            }
            guard unit >= nextUnit else {
                throw DurationError(text, "must have its units from large to small, each once")
            }
            nextUnit = unit + 1
            total = try number.add(to: total, unitMilliseconds: units[unit].milliseconds, of: text)
        }
        return total
    }

    /// The shortest text that parses to the same value. Negative values get a minus sign, for display.
    static func format(_ milliseconds: Int64) -> String {
        var bytes: [UInt8] = []
        append(milliseconds, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// As `format`, appended to a buffer.
    static func append(_ milliseconds: Int64, to bytes: inout [UInt8]) {
        guard milliseconds != 0 else { return bytes.append(literal: "0s") }
        if milliseconds < 0 { bytes.append(UInt8(ascii: "-")) }
        var rest = milliseconds.magnitude
        for (name, size) in units.dropFirst() {
            let (count, remainder) = rest.quotientAndRemainder(dividingBy: UInt64(size))
            rest = remainder
            guard count > 0 else { continue }
            bytes.append(decimal: count)
            name.utf8Span.span.append(to: &bytes)
        }
    }
}

/// Why a text is not a duration.
struct DurationError: Error, Equatable, CustomStringConvertible, Sendable {
    let text: String
    let reason: String

    init(_ text: String, _ reason: String) {
        self.text = text
        self.reason = reason
    }

    var description: String {
        "the duration \"\(text.prefix(64))\" \(reason); write it like 250ms, 10s, 1h30m or 7d"
    }
}

/// A number before a unit: whole part, and decimals as `fraction` / `scale`.
private struct DurationNumber {
    var whole: Int64 = 0
    var fraction: Int64 = 0
    var scale: Int64 = 1

    /// More decimals than a week has digits of milliseconds can't be whole milliseconds.
    private static let maxDecimals = 9

    init(_ bytes: [UInt8], at position: inout Int, of text: String) throws(DurationError) {
        let start = position
        while let digit = Self.digit(bytes, position) {
            let (product, overflow) = whole.multipliedReportingOverflow(by: 10)
            guard !overflow, product <= Int64.max - 9 else {
                throw DurationError(text, "is longer than 100 years")
            }
            whole = product + digit
            position += 1
        }
        guard position > start else {
            throw DurationError(
                text, bytes[start] == UInt8(ascii: "-") ? "is negative" : "lacks a number")
        }
        guard position < bytes.count, bytes[position] == UInt8(ascii: ".") else { return }
        position += 1
        let firstDecimal = position
        while let digit = Self.digit(bytes, position) {
            guard position - firstDecimal < Self.maxDecimals else {
                throw DurationError(text, "has too many decimals")
            }
            fraction = fraction * 10 + digit
            scale *= 10
            position += 1
        }
        guard position > firstDecimal else {
            throw DurationError(text, "lacks decimals after the point")
        }
    }

    func add(
        to total: Int64, unitMilliseconds: Int64, of text: String
    ) throws(DurationError) -> Int64 {
        let (product, overflow) = whole.multipliedReportingOverflow(by: unitMilliseconds)
        guard !overflow, product <= DurationText.maxMilliseconds else {
            throw DurationError(text, "is longer than 100 years")
        }
        let (part, remainder) = (fraction * unitMilliseconds).quotientAndRemainder(
            dividingBy: scale)
        guard remainder == 0 else {
            throw DurationError(text, "is not a whole number of milliseconds")
        }
        let sum = total + product + part
        guard sum <= DurationText.maxMilliseconds else {
            throw DurationError(text, "is longer than 100 years")
        }
        return sum
    }

    private static func digit(_ bytes: [UInt8], _ position: Int) -> Int64? {
        guard position < bytes.count, bytes[position] >= UInt8(ascii: "0"),
            bytes[position] <= UInt8(ascii: "9")
        else { return nil }
        return Int64(bytes[position] - UInt8(ascii: "0"))
    }
}
