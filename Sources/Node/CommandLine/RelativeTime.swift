/// Instants as people say them: "3s ago", "in 5m".
enum RelativeTime {
    static func text(_ milliseconds: Int64, now: Int64) -> String {
        let distance = milliseconds - now
        if distance.magnitude < 1000 { return "now" }
        let span = short(Int64(clamping: distance.magnitude))
        return distance < 0 ? "\(span) ago" : "in \(span)"
    }

    /// Rounded down, in one or two units: "250ms", "3s", "4m", "2h5m", "3d4h".
    static func short(_ milliseconds: Int64) -> String {
        let seconds = milliseconds / 1000
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400)
        if seconds == 0 { return "\(milliseconds)ms" }
        if seconds < 120 { return "\(seconds)s" }
        if minutes < 60 { return "\(minutes)m" }
        if hours < 24 { return "\(hours)h" + rest(minutes % 60, "m") }
        return "\(days)d" + rest(hours % 24, "h")
    }

    private static func rest(_ count: Int64, _ unit: String) -> String {
        count == 0 ? "" : "\(count)\(unit)"
    }
}
