/// The time to wait that a server names in `Retry-After` (RFC 9110, section 10.2.3).
enum RetryAfter {
    /// Milliseconds from `now`, at least 0 and at most a day; nil if the text is neither seconds nor a
    /// date.
    static func milliseconds(_ text: String, now: Int64) -> Int64? {
        let trimmed = text.drop { $0 == " " }
        let wait: Int64
        if !trimmed.isEmpty, trimmed.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) {
            // More digits than a number holds are a long time as well.
            wait =
                Int64(trimmed).map { $0.multipliedReportingOverflow(by: 1000) }
                .map { $0.overflow ? Int64.max : $0.partialValue } ?? Int64.max
        } else {
            guard let instant = date(String(trimmed)) else { return nil }
            wait = instant - now
        }
        return min(max(0, wait), WorkerLimits.maxRetryAfterMilliseconds)
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Milliseconds since the epoch of a date (RFC 9110, section 5.6.7). Only the preferred form is read,
    /// `Sun, 06 Nov 1994 08:49:37 GMT`: no server in use sends the two obsolete ones.
    private static func date(_ text: String) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[0].hasSuffix(","), parts[5] == "GMT",
            let day = Int(parts[1]), let month = months.firstIndex(of: String(parts[2])),
            let year = Int(parts[3]), (1...9999).contains(year),
            day >= 1, day <= CivilTime.daysInMonth(month + 1, of: year)
        else { return nil }
        let clock = parts[4].split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        guard clock.count == 3, let hour = clock[0], let minute = clock[1], let second = clock[2],
            (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        return CivilTime(
            year: year, month: month + 1, day: day, hour: hour, minute: minute, second: second
        ).seconds * 1000
    }
}
