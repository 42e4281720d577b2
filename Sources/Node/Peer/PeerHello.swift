/// The first frame in each direction: who speaks, and to whom it means to speak.
///
///     offset  size  field
///          0     1  lowest protocol version the sender speaks
///          1     1  highest
///          2     8  incarnation: counts the sender's starts
///         10     .  three texts, each a length byte and UTF-8: cluster, sender, receiver
///
/// The receiver's name is there because addresses can be mistaken or handed on: a node that answers at
/// another's old address must not get that node's votes.
struct PeerHello: Equatable, Sendable {
    static let lowestVersion: UInt8 = 1
    static let highestVersion: UInt8 = 1
    static let maxTextBytes = 255
    static let maxBytes = 10 + 3 * (1 + maxTextBytes)

    var lowestVersion = PeerHello.lowestVersion
    var highestVersion = PeerHello.highestVersion
    var incarnation: UInt64
    var cluster: String
    var sender: String
    var receiver: String

    init(incarnation: UInt64, cluster: String, sender: String, receiver: String) {
        for text in [cluster, sender, receiver] {
            precondition(text.utf8.count <= PeerHello.maxTextBytes, "names are limited")
        }
        self.incarnation = incarnation
        self.cluster = cluster
        self.sender = sender
        self.receiver = receiver
    }

    /// Nil if the bytes are no hello.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 10, bytes[0] <= bytes[1] else { return nil }
        let incarnation = PeerFrame.number(bytes.span, at: 2, bytes: 8)
        var offset = 10
        func text() -> String? {
            guard offset < bytes.count else { return nil }
            let end = offset + 1 + Int(bytes[offset])
            guard end <= bytes.count else { return nil }
            defer { offset = end }
            return String(validating: bytes[offset + 1..<end], as: UTF8.self)
        }
        guard let cluster = text(), let sender = text(), let receiver = text() else { return nil }
        // A later version may add fields behind these.
        guard offset == bytes.count || bytes[1] > PeerHello.highestVersion else { return nil }
        lowestVersion = bytes[0]
        highestVersion = bytes[1]
        self.incarnation = incarnation
        self.cluster = cluster
        self.sender = sender
        self.receiver = receiver
    }

    var bytes: [UInt8] {
        var bytes = [lowestVersion, highestVersion]
        PeerFrame.append(incarnation, bytes: 8, to: &bytes)
        for text in [cluster, sender, receiver] {
            bytes.append(UInt8(text.utf8.count))
            bytes.append(contentsOf: text.utf8)
        }
        return bytes
    }

    var sharesVersion: Bool {
        lowestVersion <= PeerHello.highestVersion && highestVersion >= PeerHello.lowestVersion
    }
}

/// Why a node does not talk to another. One byte of code, then the reason in words.
struct PeerRefusal: Error, Equatable, Sendable {
    enum Code: UInt8, Sendable {
        case version = 1
        case cluster = 2
        case unknownSender = 3
        case wrongReceiver = 4
        case olderIncarnation = 5
    }

    static let maxReasonBytes = 1024

    var code: Code
    var reason: String

    init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    /// Nil if the bytes are no refusal.
    init?(_ bytes: [UInt8]) {
        guard let first = bytes.first, let code = Code(rawValue: first),
            bytes.count <= 1 + PeerRefusal.maxReasonBytes,
            let reason = String(validating: bytes.dropFirst(), as: UTF8.self)
        else { return nil }
        self.code = code
        self.reason = reason
    }

    var bytes: [UInt8] { [code.rawValue] + reason.utf8.prefix(PeerRefusal.maxReasonBytes) }
}
