/// Who a member is: a stable name such as "n1", and the number of the directory its state lives in.
///
/// Both make the identity. A node whose disk was lost starts with an empty directory under another number, and
/// so is somebody else: its votes and acknowledgements count for nobody until the members have taken it in
/// anew. What it promised under the lost directory can't be broken by it, because it is never taken for that one
/// (dissertation, section 11.7.2: a server that lost its disk must not come back under its old identity).
///
/// It is not an address; those may change.
public struct NodeID: Hashable, Comparable, Sendable, ExpressibleByStringLiteral,
    CustomStringConvertible
{
    /// What users see and write; one node at a time has it.
    public let name: String
    /// Drawn at random when the directory is made; 0 where directories are never lost, as in tests.
    public let directory: UInt64

    /// - Parameter directory: not 0 for a node that keeps anything on a disk.
    public init(_ name: String, directory: UInt64 = 0) {
        self.name = name
        self.directory = directory
    }

    /// A name alone, as tests write it.
    public init(stringLiteral value: String) {
        self.init(value)
    }

    /// "n1", or "n1#1f" with a directory.
    public var description: String {
        directory == 0 ? name : "\(name)#\(String(directory, radix: 16))"
    }

    /// By name, then by directory: the order of all lists of members.
    public static func < (left: NodeID, right: NodeID) -> Bool {
        (left.name, left.directory) < (right.name, right.directory)
    }
}
