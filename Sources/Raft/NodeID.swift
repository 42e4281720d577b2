/// A member's stable name, such as "n1". It is an identity, not an address, and is never reused.
public struct NodeID: Hashable, Comparable, Sendable, ExpressibleByStringLiteral,
    CustomStringConvertible
{
    public let name: String

    public init(_ name: String) {
        self.name = name
    }

    public init(stringLiteral value: String) {
        self.name = value
    }

    public var description: String { name }

    public static func < (left: NodeID, right: NodeID) -> Bool { left.name < right.name }
}
