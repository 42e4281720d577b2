import Scheduler

/// Rates as people write them: `100/s`, `10/m`, `5000/h`, `3/10s`.
enum RateText {
    private static let units: [(name: String, milliseconds: Milliseconds)] = [
        ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    static let rule = "a number, a slash and s, m, h, d or a duration of at most a day, as in 100/s"

    /// nil if the text is no rate.
    static func parse(_ text: String) -> (count: UInt32, perMilliseconds: Milliseconds)? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty,
            parts[0].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let count = UInt32(parts[0]), (1...Limits.maxRateCount).contains(count)
        else { return nil }
        let period: Milliseconds
        if let unit = units.first(where: { $0.name == parts[1] }) {
            period = unit.milliseconds
        } else {
            do {
                period = try DurationText.parse(String(parts[1]))
            } catch {
                return nil
            }
        }
        guard (1...Limits.maxRateMilliseconds).contains(period) else { return nil }
        return (count, period)
    }

    static func format(_ rate: RateLimit) -> String {
        let unit = units.first { $0.milliseconds == rate.perMilliseconds }?.name
        return "\(rate.count)/\(unit ?? DurationText.format(rate.perMilliseconds))"
    }
}
