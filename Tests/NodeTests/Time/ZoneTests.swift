import Testing

@testable import Node

/// Zones for tests, given by rules so that no test needs the machine's files.
enum SampleZone {
    static let berlin = zone("Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3")
    static let newYork = zone("America/New_York", "EST5EDT,M3.2.0,M11.1.0")
    /// Half an hour of summer time.
    static let lordHowe = zone("Australia/Lord_Howe", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0")
    /// The clock is put forward at midnight: 00:00 does not exist.
    static let santiago = zone("America/Santiago", "<-04>4<-03>,M9.1.6/24,M4.1.6/24")
    /// Winter time is written as summer time an hour back.
    static let dublin = zone("Europe/Dublin", "IST-1GMT0,M10.5.0,M3.5.0/1")
    static let all = [Zone.utc, berlin, newYork, lordHowe, santiago, dublin]

    static func zone(_ name: String, _ rule: String) -> Zone {
        do {
            return Zone(
                name: name, changes: [], initialOffset: 0, rule: try PosixZoneRule(rule))
        } catch {
            preconditionFailure("\(rule): \(error)")
        }
    }
}

func instant(_ text: String) throws -> Int64 { try Timestamp.parse(text) }

func second(_ text: String) throws -> Int64 { try Timestamp.parse(text) / 1000 }

@Suite struct ZoneTests {
    @Test func followsItsRule() throws {
        let zone = SampleZone.berlin
        #expect(zone.offset(at: try second("2026-03-29T00:59:59Z")) == 3600)
        #expect(zone.offset(at: try second("2026-03-29T01:00:00Z")) == 7200)
        #expect(zone.offset(at: try second("2026-10-25T00:59:59Z")) == 7200)
        #expect(zone.offset(at: try second("2026-10-25T01:00:00Z")) == 3600)
        #expect(SampleZone.dublin.offset(at: try second("2026-07-01T00:00:00Z")) == 3600)
        #expect(SampleZone.dublin.offset(at: try second("2026-01-01T00:00:00Z")) == 0)
        #expect(SampleZone.santiago.offset(at: try second("2026-07-01T00:00:00Z")) == -14_400)
    }

    @Test(arguments: [1, 400, 800, 4000, -400, -1600]) func repeatsEveryFourHundredYears(
        years: Int
    ) throws {
        let shift = Int64(years / 400 * 146_097) * 86_400
        for _ in 0..<200 where years % 400 == 0 {
            let base = Int64.random(in: 100_000_000...4_000_000_000)
            let other = base + shift
            #expect(SampleZone.newYork.offset(at: other) == SampleZone.newYork.offset(at: base))
            let here = SampleZone.newYork.segment(at: base)
            let there = SampleZone.newYork.segment(at: other)
            #expect(there.start == here.start + shift)
            #expect(there.end == here.end + shift)
        }
    }

    @Test func findsGapsAndOverlaps() throws {
        let zone = SampleZone.berlin
        let spring = CivilTime(year: 2026, month: 3, day: 29, hour: 2, minute: 30).seconds
        #expect(zone.reading(local: spring) == .gap(changeAt: try second("2026-03-29T01:00:00Z")))
        #expect(zone.reading(local: spring - 1801) == .once(try second("2026-03-29T00:59:59Z")))
        #expect(zone.reading(local: spring + 1800) == .once(try second("2026-03-29T01:00:00Z")))
        let autumn = CivilTime(year: 2026, month: 10, day: 25, hour: 2).seconds
        #expect(
            zone.reading(local: autumn)
                == .twice(
                    first: try second("2026-10-25T00:00:00Z"),
                    last: try second("2026-10-25T01:00:00Z")))
        #expect(zone.reading(local: autumn - 1) == .once(try second("2026-10-24T23:59:59Z")))
        #expect(zone.reading(local: autumn + 3600) == .once(try second("2026-10-25T02:00:00Z")))
    }

    @Test(arguments: SampleZone.all) func segmentsJoinWithoutHoles(zone: Zone) throws {
        var segment = zone.segment(at: try second("2020-01-01T00:00:00Z"))
        for _ in 0..<1000 where segment.end != .max {
            let next = zone.segment(at: segment.end)
            #expect(next.start == segment.end)
            #expect(next.offset == segment.offsetAfter)
            #expect(next.offsetBefore == segment.offset)
            #expect(next.offset != segment.offset)
            #expect(zone.offset(at: segment.end - 1) == segment.offset)
            segment = next
        }
    }

    @Test(
        arguments: [
            ("UTC0", 0, 0), ("<+03>-3", 10_800, 10_800), ("<-0330>3:30", -12_600, -12_600),
            ("EST5EDT,0/0,J365/25", -14_400, -14_400), ("XXX-1:02:03", 3723, 3723),
            ("EST5EDT", -18_000, -14_400), ("AAA3BBB2:30,J60,J300", -10_800, -9000),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", -7200, -3600), ("AAA0BBB,59,304/-167", 0, 3600),
        ] as [(String, Int64, Int64)])
    func readsRules(text: String, january: Int64, july: Int64) throws {
        let zone = SampleZone.zone("test", text)
        #expect(zone.offset(at: try second("2024-01-15T12:00:00Z")) == january)
        #expect(zone.offset(at: try second("2024-07-15T12:00:00Z")) == july)
    }

    @Test(arguments: [
        "", "A", "AB3", "AAA", "AAA25", "AAA3BBB,", "AAA3BBB,M3.2.0", "AAA3BBB,M13.1.0,M1.1.0",
        "AAA3BBB,M3.0.0,M1.1.0", "AAA3BBB,M3.1.7,M1.1.0", "AAA3BBB,J0,J1", "AAA3BBB,366,1",
        "AAA3BBB,M3.1.0/168,M1.1.0", "<+03-3", "AAA3:60", "AAA3BBB,J1,J2x", "AAA--3",
    ])
    func refusesWhatIsNoRule(text: String) {
        #expect(throws: ZoneError.self) { try PosixZoneRule(text) }
    }

    @Test(arguments: [
        (PosixZoneRule.Day.julian(59), 59, 59), (.julian(60), 60, 61), (.julian(365), 365, 366),
        (.ordinal(59), 60, 60), (.ordinal(365), 366, 366),
        (.weekday(month: 1, week: 5, weekday: 0), 29, 28),
        (.weekday(month: 1, week: 1, weekday: 1), 2, 1),
    ])
    func countsDaysOfTheYear(day: PosixZoneRule.Day, in2023: Int, in2024: Int) {
        for (year, expected) in [(2023, in2023), (2024, in2024)] {
            let newYear = CivilTime.days(year: year, month: 1, day: 1)
            #expect(day.days(inYear: year) - newYear + 1 == expected)
        }
    }

    @Test func noRuleCanTrap() {
        for month in 1...12 {
            for hours in [-167, -24, 0, 24, 167] {
                let text = "AAA3BBB,M\(month).5.0/\(hours),M\(month).5.0/\(-hours)"
                let zone = SampleZone.zone("test", text)
                for year in [1900, 1970, 2000, 2400, 9999] {
                    _ = zone.reading(local: CivilTime(year: year, month: month, day: 28).seconds)
                }
            }
        }
    }
}
