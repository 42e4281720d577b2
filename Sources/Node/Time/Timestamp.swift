/// Instants as text (RFC 3339) and as milliseconds since 1970-01-01 00:00:00 UTC, without leap seconds.
enum Timestamp {
    /// 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: what RFC 3339 can write.
    static let range: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999

    /// Any offset and any number of decimals are read; what is finer than a millisecond is cut off. A
    /// leap second (23:59:60 UTC) reads as the second after it.
    static func parse(_ text: String) throws(TimestampError) -> Int64 {
        var cursor = TimestampCursor(text)
        let year = try cursor.number(digits: 4)
        try cursor.expect("-")
        let month = try cursor.number(digits: 2)
        try cursor.expect("-")
        let day = try cursor.number(digits: 2)
        try cursor.expect("T", "t", " ")
        let hour = try cursor.number(digits: 2)
        try cursor.expect(":")
        let minute = try cursor.number(digits: 2)
        try cursor.expect(":")
        let second = try cursor.number(digits: 2)
        let milliseconds = try cursor.fractionMilliseconds()
        let offsetMinutes = try cursor.offsetMinutes()
        guard cursor.isAtEnd else { throw TimestampError(text, "has text after its end") }
        guard (1...12).contains(month) else { throw TimestampError(text, "has no month \(month)") }
        guard day >= 1, day <= CivilTime.daysInMonth(month, of: year) else {
            throw TimestampError(text, "has a day that its month lacks")
        }
        guard hour <= 23, minute <= 59, second <= 60 else {
            throw TimestampError(text, "has a time that no day has")
        }
        let civil = CivilTime(
            year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        let seconds = civil.seconds - Int64(offsetMinutes) * 60
        if second == 60, seconds % 86_400 != 0 {
            throw TimestampError(text, "has a leap second that is not at 23:59:60 UTC")
        }
        let instant = seconds * 1000 + Int64(milliseconds)
        guard range.contains(instant) else { throw TimestampError(text, "is beyond the year 9999") }
        return instant
    }

    /// UTC with milliseconds: `2026-11-21T08:04:20.000Z`. Instants outside of `range` are clamped.
    static func format(_ milliseconds: Int64) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(24)
        append(milliseconds, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// As `format`, appended to a buffer.
    static func append(_ milliseconds: Int64, to bytes: inout [UInt8]) {
        let clamped = min(max(milliseconds, range.lowerBound), range.upperBound)
        let seconds = CivilTime.floorDivide(clamped, 1000)
        let civil = CivilTime(seconds: seconds)
        pair(civil.year / 100, to: &bytes)
        pair(civil.year % 100, UInt8(ascii: "-"), to: &bytes)
        pair(civil.month, UInt8(ascii: "-"), to: &bytes)
        pair(civil.day, UInt8(ascii: "T"), to: &bytes)
        pair(civil.hour, UInt8(ascii: ":"), to: &bytes)
        pair(civil.minute, UInt8(ascii: ":"), to: &bytes)
        pair(civil.second, UInt8(ascii: "."), to: &bytes)
        let ofSecond = Int(clamped - seconds * 1000)
        bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: ofSecond / 100))
        pair(ofSecond % 100, UInt8(ascii: "Z"), to: &bytes)
    }

    /// Two digits. Divided by constants: every answer has three or four instants, and the processor takes many times as long for
    /// a divisor that the compiler does not know.
    private static func pair(_ value: Int, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 10))
        bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10))
    }

    private static func pair(_ value: Int, _ separator: UInt8, to bytes: inout [UInt8]) {
        pair(value, to: &bytes)
        bytes.append(separator)
    }
}

/// Why a text is not a timestamp.
struct TimestampError: Error, Equatable, CustomStringConvertible, Sendable {
    let text: String
    let reason: String

    init(_ text: String, _ reason: String) {
        self.text = text
        self.reason = reason
    }

    var description: String {
        "the time \"\(text.prefix(64))\" \(reason); write it like 2026-11-21T08:30:00Z"
    }
}

/// Reads the fixed columns of RFC 3339.
private struct TimestampCursor {
    private let text: String
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) {
        self.text = text
        // Forty bytes hold any sensible time; a longer text fails for its end, not for its length.
        bytes = Array(text.utf8.prefix(64))
    }

    var isAtEnd: Bool { position == bytes.count }

    mutating func number(digits: Int) throws(TimestampError) -> Int {
        var value = 0
        for _ in 0..<digits {
            guard let digit = digit() else { throw TimestampError(text, "is not RFC 3339") }
            value = value * 10 + digit
        }
        return value
    }

    mutating func expect(_ allowed: Unicode.Scalar...) throws(TimestampError) {
        guard position < bytes.count, allowed.contains(Unicode.Scalar(bytes[position])) else {
            throw TimestampError(text, "is not RFC 3339")
        }
        position += 1
    }

    mutating func fractionMilliseconds() throws(TimestampError) -> Int {
        guard position < bytes.count, bytes[position] == UInt8(ascii: ".") else { return 0 }
        position += 1
        var value = 0
        var weight = 100
        guard let first = digit() else { throw TimestampError(text, "is not RFC 3339") }
        value = first * weight
        while let next = digit() {
            weight /= 10
            value += next * weight
        }
        return value
    }

    mutating func offsetMinutes() throws(TimestampError) -> Int {
        guard position < bytes.count else { throw TimestampError(text, "lacks its offset or Z") }
        let sign = bytes[position]
        position += 1
        switch sign {
        case UInt8(ascii: "Z"), UInt8(ascii: "z"):
            return 0
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            let hours = try number(digits: 2)
            try expect(":")
            let minutes = try number(digits: 2)
            guard hours <= 23, minutes <= 59 else {
                throw TimestampError(text, "has an offset that no zone has")
            }
            let offset = hours * 60 + minutes
            return sign == UInt8(ascii: "-") ? -offset : offset
        default:
            throw TimestampError(text, "lacks its offset or Z")
        }
    }

    private mutating func digit() -> Int? {
        guard position < bytes.count, bytes[position] >= UInt8(ascii: "0"),
            bytes[position] <= UInt8(ascii: "9")
        else { return nil }
        position += 1
        return Int(bytes[position - 1] - UInt8(ascii: "0"))
    }
}
