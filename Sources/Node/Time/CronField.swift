/// One field of a cron expression: the set of its values.
struct CronField: Equatable, Sendable {
    /// Bit n stands for the value n.
    let bits: UInt64
    /// `*` or `?`, which a day field leaves to the other day field.
    let isUnrestricted: Bool
    /// Written with `*`, a range or a step: something that recurs at intervals rather than at fixed
    /// times (see `Cron`).
    let isInterval: Bool
    /// Days that depend on the month, besides those in `bits`.
    let rules: [CronDayRule]

    func contains(_ value: Int) -> Bool { bits >> UInt64(value) & 1 == 1 }

    /// The least value at or above the given one.
    @inline(__always)
    func next(from value: Int) -> Int? {
        guard value < 64 else { return nil }
        let rest = bits >> UInt64(value)
        return rest == 0 ? nil : value + rest.trailingZeroBitCount
    }

    var first: Int { bits.trailingZeroBitCount }

    /// What the fields are called and may hold.
    enum Unit: String, Sendable {
        case second
        case minute
        case hour
        case dayOfMonth = "day of month"
        case month
        case dayOfWeek = "day of week"

        var range: ClosedRange<Int> {
            switch self {
            case .second, .minute: return 0...59
            case .hour: return 0...23
            case .dayOfMonth: return 1...31
            case .month: return 1...12
            // 7 is Sunday as well; it becomes 0 when the field is complete.
            case .dayOfWeek: return 0...7
            }
        }

        /// The number of different values.
        var count: Int { self == .dayOfWeek ? 7 : range.count }

        var names: [String] {
            switch self {
            case .month:
                return [
                    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV",
                    "DEC",
                ]
            case .dayOfWeek: return ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
            default: return []
            }
        }

        var isDay: Bool { self == .dayOfMonth || self == .dayOfWeek }
    }

    /// A field of a single value.
    static func value(_ value: Int) -> CronField {
        CronField(bits: 1 << UInt64(value), isUnrestricted: false, isInterval: false)
    }

    init(bits: UInt64, isUnrestricted: Bool, isInterval: Bool, rules: [CronDayRule] = []) {
        self.bits = bits
        self.rules = rules
        self.isUnrestricted = isUnrestricted
        self.isInterval = isInterval
    }

    /// Reads a field: a list of `*`, values, ranges `a-b`, each with a step `/n`; `a/n` runs from a to
    /// the last value; in the day fields also what `CronDayRule` reads. Ranges that run backwards are
    /// refused rather than wrapped.
    init(_ text: Substring, _ unit: Unit, _ spread: CronSpread) throws(CronError) {
        if text == "?" {
            guard unit.isDay else {
                throw CronError("the \(unit.rawValue) \"?\": '?' may only stand for a day")
            }
            self.init(bits: Self.all(unit), isUnrestricted: true, isInterval: true)
            return
        }
        var bits: UInt64 = 0
        var isInterval = false
        var rules: [CronDayRule] = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            if let rule = try CronDayRule(item, unit) {
                rules.append(rule)
                continue
            }
            let part = CronItem(text: item, unit: unit, spread: spread)
            let (values, isOneValue) = try part.values()
            bits |= values
            if !isOneValue { isInterval = true }
        }
        if unit == .dayOfWeek, bits >> 7 & 1 == 1 { bits = bits & 0x7F | 1 }
        self.init(
            bits: bits, isUnrestricted: text == "*", isInterval: isInterval, rules: rules)
    }

    static func all(_ unit: Unit) -> UInt64 {
        var bits: UInt64 = 0
        for value in unit.range where unit != .dayOfWeek || value < 7 { bits |= 1 << UInt64(value) }
        return bits
    }
}

/// Why a text is no cron expression; names the field.
struct CronError: Error, Equatable, CustomStringConvertible, Sendable {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }

    var description: String { reason }
}

/// One item of a field's list.
private struct CronItem {
    let text: Substring
    let unit: CronField.Unit
    let spread: CronSpread

    func values() throws(CronError) -> (bits: UInt64, isOneValue: Bool) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let base = parts[0]
        var step = 1
        if parts.count == 2 { step = try self.step(parts[1]) }
        var range = unit.range
        // Sunday must not be reached twice by a step through the whole week.
        if unit == .dayOfWeek { range = 0...6 }
        var isOneValue = false
        if let wide = try spreadRange(base) {
            isOneValue = parts.count == 1
            let places = isOneValue ? wide.count : min(step, wide.count)
            let first = wide.lowerBound + spread.offset(unit, below: places)
            range = first...(isOneValue ? first : wide.upperBound)
        } else if base != "*" {
            let ends = base.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            let first = try value(ends[0])
            if ends.count == 2 {
                let last = try value(ends[1], isLast: true)
                guard first <= last else {
                    throw failure(
                        "the range runs backwards; write it as two, joined by a comma")
                }
                range = first...last
            } else if parts.count == 2 {
                range = first...max(first, range.upperBound)
            } else {
                range = first...first
                isOneValue = true
            }
        }
        var bits: UInt64 = 0
        for value in stride(from: range.lowerBound, through: range.upperBound, by: step) {
            bits |= 1 << UInt64(value)
        }
        return (bits, isOneValue)
    }

    /// What `H`, `H(a-b)`, `~` and `a~b` choose from; nil if it is none of them.
    private func spreadRange(_ base: Substring) throws(CronError) -> ClosedRange<Int>? {
        // A month has at least 28 days, and a week begins on Sunday once.
        var whole = unit.range
        if unit == .dayOfMonth { whole = 1...28 }
        if unit == .dayOfWeek { whole = 0...6 }
        if base.uppercased() == "H" { return whole }
        if base.uppercased().hasPrefix("H("), base.hasSuffix(")") {
            let ends = base.dropFirst(2).dropLast().split(
                separator: "-", omittingEmptySubsequences: false)
            guard ends.count == 2 else { throw failure("H takes a range, as in H(0-29)") }
            return try ascending(ends[0], ends[1])
        }
        let ends = base.split(separator: "~", omittingEmptySubsequences: false)
        guard ends.count > 1 else { return nil }
        guard ends.count == 2 else { throw failure("'~' stands between two values") }
        if ends[0].isEmpty, ends[1].isEmpty { return whole }
        return try ascending(ends[0], ends[1])
    }

    private func ascending(
        _ first: Substring, _ last: Substring
    ) throws(CronError) -> ClosedRange<Int> {
        let (first, last) = (try value(first), try value(last, isLast: true))
        guard first <= last else { throw failure("the range runs backwards") }
        return first...last
    }

    private func step(_ text: Substring) throws(CronError) -> Int {
        guard let step = number(text) else { throw failure("\"\(text)\" is not a step") }
        guard step > 0 else { throw failure("the step must not be 0") }
        guard step <= unit.count else {
            throw failure("the step \(step) is larger than the field's \(unit.count) values")
        }
        return step
    }

    private func value(_ text: Substring, isLast: Bool = false) throws(CronError) -> Int {
        if let index = unit.names.firstIndex(of: text.uppercased()) {
            let value = unit.range.lowerBound + index
            // FRI-SUN ends with the week.
            return unit == .dayOfWeek && isLast && value == 0 ? 7 : value
        }
        guard let value = number(text) else {
            throw failure(text.isEmpty ? "a value is missing" : "\"\(text)\" is not a value")
        }
        guard unit.range.contains(value) else {
            let (least, most) = (unit.range.lowerBound, unit.range.upperBound)
            throw failure("\(value) is not between \(least) and \(most)")
        }
        return value
    }

    private func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 4,
            text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") })
        else { return nil }
        return Int(text)
    }

    private func failure(_ reason: String) -> CronError {
        CronError("the \(unit.rawValue) \"\(text)\": \(reason)")
    }
}
