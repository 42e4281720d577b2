import Raft
import Scheduler

/// Where nodes are reached. Addresses are no identity and may change, so several sources speak of them; the
/// freshest counts:
///
/// 1. what a node said of itself in the last hello of its latest start: it is there now;
/// 2. the configuration file of this node;
/// 3. what is replicated: announcements, and addresses given when a member was added;
/// 4. what this node remembers from its last run. A cluster all of whose addresses changed forms again by the
///    file alone; members that are in no file find it, as they call nodes that are.
struct AddressBook: Equatable {
    struct Address: Equatable {
        var peer: String
        var api: String
    }

    private let own: String
    /// In the order of the file.
    private let configured: [(name: String, address: Address)]
    private var remembered: [String: Address]
    private var replicated: [String: Address] = [:]
    private var heard: [String: (node: NodeID, incarnation: UInt64, address: Address)] = [:]
    /// To be called on an operator's word, until it is known what became of it.
    private var invited: [String: Address] = [:]

    init(
        own: String, configured: [(name: String, address: Address)],
        remembered: [String: Address] = [:]
    ) {
        self.own = own
        self.configured = configured
        self.remembered = remembered
    }

    subscript(_ name: String) -> Address? {
        heard[name]?.address ?? invited[name] ?? configured.first { $0.name == name }?.address
            ?? replicated[name] ?? remembered[name]
    }

    /// Whom to call: members, those that shall be, nodes of the file, and who was invited; before the members are
    /// known, also those of the last run. Sorted, without this node.
    func peers() -> [(name: String, address: Address)] {
        var names = Set(configured.map(\.name)).union(invited.keys).union(replicated.keys)
        if replicated.isEmpty { names.formUnion(remembered.keys) }
        names.remove(own)
        return names.sorted().compactMap { name in self[name].map { (name, $0) } }
    }

    /// What the log says: of members alone, by Raft's configuration or the wish for another.
    mutating func replace(replicated members: [String: Address]) {
        replicated = members
        let wanted = Set(configured.map(\.name)).union(members.keys)
        // What a guest said is its own business until it is a member.
        heard = heard.filter { wanted.contains($0.key) }
        if !members.isEmpty { remembered = remembered.filter { members.keys.contains($0.key) } }
    }

    /// True if something changed.
    mutating func hear(_ hello: PeerHello) -> Bool {
        guard hello.sender != own, self[hello.sender] != nil else { return false }
        // Starts with different directories can't be compared: then what is said last counts.
        if let known = heard[hello.sender], known.node == hello.id,
            known.incarnation > hello.incarnation
        {
            return false
        }
        let before = self[hello.sender]
        heard[hello.sender] = (
            hello.id, hello.incarnation, Address(peer: hello.peer, api: hello.api)
        )
        return self[hello.sender] != before
    }

    mutating func invite(_ name: String, at address: Address) { invited[name] = address }

    mutating func disinvite(_ name: String) { invited[name] = nil }

    static func == (left: AddressBook, right: AddressBook) -> Bool {
        left.peers().elementsEqual(right.peers(), by: ==)
    }
}

/// The file `peers` in the data directory: a line `name peer-address api-address` for each member but this node. A
/// hint and no more: it is written without waiting for the disk, and what can't be read is left out.
extension AddressBook {
    static let fileName = "peers"
    static let maxFileBytes = 64 << 10

    func encoded() -> [UInt8] {
        var text = ""
        for (name, address) in peers() { text += "\(name) \(address.peer) \(address.api)\n" }
        return Array(text.utf8)
    }

    static func remembered(_ bytes: [UInt8]) -> [String: Address] {
        var found: [String: Address] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: false).map(
                String.init)
            guard words.count == 3, NameRule.isID(words[0]), (try? Endpoint(words[1])) != nil else {
                continue
            }
            found[words[0]] = Address(peer: words[1], api: words[2])
        }
        return found
    }
}
