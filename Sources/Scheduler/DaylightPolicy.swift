/// What a schedule does when the clocks change; nil leaves it to the kind of the expression.
public struct DaylightPolicy: Equatable, Sendable {
    public enum Gap: String, CaseIterable, Sendable {
        /// Occurrences in a skipped hour happen once, at the first instant after it.
        case shift
        case skip
    }

    public enum Overlap: String, CaseIterable, Sendable {
        case first, last, both
    }

    public var gap: Gap?
    public var overlap: Overlap?

    public static let automatic = DaylightPolicy()

    /// Both are left to the expression unless they are given.
    public init(gap: Gap? = nil, overlap: Overlap? = nil) {
        self.gap = gap
        self.overlap = overlap
    }
}
