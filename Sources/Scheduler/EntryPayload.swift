/// What stands in a log entry of kind command: the leader's time and the commands of many requests.
///
/// ```
/// entry   version u8 = 1 · time i64 (ms) · group count u32 · groups
/// group   origin string · incarnation u64 · acknowledgedBelow u64 · count u32 · bodyBytes u32 · body
/// body    count × ( sequence u64 · commandBytes u32 · command )
/// ```
/// A group is also what a node forwards to the leader, which copies it into the entry unread. The leader's own
/// commands come in a group with an empty origin: they have no client to answer and are not remembered.
public struct EntryPayload: Equatable, Sendable {
    public static let version: UInt8 = 1

    public var time: Milliseconds
    public var groups: [CommandGroup]

    public init(time: Milliseconds, groups: [CommandGroup]) {
        self.time = time
        self.groups = groups
    }

    public func encoded() -> [UInt8] {
        var writer = ByteWriter(
            capacity: 13 + groups.reduce(0) { $0 + $1.encodedBytes })
        writer.put(Self.version)
        writer.put(time)
        writer.put(UInt32(groups.count))
        for group in groups { group.encode(into: &writer) }
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(CodecError) {
        var reader = ByteReader(bytes)
        let version = try reader.byte()
        guard version == Self.version else {
            throw CodecError("entry version \(version) is not known to this program")
        }
        time = try reader.int64()
        let count = try reader.count(minimumBytes: 28)
        groups = []
        groups.reserveCapacity(count)
        for _ in 0..<count { groups.append(try CommandGroup(from: &reader)) }
        guard reader.remaining == 0 else {
            throw CodecError("\(reader.remaining) bytes behind the last group")
        }
    }
}

/// Commands of one node, in the order of their sequence numbers.
///
/// A request's identity is (origin, incarnation, sequence). The state machine remembers outcomes of identities
/// at or above `acknowledgedBelow`; the origin promises never to send a lower one again.
public struct CommandGroup: Equatable, Sendable {
    /// Empty: the leader's own.
    public var origin: String
    public var incarnation: UInt64
    public var acknowledgedBelow: UInt64
    public private(set) var count: UInt32
    /// `count` commands, each with its sequence number and length.
    public private(set) var body: [UInt8]

    public init(origin: String, incarnation: UInt64, acknowledgedBelow: UInt64) {
        self.origin = origin
        self.incarnation = incarnation
        self.acknowledgedBelow = acknowledgedBelow
        count = 0
        body = []
    }

    public var isEmpty: Bool { count == 0 }

    /// What a command takes besides its own bytes: sequence number and length.
    public static let commandHeaderBytes = 12

    public var encodedBytes: Int { 28 + origin.utf8.count + body.count }

    /// `command` is `Command.encoded()`.
    public mutating func append(sequence: UInt64, command: [UInt8]) {
        body.append(littleEndian: sequence)
        body.append(littleEndian: UInt32(command.count))
        body.append(contentsOf: command)
        count += 1
    }

    /// Makes room for commands of so many bytes, headers included.
    public mutating func reserve(bytes: Int) {
        body.reserveCapacity(bytes)
    }

    public func encode(into writer: inout ByteWriter) {
        writer.put(origin)
        writer.put(incarnation)
        writer.put(acknowledgedBelow)
        writer.put(count)
        writer.put(body)
    }

    public init(from reader: inout ByteReader) throws(CodecError) {
        origin = try reader.string()
        incarnation = try reader.uint64()
        acknowledgedBelow = try reader.uint64()
        count = try reader.uint32()
        body = try reader.blob()
        guard Int(count) <= body.count / 12 else {
            throw CodecError("\(count) commands announced in \(body.count) bytes")
        }
    }
}
