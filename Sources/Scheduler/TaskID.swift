/// Names a task for ever. Numbers are given in the order of the log, so a higher one is newer.
public struct TaskID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let number: UInt64

    public init(_ number: UInt64) {
        self.number = number
    }

    /// Parses `description`; nil if the text is not a task's id.
    public init?(_ text: String) {
        guard text.utf8.first == UInt8(ascii: "t"), text.utf8.count <= 21,
            text.utf8.dropFirst().first != UInt8(ascii: "0"),
            text.utf8.dropFirst().allSatisfy({ $0 >= 48 && $0 <= 57 }),
            let number = UInt64(text.dropFirst()), number <= Self.maxNumber
        else { return nil }
        self.number = number
    }

    /// Far more than there can ever be, and so little that the numbers behind one can be reckoned with.
    static let maxNumber: UInt64 = 1 << 62 - 1

    public var description: String { "t\(number)" }

    public static func < (left: TaskID, right: TaskID) -> Bool { left.number < right.number }
}

/// Milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored.
public typealias Milliseconds = Int64
