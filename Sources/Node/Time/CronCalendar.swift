/// The readings of calendar and clock that a cron expression names, in a zone's local time. Finds the next
/// one by skipping whole months, days, hours and minutes.
struct CronCalendar: Equatable, Sendable {
    let second: CronField
    let minute: CronField
    let hour: CronField
    let dayOfMonth: CronField
    let month: CronField
    let dayOfWeek: CronField

    /// 29 February on a given weekday returns after at most 40 years.
    private static let maxYears = 41

    /// Recurs at intervals rather than at fixed times (see `Cron`).
    var isInterval: Bool { second.isInterval || minute.isInterval || hour.isInterval }

    /// The least reading at or after the given one, both in seconds since 1970-01-01 00:00:00 of the
    /// local clock; nil if there is none within 41 years.
    func next(fromLocal seconds: Int64) -> Int64? {
        let start = CivilTime(seconds: seconds)
        if let ofDay = next(
            inDayFrom: start.hour * 3600 + start.minute * 60 + start.second),
            days(inMonth: start.month, of: start.year) >> UInt32(start.day) & 1 == 1,
            month.contains(start.month)
        {
            return CivilTime.floorDivide(seconds, 86_400) * 86_400 + Int64(ofDay)
        }
        guard let ofDay = next(inDayFrom: 0) else {
            preconditionFailure("each field has a value")
        }
        var year = start.year
        var currentMonth = start.month
        var day = start.day + 1
        while year < start.year + Self.maxYears {
            guard let found = month.next(from: currentMonth) else {
                year += 1
                currentMonth = 1
                day = 1
                continue
            }
            if found != currentMonth { day = 1 }
            currentMonth = found
            let rest =
                day > 31 ? 0 : (days(inMonth: currentMonth, of: year) >> UInt32(day)) << UInt32(day)
            if rest != 0 {
                let days = CivilTime.days(
                    year: year, month: currentMonth, day: rest.trailingZeroBitCount)
                return Int64(days) * 86_400 + Int64(ofDay)
            }
            currentMonth += 1
            day = 1
        }
        return nil
    }

    /// The least second of the day at or after the given one.
    private func next(inDayFrom ofDay: Int) -> Int? {
        let startHour = ofDay / 3600
        let startMinute = ofDay / 60 % 60
        guard let nextHour = hour.next(from: startHour) else { return nil }
        if nextHour == startHour {
            if let nextMinute = minute.next(from: startMinute) {
                if nextMinute > startMinute {
                    return nextHour * 3600 + nextMinute * 60 + second.first
                }
                if let nextSecond = second.next(from: ofDay % 60) {
                    return nextHour * 3600 + nextMinute * 60 + nextSecond
                }
                if let nextMinute = minute.next(from: startMinute + 1) {
                    return nextHour * 3600 + nextMinute * 60 + second.first
                }
            }
            guard let nextHour = hour.next(from: startHour + 1) else { return nil }
            return nextHour * 3600 + minute.first * 60 + second.first
        }
        return nextHour * 3600 + minute.first * 60 + second.first
    }

    /// The days of a month that both day fields name, or either of them if both are restricted; bit n
    /// is day n.
    private func days(inMonth month: Int, of year: Int) -> UInt32 {
        let length = CivilTime.daysInMonth(month, of: year)
        let all = (UInt32.max >> UInt32(31 - length)) & ~1
        let first = CivilTime.weekday(days: CivilTime.days(year: year, month: month, day: 1))
        var ofMonth = UInt32(truncatingIfNeeded: dayOfMonth.bits) & all
        for rule in dayOfMonth.rules {
            if let day = rule.day(inMonthOf: length, firstWeekday: first) { ofMonth |= 1 << day }
        }
        if dayOfWeek.isUnrestricted { return ofMonth }
        // Five weeks and more in a row, moved so that bit 1 is the weekday of the first.
        let week = dayOfWeek.bits
        let weeks = week | week << 7 | week << 14 | week << 21 | week << 28 | week << 35
        var ofWeek = UInt32(truncatingIfNeeded: (weeks >> UInt64(first)) << 1) & all
        for rule in dayOfWeek.rules {
            if let day = rule.day(inMonthOf: length, firstWeekday: first) { ofWeek |= 1 << day }
        }
        return dayOfMonth.isUnrestricted ? ofWeek : ofMonth | ofWeek
    }
}
