import Scheduler
import Testing

@testable import Node

/// A deliberately simple twin: walks through time second by second and asks of each whether it is an
/// occurrence, by the definition rather than by search.
private struct CronTwin {
    let calendar: CronCalendar
    let zone: Zone
    let gap: DaylightPolicy.Gap
    let overlap: DaylightPolicy.Overlap

    func next(after second: Int64, until end: Int64) -> Int64? {
        var instant = second + 1
        while instant < end {
            if isOccurrence(instant) { return instant }
            instant += 1
        }
        return nil
    }

    private func isOccurrence(_ instant: Int64) -> Bool {
        let offset = zone.offset(at: instant)
        let before = zone.offset(at: instant - 1)
        if gap == .shift, before < offset {
            for local in (instant + before)..<(instant + offset) where matches(local) {
                return true
            }
        }
        let local = instant + offset
        guard matches(local) else { return false }
        switch zone.reading(local: local) {
        case .once, .gap: return true
        case .twice(let first, let last):
            switch overlap {
            case .first: return instant == first
            case .last: return instant == last
            case .both: return true
            }
        }
    }

    private func matches(_ local: Int64) -> Bool {
        let civil = CivilTime(seconds: local)
        guard calendar.second.contains(civil.second), calendar.minute.contains(civil.minute),
            calendar.hour.contains(civil.hour), calendar.month.contains(civil.month)
        else { return false }
        let ofMonth = calendar.dayOfMonth.contains(civil.day)
        let ofWeek = calendar.dayOfWeek.contains(civil.weekday)
        if calendar.dayOfMonth.isUnrestricted { return ofWeek }
        if calendar.dayOfWeek.isUnrestricted { return ofMonth }
        return ofMonth || ofWeek
    }
}

@Suite struct CronTwinTests {
    private static func field(_ unit: CronField.Unit, dense: Bool) -> String {
        let range = unit.range
        func value() -> Int { Int.random(in: range) }
        switch Int.random(in: 0..<(dense ? 3 : 7)) {
        case 0, 1: return "*"
        case 2: return "*/\(Int.random(in: 1...unit.count))"
        case 3: return "\(value())"
        case 4: return "\(value()),\(value()),\(value())"
        case 5:
            let first = value()
            return "\(first)-\(Int.random(in: first...range.upperBound))"
        default: return "\(value())/\(Int.random(in: 1...unit.count))"
        }
    }

    private static func expression() -> String {
        let second = Bool.random() ? "0" : field(.second, dense: false)
        let day = Int.random(in: 0..<3)
        return [
            second, field(.minute, dense: false), field(.hour, dense: false),
            day == 0 ? "*" : field(.dayOfMonth, dense: Bool.random()), "*",
            day == 1 ? "*" : field(.dayOfWeek, dense: Bool.random()),
        ].joined(separator: " ")
    }

    /// The clock changes of each zone in 2026, and a plain day.
    private static func starts(of zone: Zone) -> [Int64] {
        let year = CivilTime(year: 2026, month: 1, day: 1).seconds
        var result = [year + Int64.random(in: 0..<31_000_000)]
        var segment = zone.segment(at: year)
        while segment.end < year + 31_536_000 {
            result.append(segment.end)
            segment = zone.segment(at: segment.end)
        }
        return result
    }

    @Test(arguments: SampleZone.all) func agreesWithAWalkSecondBySecond(zone: Zone) throws {
        for start in Self.starts(of: zone) {
            for _ in 0..<12 {
                let expression = Self.expression()
                let cron = try Cron(expression)
                guard case .calendar(let calendar) = cron.kind else { continue }
                let policy = DaylightPolicy(
                    gap: DaylightPolicy.Gap.allCases.randomElement(),
                    overlap: DaylightPolicy.Overlap.allCases.randomElement())
                let twin = CronTwin(
                    calendar: calendar, zone: zone, gap: policy.gap ?? .skip,
                    overlap: policy.overlap ?? .both)
                var second = start - Int64.random(in: 0...7200)
                let end = second + 12_000
                for _ in 0..<60 {
                    let expected = twin.next(after: second, until: end)
                    let found = cron.next(after: second * 1000, in: zone, daylight: policy)
                    let within = found.flatMap { $0 / 1000 < end ? $0 / 1000 : nil }
                    #expect(
                        within == expected,
                        "\(expression) in \(zone.name) after \(second), \(policy)")
                    guard let expected, within == expected else { break }
                    second = expected
                }
            }
        }
    }

    /// Far occurrences, compared by days: the twin can't walk years in seconds.
    @Test func findsFarDays() throws {
        for _ in 0..<200 {
            let day = Int.random(in: 1...31)
            let month = Int.random(in: 1...12)
            let weekday = Int.random(in: 0...6)
            let byWeekday = Bool.random()
            let cron = try Cron("0 0 \(day) \(month) \(byWeekday ? "\(weekday)" : "*")")
            let start = CivilTime(year: Int.random(in: 1900...2300), month: 5, day: 17)
            var days = CivilTime.days(year: start.year, month: start.month, day: start.day) + 1
            var expected: Int64?
            for _ in 0..<(9 * 366) {
                let civil = CivilTime(days: days)
                if civil.month == month, civil.day == day || byWeekday && civil.weekday == weekday {
                    expected = Int64(days) * 86_400_000
                    break
                }
                days += 1
            }
            #expect(cron.next(after: start.seconds * 1000, in: .utc) == expected, "\(cron.text)")
        }
    }
}
