import Raft

/// How a node stands to the cluster, as far as it knows.
public enum Standing: Equatable, Sendable {
    /// A voter or a learner.
    case member
    /// There is no cluster yet. `missing`: founders that were not met so far; if there are none, they are agreeing.
    case founding(missing: [String])
    /// There is one, and this node never was among its members. `isNameTaken`: somebody of its name is, with another
    /// data directory.
    case stranger(isNameTaken: Bool)
    /// It is sent the log, or is known as a member, and has not read so far as to find itself in it. So it is with
    /// every newcomer: the older entries are those of a cluster that it did not belong to.
    case catchingUp
    /// It has a cluster's data, is not among the members by its own log, and nobody sends it more.
    case removed
    /// A member by its own log; whoever it can reach says that it is none, and nobody leads. That may be old news: from
    /// one that lags behind and has not heard yet that this node was taken in.
    case disowned
    /// Has met nobody who could tell.
    case alone
}

/// What a node hears and remembers while it is not led by anybody.
struct Acquaintances: Sendable {
    /// Whoever may connect can make up names.
    static let maxNames = 64

    /// The node that last connected under each name.
    private(set) var connected: [String: NodeID] = [:]
    private var replies: [NodeID: PeerMessage.KnockReply] = [:]

    /// With too many names, all but `kept` are forgotten.
    mutating func connected(_ peer: NodeID, keeping kept: (String) -> Bool) {
        if connected.count >= Self.maxNames, connected[peer.name] == nil {
            connected = connected.filter { kept($0.key) }
            replies = replies.filter { kept($0.key.name) }
        }
        if let older = connected.updateValue(peer, forKey: peer.name), older != peer {
            replies[older] = nil
        }
    }

    mutating func gone(_ peer: NodeID) {
        if connected[peer.name] == peer { connected[peer.name] = nil }
        replies[peer] = nil
    }

    mutating func heard(_ reply: PeerMessage.KnockReply, from peer: NodeID) {
        // Bounded by the connections there are.
        guard connected[peer.name] == peer else { return }
        replies[peer] = reply
    }

    mutating func forgetReplies() { replies.removeAll() }

    /// What those say that belong to a cluster: the directory under which the name of `own` is a member there. Where
    /// they disagree, because one lags behind, the one that knows `own` itself counts.
    func verdict(on own: NodeID) -> (isFounded: Bool, directory: UInt64?) {
        let founded = replies.values.filter(\.isFounded)
        let told = founded.compactMap(\.directory)
        return (
            !founded.isEmpty, told.contains(own.directory) ? own.directory : told.min()
        )
    }

    func isKnownFresh(_ peer: NodeID) -> Bool { replies[peer]?.isFounded == false }
}
