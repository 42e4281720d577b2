import Testing

@testable import Node

@Suite struct TimestampTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.001Z", 1),
            ("1969-12-31T23:59:59.999Z", -1),
            ("2026-11-21T09:04:20.5+01:00", 1_795_248_260_500),
            ("2026-11-21t08:04:20.500999z", 1_795_248_260_500),
            ("2026-11-20 20:34:20.5-11:30", 1_795_248_260_500),
            ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("0000-01-01T00:00:00Z", Timestamp.range.lowerBound),
            ("9999-12-31T23:59:59.999Z", Timestamp.range.upperBound),
            ("1998-12-31T23:59:60Z", 915_148_800_000),
            ("1999-01-01T00:59:60+01:00", 915_148_800_000),
        ] as [(String, Int64)])
    func parses(text: String, milliseconds: Int64) throws {
        #expect(try Timestamp.parse(text) == milliseconds)
    }

    @Test(arguments: [
        "", "tomorrow", "2026-11-21", "2026-11-21T08:04:20", "2026-11-21T08:04Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+0100",
        "2026-01-01T00:00:00Zx", "+026-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00",
        "26-01-01T00:00:00Z",
    ])
    func refuses(text: String) {
        #expect(throws: TimestampError.self) { try Timestamp.parse(text) }
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_007, "2000-02-29T00:00:00.007Z"), (.max, "9999-12-31T23:59:59.999Z"),
            (.min, "0000-01-01T00:00:00.000Z"),
        ] as [(Int64, String)])
    func formats(milliseconds: Int64, text: String) {
        #expect(Timestamp.format(milliseconds) == text)
    }

    @Test func whatIsFormattedParsesBack() throws {
        for _ in 0..<2000 {
            let value = Int64.random(in: Timestamp.range)
            #expect(try Timestamp.parse(Timestamp.format(value)) == value)
        }
    }

    @Test func daysCountOneByOne() {
        var civil = CivilTime(year: 1896, month: 1, day: 1)
        var days = CivilTime.days(year: 1896, month: 1, day: 1)
        var weekday = CivilTime.weekday(days: days)
        while civil.year < 2105 {
            #expect(CivilTime(days: days) == civil)
            #expect(CivilTime.days(year: civil.year, month: civil.month, day: civil.day) == days)
            #expect(civil.weekday == weekday)
            days += 1
            weekday = (weekday + 1) % 7
            civil.day += 1
            if civil.day > CivilTime.daysInMonth(civil.month, of: civil.year) {
                civil.day = 1
                civil.month += 1
                if civil.month > 12 {
                    civil.month = 1
                    civil.year += 1
                }
            }
        }
        #expect(CivilTime(year: 2026, month: 11, day: 21).weekday == 6)
    }

    @Test func clocksGoForward() {
        let wall = SystemClock.wallMilliseconds()
        #expect(wall > 1_700_000_000_000)
        let start = SystemClock.monotonicNanoseconds()
        #expect(SystemClock.monotonicNanoseconds() >= start)
        #expect(SystemClock.monotonicMilliseconds() >= Int64(start / 1_000_000))
    }
}
