/// The members as they shall be, and what the nodes say of themselves. Small: kept sorted by name, in byte order.
struct Roster: Equatable, Sendable {
    /// Which rules commands are applied by. Rises through the log alone, when every member can follow.
    var stateVersion: UInt32 = 1 {
        didSet { if stateVersion != oldValue { revision += 1 } }
    }
    /// Empty until the members the cluster was founded with are written down, once.
    private(set) var members: [Member] = []
    private(set) var nodes: [NodeRecord] = []
    /// Counts the changes, so that hosts see that there was one. Not replicated.
    private(set) var revision: UInt64 = 0

    init() {}

    /// `members` and `nodes` are sorted, without duplicates.
    init(stateVersion: UInt32, members: [Member], nodes: [NodeRecord]) {
        self.stateVersion = stateVersion
        self.members = members
        self.nodes = nodes
    }

    func member(_ name: String) -> Member? { members.first { $0.name == name } }

    func node(_ name: String) -> NodeRecord? { nodes.first { $0.name == name } }

    mutating func adopt(_ founders: [Member]) {
        members = founders
        nodes.removeAll { node in !founders.contains { $0.name == node.name } }
        revision += 1
    }

    /// In the place of a member of the same name, if there is one.
    mutating func put(_ member: Member) {
        let place = members.firstIndex { !isBefore($0.name, member.name) } ?? members.count
        if place < members.count, members[place].name == member.name {
            members[place] = member
        } else {
            members.insert(member, at: place)
        }
        revision += 1
    }

    mutating func remove(_ name: String) {
        members.removeAll { $0.name == name }
        nodes.removeAll { $0.name == name }
        revision += 1
    }

    mutating func put(_ node: NodeRecord) {
        let place = nodes.firstIndex { !isBefore($0.name, node.name) } ?? nodes.count
        if place < nodes.count, nodes[place].name == node.name {
            nodes[place] = node
        } else {
            nodes.insert(node, at: place)
        }
        revision += 1
    }

    static func == (left: Roster, right: Roster) -> Bool {
        left.stateVersion == right.stateVersion && left.members == right.members
            && left.nodes == right.nodes
    }
}

/// ```
/// roster    stateVersion u32 · members (count u32 · member…) · nodes (count u32 · node…)
/// ```
extension Roster {
    func encode(into writer: inout ByteWriter) {
        writer.put(stateVersion)
        writer.put(UInt32(members.count))
        for member in members { member.encode(into: &writer) }
        writer.put(UInt32(nodes.count))
        for node in nodes { node.encode(into: &writer) }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        let version = try reader.uint32()
        guard version > 0 else { throw CodecError("0 is no state version") }
        var nodes: [NodeRecord] = []
        let members = try [Member](sortedFrom: &reader)
        for _ in 0..<(try reader.count(minimumBytes: 25)) {
            let node = try NodeRecord(from: &reader)
            guard nodes.last.map({ isBefore($0.name, node.name) }) ?? true else {
                throw CodecError("nodes are not in order")
            }
            nodes.append(node)
        }
        self.init(stateVersion: version, members: members, nodes: nodes)
    }
}

extension [Member] {
    /// A count and members in strict order of their names.
    init(sortedFrom reader: inout ByteReader) throws(CodecError) {
        self = []
        let count = try reader.count(minimumBytes: 21)
        guard count <= Limits.maxMembers else { throw CodecError("\(count) members are too many") }
        for _ in 0..<count {
            let member = try Member(from: &reader)
            guard last.map({ isBefore($0.name, member.name) }) ?? true else {
                throw CodecError("members are not in order")
            }
            append(member)
        }
    }
}
