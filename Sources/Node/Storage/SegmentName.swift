/// File names in the log's directory.
enum SegmentName {
    private static let segmentPrefix = "segment-"
    private static let sparePrefix = "spare-"

    /// Sixteen hex digits, so that names sort like numbers.
    static func text(_ number: UInt64) -> String { segmentPrefix + digits(number) }

    static func spare(_ number: UInt64) -> String { sparePrefix + digits(number) }

    static func isSegment(_ name: String) -> Bool { name.hasPrefix(segmentPrefix) }

    /// nil: not a spare's name.
    static func spareNumber(_ name: String) -> UInt64? {
        guard name.hasPrefix(sparePrefix) else { return nil }
        return UInt64(name.dropFirst(sparePrefix.count), radix: 16)
    }

    private static func digits(_ number: UInt64) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}
