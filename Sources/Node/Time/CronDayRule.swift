/// A day that depends on the month, as Quartz writes it.
enum CronDayRule: Equatable, Sendable {
    /// `L`: the last day of the month; `L-3`: the third before it.
    case last(daysBefore: Int)
    /// `LW`: the last day from Monday to Friday.
    case lastWorkday
    /// `15W`: the day from Monday to Friday nearest to the 15th, within the month.
    case workday(nearestTo: Int)
    /// `5L` or `FRIL`: the last Friday.
    case lastWeekday(Int)
    /// `5#3` or `FRI#3`: the third Friday; none in months that have no such.
    case weekday(Int, ordinal: Int)

    /// Reads an item of a day field; nil if it is not one of these.
    init?(_ text: Substring, _ unit: CronField.Unit) throws(CronError) {
        let item = text.uppercased()
        switch unit {
        case .dayOfMonth:
            if item == "L" {
                self = .last(daysBefore: 0)
            } else if item == "LW" {
                self = .lastWorkday
            } else if item.hasPrefix("L-") {
                let days = Self.number(item.dropFirst(2), 1...30)
                guard let days else { throw Self.failure(text, unit, "L-1 to L-30 are possible") }
                self = .last(daysBefore: days)
            } else if item.hasSuffix("W") {
                let day = Self.number(item.dropLast(), 1...31)
                guard let day else { throw Self.failure(text, unit, "1W to 31W are possible") }
                self = .workday(nearestTo: day)
            } else {
                return nil
            }
        case .dayOfWeek:
            if let mark = item.firstIndex(of: "#") {
                let ordinal = Self.number(item[item.index(after: mark)...], 1...5)
                guard let weekday = Self.weekday(item[..<mark]), let ordinal else {
                    throw Self.failure(text, unit, "a day, # and 1 to 5 are expected")
                }
                self = .weekday(weekday, ordinal: ordinal)
            } else if item.hasSuffix("L") {
                guard let weekday = Self.weekday(item.dropLast()) else {
                    throw Self.failure(text, unit, "a day is expected before L, as in 5L")
                }
                self = .lastWeekday(weekday)
            } else {
                return nil
            }
        case .second, .minute, .hour, .month:
            return nil
        }
    }

    /// The day of the month; nil if that month has none. `firstWeekday` is that of its first day.
    func day(inMonthOf length: Int, firstWeekday: Int) -> Int? {
        func weekday(_ day: Int) -> Int { (firstWeekday + day - 1) % 7 }
        switch self {
        case .last(let daysBefore):
            return length > daysBefore ? length - daysBefore : nil
        case .lastWorkday:
            let last = weekday(length)
            return last == 0 ? length - 2 : last == 6 ? length - 1 : length
        case .workday(let day):
            guard day <= length else { return nil }
            switch weekday(day) {
            case 6: return day == 1 ? 3 : day - 1
            case 0: return day == length ? day - 2 : day + 1
            default: return day
            }
        case .lastWeekday(let wanted):
            return length - (weekday(length) - wanted + 7) % 7
        case .weekday(let wanted, let ordinal):
            let day = 1 + (wanted - firstWeekday + 7) % 7 + 7 * (ordinal - 1)
            return day <= length ? day : nil
        }
    }

    private static func weekday(_ text: Substring) -> Int? {
        if let index = CronField.Unit.dayOfWeek.names.firstIndex(of: String(text)) { return index }
        return number(text, 0...7).map { $0 % 7 }
    }

    private static func number(_ text: Substring, _ range: ClosedRange<Int>) -> Int? {
        guard (1...2).contains(text.utf8.count), text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }),
            let number = Int(text), range.contains(number)
        else { return nil }
        return number
    }

    private static func failure(
        _ text: Substring, _ unit: CronField.Unit, _ reason: String
    ) -> CronError {
        CronError("the \(unit.rawValue) \"\(text)\": \(reason)")
    }
}
