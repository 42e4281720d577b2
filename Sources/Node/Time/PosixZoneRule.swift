/// The rule for a zone's future, as the footer of a TZif file writes it (POSIX.1-2024, section 8.3, `TZ`;
/// RFC 9636, section 3.3): `CET-1CEST,M3.5.0,M10.5.0/3`, `<+03>-3`. Offsets are written west of
/// Greenwich there and kept east of it here.
struct PosixZoneRule: Equatable, Sendable {
    /// Seconds east of UTC.
    let standardOffset: Int32
    let daylight: Daylight?

    struct Daylight: Equatable, Sendable {
        /// Seconds east of UTC.
        let offset: Int32
        let start: Moment
        let end: Moment
    }

    /// A day of every year, and seconds after its midnight, which may be negative or beyond the day.
    struct Moment: Equatable, Sendable {
        let day: Day
        let seconds: Int64
    }

    enum Day: Equatable, Sendable {
        /// `Jn`: 1 to 365, 29 February is never counted.
        case julian(Int)
        /// `n`: 0 to 365, 29 February is counted.
        case ordinal(Int)
        /// `Mm.w.d`: the w-th (5: last) weekday d (0: Sunday) of month m.
        case weekday(month: Int, week: Int, weekday: Int)

        /// Days since 1970-01-01.
        func days(inYear year: Int) -> Int {
            let newYear = CivilTime.days(year: year, month: 1, day: 1)
            switch self {
            case .julian(let number):
                return newYear + number - 1 + (CivilTime.isLeap(year) && number >= 60 ? 1 : 0)
            case .ordinal(let number):
                return newYear + number
            case .weekday(let month, let week, let weekday):
                let first = CivilTime.days(year: year, month: month, day: 1)
                let ahead = (weekday - CivilTime.weekday(days: first) + 7) % 7
                var day = ahead + 7 * (week - 1)
                if day >= CivilTime.daysInMonth(month, of: year) { day -= 7 }
                return first + day
            }
        }
    }

    /// The changes of the offset that the rule makes in some years, ascending. Their times of day may
    /// reach a week into the next year or the last, hence the sorting; at one instant the end of summer
    /// time stands before its beginning.
    func changes(inYears years: ClosedRange<Int>) -> [(instant: Int64, offset: Int32)] {
        guard let daylight else { return [] }
        var changes: [(instant: Int64, offset: Int32)] = []
        for year in years {
            let start = Int64(daylight.start.day.days(inYear: year)) * 86_400
            let end = Int64(daylight.end.day.days(inYear: year)) * 86_400
            changes.append((end + daylight.end.seconds - Int64(daylight.offset), standardOffset))
            changes.append(
                (start + daylight.start.seconds - Int64(standardOffset), daylight.offset))
        }
        return changes.sorted { one, other in
            one.instant != other.instant
                ? one.instant < other.instant
                : one.offset == standardOffset && other.offset != standardOffset
        }
    }

    /// Whether summer time never ends: each year's end falls on the next year's start.
    private var isAlwaysDaylight: Bool {
        guard let daylight else { return false }
        return (2000...2004).allSatisfy { year in
            let end = Int64(daylight.end.day.days(inYear: year)) * 86_400 + daylight.end.seconds
            let start =
                Int64(daylight.start.day.days(inYear: year + 1)) * 86_400 + daylight.start.seconds
            return end - Int64(daylight.offset) >= start - Int64(standardOffset)
        }
    }

    init(standardOffset: Int32, daylight: Daylight?) {
        self.standardOffset = standardOffset
        self.daylight = daylight
    }

    /// Reads the text of a footer, without its newlines.
    init(_ text: String) throws(ZoneError) {
        var parser = PosixZoneParser(text)
        try parser.abbreviation()
        let standard = Int32(-(try parser.time(maxHours: 24)))
        guard !parser.isAtEnd else {
            self.init(standardOffset: standard, daylight: nil)
            return
        }
        try parser.abbreviation()
        var daylightOffset = standard + 3600
        if !parser.isAtEnd, !parser.isAt(",") {
            daylightOffset = Int32(-(try parser.time(maxHours: 24)))
        }
        var start = Moment(day: .weekday(month: 3, week: 2, weekday: 0), seconds: 7200)
        var end = Moment(day: .weekday(month: 11, week: 1, weekday: 0), seconds: 7200)
        // POSIX leaves the days to the system if they are missing; these are the usual ones.
        if !parser.isAtEnd {
            try parser.expect(",")
            start = try parser.moment()
            try parser.expect(",")
            end = try parser.moment()
        }
        guard parser.isAtEnd else { throw parser.failure }
        let rule = PosixZoneRule(
            standardOffset: standard,
            daylight: Daylight(offset: daylightOffset, start: start, end: end))
        self =
            rule.isAlwaysDaylight
            ? PosixZoneRule(standardOffset: daylightOffset, daylight: nil) : rule
    }
}

private struct PosixZoneParser {
    private let text: String
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) {
        self.text = text
        bytes = Array(text.utf8)
    }

    var isAtEnd: Bool { position == bytes.count }

    var failure: ZoneError { ZoneError("\"\(text)\" is not a time-zone rule") }

    func isAt(_ character: Unicode.Scalar) -> Bool {
        position < bytes.count && bytes[position] == UInt8(ascii: character)
    }

    mutating func expect(_ character: Unicode.Scalar) throws(ZoneError) {
        guard isAt(character) else { throw failure }
        position += 1
    }

    /// Three letters or more, or anything in angle brackets.
    mutating func abbreviation() throws(ZoneError) {
        let start = position
        if isAt("<") {
            while position < bytes.count, !isAt(">") { position += 1 }
            try expect(">")
            return
        }
        while position < bytes.count,
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(bytes[position] | 0x20)
        {
            position += 1
        }
        guard position - start >= 3 else { throw failure }
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    mutating func time(maxHours: Int64) throws(ZoneError) -> Int64 {
        var sign: Int64 = 1
        if isAt("-") || isAt("+") {
            sign = isAt("-") ? -1 : 1
            position += 1
        }
        var seconds = try number(0...maxHours) * 3600
        if isAt(":") {
            position += 1
            seconds += try number(0...59) * 60
            if isAt(":") {
                position += 1
                seconds += try number(0...59)
            }
        }
        return sign * seconds
    }

    mutating func moment() throws(ZoneError) -> PosixZoneRule.Moment {
        let day = try day()
        guard isAt("/") else { return PosixZoneRule.Moment(day: day, seconds: 7200) }
        position += 1
        // Version 3 of the format allows a week in both directions.
        return PosixZoneRule.Moment(day: day, seconds: try time(maxHours: 167))
    }

    private mutating func day() throws(ZoneError) -> PosixZoneRule.Day {
        if isAt("J") {
            position += 1
            return .julian(Int(try number(1...365)))
        }
        guard isAt("M") else { return .ordinal(Int(try number(0...365))) }
        position += 1
        let month = Int(try number(1...12))
        try expect(".")
        let week = Int(try number(1...5))
        try expect(".")
        return .weekday(month: month, week: week, weekday: Int(try number(0...6)))
    }

    private mutating func number(_ range: ClosedRange<Int64>) throws(ZoneError) -> Int64 {
        let start = position
        var value: Int64 = 0
        while position < bytes.count,
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]),
            position - start < 3
        {
            value = value * 10 + Int64(bytes[position] - UInt8(ascii: "0"))
            position += 1
        }
        guard position > start, range.contains(value) else { throw failure }
        return value
    }
}
