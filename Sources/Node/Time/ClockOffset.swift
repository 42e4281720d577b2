/// What this process's wall clock is put off by: `CARILLON_CLOCK_OFFSET`, a duration with its sign, such as
/// `+90s` or `-5m`. For tests of clusters whose clocks disagree: a machine has only one clock.
struct ClockOffset: Equatable, Sendable {
    static let variable = "CARILLON_CLOCK_OFFSET"
    /// Beyond, nothing could be learned any more, and times before 1970 would come near.
    static let maxMilliseconds: Int64 = 365 * 86_400_000

    /// Of this process. A text that means nothing counts as none here: the configuration has refused it by then.
    static let current = Environment.value(variable).flatMap { ClockOffset($0) } ?? ClockOffset()

    let milliseconds: Int64

    private init() {
        milliseconds = 0
    }

    /// Nil if the text is no such offset.
    init?(_ text: String) {
        guard let sign = text.first, sign == "+" || sign == "-",
            let size = try? DurationText.parse(String(text.dropFirst())),
            size <= Self.maxMilliseconds
        else { return nil }
        milliseconds = sign == "+" ? size : -size
    }
}
