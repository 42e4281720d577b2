/// Names one occurrence of a schedule: `name@time`, time in RFC 3339, UTC, with milliseconds.
enum Occurrence {
    /// What stands for the occurrence id in the payload of a schedule's task.
    static let placeholder = Array("{{occurrence}}".utf8)

    static func id(_ schedule: String, at instant: Milliseconds) -> String {
        "\(schedule)@\(timestamp(instant))"
    }

    /// `instant` in 0...`Limits.maxTime`, as `2026-11-21T08:00:00.000Z`.
    static func timestamp(_ instant: Milliseconds) -> String {
        precondition((0...Limits.maxTime).contains(instant))
        let (year, month, day) = civil(daysSinceEpoch: instant / 86_400_000)
        let millisecond = Int(instant % 86_400_000)
        var text: [UInt8] = []
        text.reserveCapacity(24)
        append(year, digits: 4, to: &text)
        text.append(UInt8(ascii: "-"))
        append(month, digits: 2, to: &text)
        text.append(UInt8(ascii: "-"))
        append(day, digits: 2, to: &text)
        text.append(UInt8(ascii: "T"))
        append(millisecond / 3_600_000, digits: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        append(millisecond / 60_000 % 60, digits: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        append(millisecond / 1_000 % 60, digits: 2, to: &text)
        text.append(UInt8(ascii: "."))
        append(millisecond % 1_000, digits: 3, to: &text)
        text.append(UInt8(ascii: "Z"))
        return String(decoding: text, as: UTF8.self)
    }

    /// Gregorian date of a day at or after the epoch. Years are counted from March, so that the leap day is the
    /// last of its year, in eras of 400 years (146,097 days).
    static func civil(daysSinceEpoch days: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = Int(days) + 719_468  // days since 0000-03-01
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, day)
    }

    /// `payload` with every placeholder replaced; an id needs no escaping in JSON.
    static func substitute(_ id: String, in payload: ArraySlice<UInt8>) -> [UInt8] {
        let first = placeholder[0]
        var result: [UInt8] = []
        result.reserveCapacity(payload.count)
        var position = payload.startIndex
        while position < payload.endIndex {
            if payload[position] == first, payload[position...].starts(with: placeholder) {
                result.append(contentsOf: id.utf8)
                position += placeholder.count
            } else {
                result.append(payload[position])
                position += 1
            }
        }
        return result
    }

    private static func append(_ value: Int, digits: Int, to text: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            text.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }
}
