/// Why a node does not talk to another. One byte of code, then the reason in words.
struct PeerRefusal: Error, Equatable, Sendable {
    enum Code: UInt8, Sendable {
        case version = 1
        case cluster = 2
        case unknownSender = 3
        case wrongReceiver = 4
        case olderIncarnation = 5
        case stateVersion = 6
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

extension PeerHello {
    /// Nil if `own` talks to this sender, as far as the two hellos tell. `expecting`: whom it called.
    func refusal(by own: PeerHello, expecting peer: String?) -> PeerRefusal? {
        guard sharesVersion else {
            return PeerRefusal(
                .version,
                "\(sender) speaks protocol versions \(lowestVersion) to \(highestVersion), "
                    + "\(own.sender) speaks \(PeerHello.lowestVersion) to \(PeerHello.highestVersion)"
            )
        }
        guard cluster == own.cluster else {
            return PeerRefusal(
                .cluster,
                "\(sender) belongs to cluster '\(cluster)', \(own.sender) to '\(own.cluster)'")
        }
        guard receiver == own.sender else {
            return PeerRefusal(
                .wrongReceiver, "\(sender) means '\(receiver)', but this is '\(own.sender)'")
        }
        if let peer, sender != peer {
            return PeerRefusal(
                .wrongReceiver, "'\(sender)' answers at the address of '\(peer)'")
        }
        return own.stateRefusal(of: self) ?? stateRefusal(of: own)
    }

    /// `other` could not apply what this node's state is kept by.
    private func stateRefusal(of other: PeerHello) -> PeerRefusal? {
        guard stateVersion > other.highestStateVersion else { return nil }
        return PeerRefusal(
            .stateVersion,
            "the cluster's state, as \(sender) has it, is at version \(stateVersion), and the program of "
                + "\(other.sender) knows only versions up to \(other.highestStateVersion): update "
                + "\(other.sender)")
    }
}
