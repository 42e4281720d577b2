/// Where the commands of an entry lie (format: `EntryPayload`). All framing is checked before any command is
/// executed, so an entry is applied as a whole or not at all.
struct EntryLayout {
    struct Group {
        var origin: String
        var incarnation: UInt64
        var acknowledgedBelow: UInt64
        var commands: [(sequence: UInt64, range: Range<Int>)]

        func outcome(_ sequence: UInt64, _ outcome: Outcome) -> Event {
            .outcome(
                origin: origin, incarnation: incarnation, sequence: sequence, outcome)
        }
    }

    let time: Milliseconds
    let groups: [Group]

    init(_ bytes: [UInt8]) throws(CodecError) {
        var reader = ByteReader(bytes)
        let version = try reader.byte()
        guard version == EntryPayload.version else {
            throw CodecError("entry version \(version) is not known to this program")
        }
        time = try reader.int64()
        let count = try reader.count(minimumBytes: 28)
        var groups: [Group] = []
        groups.reserveCapacity(count)
        for _ in 0..<count { groups.append(try Self.group(&reader)) }
        guard reader.remaining == 0 else {
            throw CodecError("\(reader.remaining) bytes behind the last group")
        }
        self.groups = groups
    }

    private static func group(_ reader: inout ByteReader) throws(CodecError) -> Group {
        let origin = try reader.string()
        guard origin.utf8.count <= Limits.maxNameBytes else {
            throw CodecError("an origin of \(origin.utf8.count) bytes is too long")
        }
        let incarnation = try reader.uint64()
        let acknowledgedBelow = try reader.uint64()
        let count = Int(try reader.uint32())
        var body = ByteReader(reader.bytes, range: try reader.blobRange())
        guard count <= body.remaining / 12 else {
            throw CodecError("\(count) commands announced in \(body.remaining) bytes")
        }
        var commands: [(sequence: UInt64, range: Range<Int>)] = []
        commands.reserveCapacity(count)
        for _ in 0..<count {
            let sequence = try body.uint64()
            commands.append((sequence, try body.blobRange()))
        }
        guard body.remaining == 0 else {
            throw CodecError("\(body.remaining) bytes behind the last command of a group")
        }
        return Group(
            origin: origin, incarnation: incarnation, acknowledgedBelow: acknowledgedBelow,
            commands: commands)
    }
}
