import Glibc

/// The value of the `Date` field, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7), formatted once a
/// second at most.
struct HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private var second = Int.min
    private var formatted: [UInt8] = []

    /// The date now, by the wall clock.
    mutating func current() -> [UInt8] {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &time)
        if time.tv_sec != second {
            second = time.tv_sec
            formatted = Array(HTTPDate.text(secondsSinceEpoch: second).utf8)
        }
        return formatted
    }

    static func text(secondsSinceEpoch seconds: Int) -> String {
        let day = seconds / 86_400
        let time = seconds % 86_400
        var date = tm()
        var value = time_t(seconds)
        gmtime_r(&value, &date)
        let month = months[Int(date.tm_mon)]
        let year = Int(date.tm_year) + 1900
        return "\(days[day % 7]), \(pad(Int(date.tm_mday))) \(month) \(year) "
            + "\(pad(time / 3600)):\(pad(time / 60 % 60)):\(pad(time % 60)) GMT"
    }

    private static func pad(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
