extension Cron {
    private static let maxBytes = 512

    private static let macros: [(name: String, fields: String)] = [
        ("@hourly", "0 0 * * * *"), ("@daily", "0 0 0 * * *"), ("@midnight", "0 0 0 * * *"),
        ("@weekly", "0 0 0 * * 0"), ("@monthly", "0 0 0 1 * *"), ("@yearly", "0 0 0 1 1 *"),
        ("@annually", "0 0 0 1 1 *"),
    ]

    /// Reads an expression; the error names the field and says what is wrong with it. That the named
    /// zone exists is for the caller to see.
    ///
    /// - Parameter name: Of the schedule: decides what `H` and `~` stand for.
    init(_ text: String, name: String = "") throws(CronError) {
        guard text.utf8.count <= Self.maxBytes else {
            throw CronError("the expression is longer than \(Self.maxBytes) bytes")
        }
        var fields = text.split { $0 == " " || $0 == "\t" }
        var zoneName: String?
        if let first = fields.first,
            let prefix = ["CRON_TZ=", "TZ="].first(where: { first.hasPrefix($0) })
        {
            let name = String(first.dropFirst(prefix.count))
            guard !name.isEmpty else { throw CronError("\(prefix) lacks the name of a zone") }
            zoneName = name
            fields.removeFirst()
        }
        self.text = text
        self.zoneName = zoneName
        if let first = fields.first, first.hasPrefix("@") {
            kind = try Self.macro(first, arguments: fields.dropFirst())
        } else {
            kind = .calendar(try Self.calendar(fields, CronSpread(name: name)))
        }
    }

    private static func macro(
        _ name: Substring, arguments: ArraySlice<Substring>
    ) throws(CronError) -> Kind {
        if name == "@every" {
            guard arguments.count == 1, let argument = arguments.first else {
                throw CronError("@every takes one duration, as in \"@every 1h30m\"")
            }
            return .every(periodMilliseconds: try period(String(argument)))
        }
        if name == "@manually" {
            guard arguments.isEmpty else { throw CronError("nothing may follow \(name)") }
            return .never
        }
        guard let macro = macros.first(where: { $0.name == name }) else {
            var reason = "\"\(name)\" is not known"
            let names = macros.map(\.name) + ["@every", "@manually"]
            if let nearest = Spelling.nearest(to: String(name), among: names) {
                reason += "; did you mean \"\(nearest)\"?"
            }
            throw CronError(reason)
        }
        guard arguments.isEmpty else { throw CronError("nothing may follow \(name)") }
        return .calendar(try calendar(macro.fields.split(separator: " "), CronSpread(name: "")))
    }

    /// The period of `@every`, or of a schedule's `every`, in milliseconds.
    static func period(_ text: String) throws(CronError) -> Int64 {
        let period: Int64
        do {
            period = try DurationText.parse(text)
        } catch {
            throw CronError(error.description)
        }
        guard periodRangeMilliseconds.contains(period) else {
            let least = DurationText.format(periodRangeMilliseconds.lowerBound)
            throw CronError("the period \(text) is shorter than \(least)")
        }
        return period
    }

    private static func calendar(
        _ fields: [Substring], _ spread: CronSpread
    ) throws(CronError) -> CronCalendar {
        guard fields.count == 5 || fields.count == 6 else {
            throw CronError(
                "\(fields.count) fields are given; five are expected (minute, hour, day of month, "
                    + "month, day of week), or six with the second in front")
        }
        let rest = fields.suffix(5)
        let start = rest.startIndex
        return CronCalendar(
            second: fields.count == 6 ? try CronField(fields[0], .second, spread) : .value(0),
            minute: try CronField(rest[start], .minute, spread),
            hour: try CronField(rest[start + 1], .hour, spread),
            dayOfMonth: try CronField(rest[start + 2], .dayOfMonth, spread),
            month: try CronField(rest[start + 3], .month, spread),
            dayOfWeek: try CronField(rest[start + 4], .dayOfWeek, spread))
    }
}
