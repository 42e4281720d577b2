import Raft

/// The first frame in each direction: who speaks, and to whom it means to speak.
///
///     offset  size  field
///          0     1  lowest protocol version the sender speaks
///          1     1  highest
///          2     8  incarnation: counts the sender's starts
///         10     8  number of the sender's data directory
///         18     4  version of the rules its state is kept by
///         22     4  highest such version its program can apply
///         26     .  five texts, each a length byte and UTF-8: cluster, sender, receiver, and the addresses
///                   at which the sender listens for nodes and for clients
///
/// The receiver's name is there because addresses can be mistaken or handed on: a node that answers at
/// another's old address must not get that node's votes.
struct PeerHello: Equatable, Sendable {
    static let lowestVersion: UInt8 = 1
    static let highestVersion: UInt8 = 1
    static let maxTextBytes = 255
    private static let fixedBytes = 26
    static let maxBytes = fixedBytes + 5 * (1 + maxTextBytes)

    var lowestVersion = PeerHello.lowestVersion
    var highestVersion = PeerHello.highestVersion
    var incarnation: UInt64
    var directory: UInt64
    var stateVersion: UInt32
    var highestStateVersion: UInt32
    var cluster: String
    var sender: String
    var receiver: String
    var peer: String
    var api: String

    /// What `PeerTransport` says of its own node; the receiver and the state's version are filled in for each call.
    init(
        cluster: String, sender: NodeID, incarnation: UInt64, highestStateVersion: UInt32,
        peer: String, api: String
    ) {
        for text in [cluster, sender.name, peer, api] {
            precondition(text.utf8.count <= PeerHello.maxTextBytes, "names are limited")
        }
        self.incarnation = incarnation
        directory = sender.directory
        stateVersion = 1
        self.highestStateVersion = highestStateVersion
        self.cluster = cluster
        self.sender = sender.name
        receiver = ""
        self.peer = peer
        self.api = api
    }

    /// Nil if the bytes are no hello.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= PeerHello.fixedBytes, bytes[0] <= bytes[1] else { return nil }
        var offset = PeerHello.fixedBytes
        func text() -> String? {
            guard offset < bytes.count else { return nil }
            let end = offset + 1 + Int(bytes[offset])
            guard end <= bytes.count else { return nil }
            defer { offset = end }
            return String(validating: bytes[offset + 1..<end], as: UTF8.self)
        }
        guard let cluster = text(), let sender = text(), let receiver = text(), let peer = text(),
            let api = text()
        else { return nil }
        // A later version may add fields behind these.
        guard offset == bytes.count || bytes[1] > PeerHello.highestVersion else { return nil }
        lowestVersion = bytes[0]
        highestVersion = bytes[1]
        incarnation = PeerFrame.number(bytes.span, at: 2, bytes: 8)
        directory = PeerFrame.number(bytes.span, at: 10, bytes: 8)
        stateVersion = UInt32(PeerFrame.number(bytes.span, at: 18, bytes: 4))
        highestStateVersion = UInt32(PeerFrame.number(bytes.span, at: 22, bytes: 4))
        self.cluster = cluster
        self.sender = sender
        self.receiver = receiver
        self.peer = peer
        self.api = api
    }

    var bytes: [UInt8] {
        var bytes = [lowestVersion, highestVersion]
        PeerFrame.append(incarnation, bytes: 8, to: &bytes)
        PeerFrame.append(directory, bytes: 8, to: &bytes)
        PeerFrame.append(UInt64(stateVersion), bytes: 4, to: &bytes)
        PeerFrame.append(UInt64(highestStateVersion), bytes: 4, to: &bytes)
        for text in [cluster, sender, receiver, peer, api] {
            bytes.append(UInt8(text.utf8.count))
            bytes.append(contentsOf: text.utf8)
        }
        return bytes
    }

    var id: NodeID { NodeID(sender, directory: directory) }

    var sharesVersion: Bool {
        lowestVersion <= PeerHello.highestVersion && highestVersion >= PeerHello.lowestVersion
    }
}
