import Scheduler
import Testing

@testable import Node

@Suite struct CronTests {
    @Test(arguments: [
        ("* * * * *", "2026-11-21T08:04:20Z", "2026-11-21T08:05:00Z"),
        ("* * * * * *", "2026-11-21T08:04:20Z", "2026-11-21T08:04:21Z"),
        ("* * * * * *", "2026-11-21T08:04:20.500Z", "2026-11-21T08:04:21Z"),
        ("5 4 * * *", "2026-11-21T08:04:20Z", "2026-11-22T04:05:00Z"),
        ("0 0 1 * *", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"),
        ("0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"),
        ("0 30 9 * * MON-FRI", "2026-11-21T08:04:20Z", "2026-11-23T09:30:00Z"),
        ("0 0 * * 7", "2026-11-21T08:04:20Z", "2026-11-22T00:00:00Z"),
        ("0 0 * * sun", "2026-11-21T08:04:20Z", "2026-11-22T00:00:00Z"),
        ("0 0 * * FRI-SUN", "2026-11-23T00:00:00Z", "2026-11-27T00:00:00Z"),
        ("0 0 13 * FRI", "2026-11-21T08:04:20Z", "2026-11-27T00:00:00Z"),
        ("0 0 13 * ?", "2026-11-21T08:04:20Z", "2026-12-13T00:00:00Z"),
        ("0 0 ? JAN,dec MON", "2026-11-21T08:04:20Z", "2026-12-07T00:00:00Z"),
        ("*/15 * * * *", "2026-11-21T08:45:00Z", "2026-11-21T09:00:00Z"),
        ("5/20 * * * *", "2026-11-21T08:26:00Z", "2026-11-21T08:45:00Z"),
        ("10-20/5,50 8 * * *", "2026-11-21T08:20:00Z", "2026-11-21T08:50:00Z"),
        ("59 59 23 31 12 *", "2026-11-21T08:20:00Z", "2026-12-31T23:59:59Z"),
        ("@hourly", "2026-11-21T08:20:00Z", "2026-11-21T09:00:00Z"),
        ("@daily", "2026-11-21T08:20:00Z", "2026-11-22T00:00:00Z"),
        ("@midnight", "2026-11-21T08:20:00Z", "2026-11-22T00:00:00Z"),
        ("@weekly", "2026-11-21T08:20:00Z", "2026-11-22T00:00:00Z"),
        ("@monthly", "2026-11-21T08:20:00Z", "2026-12-01T00:00:00Z"),
        ("@yearly", "2026-11-21T08:20:00Z", "2027-01-01T00:00:00Z"),
        ("@annually", "2026-11-21T08:20:00Z", "2027-01-01T00:00:00Z"),
        ("@every 1h30m", "1970-01-01T01:29:59Z", "1970-01-01T01:30:00Z"),
        ("@every 1h30m", "1970-01-01T01:30:00Z", "1970-01-01T03:00:00Z"),
        ("@every 250ms", "2026-11-21T08:20:00.100Z", "2026-11-21T08:20:00.250Z"),
    ])
    func findsTheNextInstant(expression: String, after: String, expected: String) throws {
        let next = try Cron(expression).next(after: instant(after), in: .utc)
        #expect(try next == instant(expected), "\(next.map(Timestamp.format) ?? "never")")
    }

    @Test(arguments: [
        ("", "0 fields"), ("* * * *", "4 fields"), ("* * * * * * *", "7 fields"),
        ("*/0 * * * *", "minute"),
        ("60 * * * *", "minute"), ("* 24 * * *", "hour"), ("* * 0 * *", "day of month"),
        ("* * 32 * *", "day of month"), ("* * * 13 *", "month"), ("* * * 0 *", "month"),
        ("* * * * 8", "day of week"), ("60 * * * * *", "second"), ("* 22-2 * * *", "hour"),
        ("* * * * FRI-MON", "day of week"), ("*/61 * * * *", "minute"), ("? * * * *", "minute"),
        ("1, * * * *", "minute"), (",1 * * * *", "minute"), ("1--2 * * * *", "minute"),
        ("1-2-3 * * * *", "minute"), ("1/2/3 * * * *", "minute"), ("a * * * *", "minute"),
        ("-1 * * * *", "minute"), ("+1 * * * *", "minute"), ("1.5 * * * *", "minute"),
        ("* * * FOO *", "month"), ("* * * * MO", "day of week"),
        ("@dayly", "did you mean \"@daily\""),
        ("@every", "@every"), ("@every 5", "unit"), ("@every 0s", "shorter"),
        ("@every 1h 2m", "@every"),
        ("@hourly 5", "@hourly"), ("@reboot", "not known"), ("TZ= * * * * *", "zone"),
        ("99999999999999999999 * * * *", "minute"),
    ])
    func refusesAndNamesTheField(expression: String, part: String) {
        let error = #expect(throws: CronError.self) { try Cron(expression) }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "accepted")")
    }

    @Test func refusesLongExpressions() {
        let list = (0..<300).map { _ in "1" }.joined(separator: ",")
        #expect(throws: CronError.self) { try Cron("\(list) * * * *") }
    }

    @Test func takesTheZoneFromItsPrefix() throws {
        #expect(try Cron("CRON_TZ=Europe/Berlin 0 9 * * *").zoneName == "Europe/Berlin")
        #expect(try Cron("TZ=UTC @daily").zoneName == "UTC")
        #expect(try Cron("@daily").zoneName == nil)
    }

    @Test(arguments: ["0 0 31 2 *", "0 0 30 2 ?", "0 0 31 4,6,9,11 *"])
    func saysNeverForDaysThatNeverCome(expression: String) throws {
        #expect(try Cron(expression).next(after: 0, in: .utc) == nil)
        #expect(try Cron(expression).next(after: 0, in: SampleZone.berlin) == nil)
    }

    @Test(arguments: [
        ("0 0 L * *", "2026-02-01T00:00:00Z", "2026-02-28T00:00:00Z"),
        ("0 0 L * *", "2028-02-01T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("0 0 L-3 * *", "2026-04-01T00:00:00Z", "2026-04-27T00:00:00Z"),
        ("0 0 L-30 2-3 *", "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        // 31 January 2026 is a Saturday, 31 May 2026 a Sunday, 31 March 2026 a Tuesday.
        ("0 0 LW * *", "2026-01-01T00:00:00Z", "2026-01-30T00:00:00Z"),
        ("0 0 LW * *", "2026-05-01T00:00:00Z", "2026-05-29T00:00:00Z"),
        ("0 0 lw * *", "2026-03-01T00:00:00Z", "2026-03-31T00:00:00Z"),
        // 15 August 2026 is a Saturday, 15 November 2026 a Sunday.
        ("0 0 15W * *", "2026-08-01T00:00:00Z", "2026-08-14T00:00:00Z"),
        ("0 0 15W * *", "2026-11-01T00:00:00Z", "2026-11-16T00:00:00Z"),
        ("0 0 1W * *", "2026-07-31T00:00:00Z", "2026-08-03T00:00:00Z"),
        ("0 0 31W * *", "2026-05-01T00:00:00Z", "2026-05-29T00:00:00Z"),
        ("0 0 31W * *", "2026-06-01T00:00:00Z", "2026-07-31T00:00:00Z"),
        ("0 0 * * 5L", "2026-11-21T00:00:00Z", "2026-11-27T00:00:00Z"),
        ("0 0 * * SUNL", "2026-11-21T00:00:00Z", "2026-11-29T00:00:00Z"),
        ("0 0 * * 7L", "2026-11-21T00:00:00Z", "2026-11-29T00:00:00Z"),
        ("0 0 * * 6#3", "2026-11-01T00:00:00Z", "2026-11-21T00:00:00Z"),
        ("0 0 ? * fri#5", "2026-11-01T00:00:00Z", "2027-01-29T00:00:00Z"),
        ("0 0 L * 1#1", "2026-11-21T00:00:00Z", "2026-11-30T00:00:00Z"),
        ("0 0 1,L * *", "2026-11-21T00:00:00Z", "2026-11-30T00:00:00Z"),
    ])
    func daysThatDependOnTheMonth(expression: String, after: String, expected: String) throws {
        let next = try Cron(expression).next(after: instant(after), in: .utc)
        #expect(try next == instant(expected), "\(next.map(Timestamp.format) ?? "never")")
    }

    @Test(arguments: [
        "0 0 L-31 * *", "0 0 L-0 * *", "0 0 0W * *", "0 0 32W * *", "0 0 W * *", "0 0 * * L",
        "0 0 * * 8L",
        "0 0 * * 5#0", "0 0 * * 5#6", "0 0 * * #1", "0 0 * * FOO#1", "L * * * *", "0 5W * * *",
        "0 0 1-5W * *", "0 0 L/2 * *", "0 0 * L *",
    ])
    func refusesOtherDaysOfTheMonth(expression: String) {
        #expect(throws: CronError.self) { try Cron(expression) }
    }

    @Test func endsWithTheYearNineThousand() throws {
        let cron = try Cron("* * * * *")
        #expect(cron.next(after: Timestamp.range.upperBound, in: .utc) == nil)
        #expect(try Cron("@daily").next(after: Timestamp.range.upperBound - 1000, in: .utc) == nil)
    }

    private func run(
        _ expression: String, _ zone: Zone, from: String, until: String,
        daylight: DaylightPolicy = .automatic
    ) throws -> [String] {
        let cron = try Cron(expression)
        var result: [String] = []
        var last = try instant(from) - 1
        let end = try instant(until)
        while let next = cron.next(after: last, in: zone, daylight: daylight), next < end {
            result.append(String(Timestamp.format(next).prefix(16).suffix(11)))
            last = next
        }
        return result
    }

    /// Berlin, 29 March 2026: 02:00 to 03:00 do not exist; 01:00 UTC is 03:00.
    @Test func springForward() throws {
        let (from, until) = ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")
        let zone = SampleZone.berlin
        #expect(try run("30 2 * * *", zone, from: from, until: until) == ["03-29T01:00"])
        #expect(try run("15,30,45 2 * * *", zone, from: from, until: until) == ["03-29T01:00"])
        #expect(try run("0 3 * * *", zone, from: from, until: until) == ["03-29T01:00"])
        #expect(try run("*/30 2 * * *", zone, from: from, until: until) == [])
        #expect(
            try run("0 1-4 * * *", zone, from: from, until: until)
                == ["03-29T00:00", "03-29T01:00", "03-29T02:00"])
        #expect(
            try run(
                "30 2 * * *", zone, from: from, until: until, daylight: DaylightPolicy(gap: .skip))
                == [])
        #expect(
            try run(
                "*/30 2 * * *", zone, from: from, until: until,
                daylight: DaylightPolicy(gap: .shift))
                == ["03-29T01:00"])
    }

    /// Berlin, 25 October 2026: 02:00 to 03:00 happen twice, from 00:00 and from 01:00 UTC.
    @Test func fallBack() throws {
        let (from, until) = ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")
        let zone = SampleZone.berlin
        #expect(try run("30 2 * * *", zone, from: from, until: until) == ["10-25T00:30"])
        #expect(try run("0 3 * * *", zone, from: from, until: until) == ["10-25T02:00"])
        #expect(
            try run("*/30 2 * * *", zone, from: from, until: until)
                == ["10-25T00:00", "10-25T00:30", "10-25T01:00", "10-25T01:30"])
        let last = DaylightPolicy(overlap: .last)
        #expect(
            try run("30 2 * * *", zone, from: from, until: until, daylight: last) == ["10-25T01:30"]
        )
        let both = DaylightPolicy(overlap: .both)
        #expect(
            try run("30 2 * * *", zone, from: from, until: until, daylight: both)
                == ["10-25T00:30", "10-25T01:30"])
        let first = DaylightPolicy(overlap: .first)
        #expect(
            try run("0 * * * *", zone, from: from, until: "2026-10-25T03:00:00Z", daylight: first)
                == ["10-24T22:00", "10-24T23:00", "10-25T00:00", "10-25T02:00"])
    }

    /// Santiago puts its clock forward at midnight.
    @Test func dailyJobsSurviveAMissingMidnight() throws {
        #expect(
            try run(
                "@daily", SampleZone.santiago, from: "2026-09-05T00:00:00Z",
                until: "2026-09-08T00:00:00Z")
                == ["09-05T04:00", "09-06T04:00", "09-07T03:00"])
    }

    @Test func saysWhatTheClocksHadToDoWithIt() throws {
        let zone = SampleZone.berlin
        let fixed = try Cron("30 2 * * *")
        let spring = fixed.nextOccurrence(after: try instant("2026-03-28T12:00:00Z"), in: zone)
        #expect(spring?.change == .shifted)
        let plain = fixed.nextOccurrence(after: try instant("2026-03-29T12:00:00Z"), in: zone)
        #expect(plain?.change == Cron.Occurrence.Change.none)
        let interval = try Cron("30 * * * *")
        let again = interval.nextOccurrence(after: try instant("2026-10-25T00:30:00Z"), in: zone)
        #expect(again?.change == .repeated)
    }

    /// What a name spreads to is kept by every later version: schedules must not move with an update.
    @Test func spreadsByName() throws {
        func minutes(_ name: String, _ expression: String) throws -> [Int64] {
            let cron = try Cron(expression, name: name)
            var result: [Int64] = []
            var last: Int64 = -1
            while let next = cron.next(after: last, in: .utc), next < 3_600_000 {
                result.append(next / 60_000)
                last = next
            }
            return result
        }
        let names = (0..<300).map { "schedule-\($0)" }
        let spread = try names.map { try minutes($0, "H * * * *") }
        #expect(spread.allSatisfy { $0.count == 1 })
        #expect(Set(spread.map { $0[0] }).count > 50, "over the whole hour")
        #expect(try names.map { try minutes($0, "H * * * *") } == spread)
        for name in names.prefix(40) {
            let quarter = try minutes(name, "H/15 * * * *")
            #expect(quarter.count == 4 && quarter[0] < 15 && quarter[3] == quarter[0] + 45)
            #expect((10...19).contains(try minutes(name, "H(10-19) * * * *")[0]))
            #expect((10...19).contains(try minutes(name, "10~19 * * * *")[0]))
            let part = try minutes(name, "H(0-29)/10 * * * *")
            #expect(part.count == 3 && part[2] < 30 && part[1] == part[0] + 10)
        }
        #expect(try minutes("a", "~ * * * *") == minutes("a", "H * * * *"))
        #expect(try Cron("0 0 H * *", name: "a").next(after: 0, in: .utc) != nil)
        #expect(try Cron("0 0 * * H", name: "a").next(after: 0, in: .utc) != nil)
    }

    @Test func aSpreadValueIsFixedAndASpreadStepAnInterval() throws {
        guard case .calendar(let fixed) = try Cron("H H * * *", name: "a").kind,
            case .calendar(let interval) = try Cron("H/5 H * * *", name: "a").kind
        else {
            Issue.record("no calendar")
            return
        }
        #expect(!fixed.isInterval && interval.isInterval)
    }

    @Test(arguments: [
        "H(5) * * * *", "H(9-3) * * * *", "H(0-99) * * * *", "9~3 * * * *", "1~2~3 * * * *",
        "~5 * * * *", "HH * * * *", "H-5 * * * *",
    ])
    func refusesOtherSpreads(expression: String) {
        let error = #expect(throws: CronError.self) { try Cron(expression) }
        #expect(
            error?.description.contains("minute") == true, "\(error?.description ?? "accepted")")
    }

    /// Berlin, 29 March 2026: 02:00 to 03:00 do not exist.
    @Test func tellsWhatIsSkipped() throws {
        let (from, until) = (
            try instant("2026-03-28T12:00:00Z"), try instant("2026-03-30T12:00:00Z")
        )
        func skipped(
            _ expression: String, _ daylight: DaylightPolicy = .automatic
        ) throws -> [String] {
            try Cron(expression).skipped(
                after: from, before: until, in: SampleZone.berlin, daylight: daylight, limit: 3
            ).map {
                #expect($0.instant == 1_774_746_000_000)
                return String(Timestamp.format($0.local * 1000).prefix(16).suffix(5))
            }
        }
        #expect(try skipped("*/30 * * * *") == ["02:00", "02:30"])
        #expect(
            try skipped("*/10 * * * *") == ["02:00", "02:10", "02:20"], "no more than asked for")
        #expect(try skipped("30 2 * * *") == [], "it is shifted")
        #expect(try skipped("30 2 * * *", DaylightPolicy(gap: .skip)) == ["02:30"])
        #expect(try skipped("30 4 * * *", DaylightPolicy(gap: .skip)) == [])
    }
}
