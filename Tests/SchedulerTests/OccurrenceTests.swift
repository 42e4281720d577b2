import Testing

@testable import Scheduler

struct OccurrenceTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (951_868_799_999, "2000-02-29T23:59:59.999Z"),
        (1_795_249_414_007, "2026-11-21T08:23:34.007Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (Limits.maxTime, "9999-12-31T23:59:59.999Z"),
    ])
    func formatsInstant(instant: Milliseconds, text: String) {
        #expect(Occurrence.timestamp(instant) == text)
    }

    /// Every day from 1970 to 2400, against counting.
    @Test
    func civilDatesFollowTheCalendar() {
        var expected = (year: 1970, month: 1, day: 1)
        for days in Int64(0)..<157_000 {
            let date = Occurrence.civil(daysSinceEpoch: days)
            guard date == expected else {
                Issue.record("day \(days) is \(date), not \(expected)")
                return
            }
            let isLeap =
                expected.year % 4 == 0 && (expected.year % 100 != 0 || expected.year % 400 == 0)
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            expected.day += 1
            if expected.day > lengths[expected.month - 1] {
                expected = (expected.year, expected.month + 1, 1)
            }
            if expected.month > 12 { expected = (expected.year + 1, 1, 1) }
        }
    }

    @Test(arguments: [
        ("{\"a\":\"{{occurrence}}\",\"b\":\"{{occurrence}}\"}", "{\"a\":\"x@1\",\"b\":\"x@1\"}"),
        ("{{{occurrence}}}", "{x@1}"), ("{{occurrence}", "{{occurrence}"), ("", ""),
        ("null", "null"), ("{{occurrence}}", "x@1"),
    ])
    func replacesPlaceholder(payload: String, expected: String) {
        let padded = Array("##\(payload)".utf8)
        let result = Occurrence.substitute("x@1", in: padded[2...])
        #expect(String(decoding: result, as: UTF8.self) == expected)
    }
}
