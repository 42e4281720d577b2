/// The members of the cluster at some point of the log. All lists are kept sorted.
///
/// While `outgoing` is not empty the configuration is joint: a decision needs a majority of `voters`
/// and a majority of `outgoing` (Raft paper, section 6). Without voters nothing is decided at all: so a node
/// starts that belongs to no cluster yet (`Input.found`).
public struct Configuration: Equatable, Sendable {
    public var voters: [NodeID]
    public var outgoing: [NodeID]
    public var learners: [NodeID]

    public init(voters: [NodeID], outgoing: [NodeID] = [], learners: [NodeID] = []) {
        self.voters = voters.sorted()
        self.outgoing = outgoing.sorted()
        self.learners = learners.sorted()
    }

    public var isJoint: Bool { !outgoing.isEmpty }

    /// Belongs to a cluster: somebody may vote.
    public var isFounded: Bool { !voters.isEmpty }

    /// Everyone entries are replicated to, sorted, without duplicates.
    public var members: [NodeID] {
        var all = (voters + outgoing + learners).sorted()
        var last: NodeID?
        all.removeAll { member in
            defer { last = member }
            return member == last
        }
        return all
    }

    public func isVoter(_ id: NodeID) -> Bool { voters.contains(id) || outgoing.contains(id) }

    var sizeBytes: Int { (voters.count + outgoing.count + learners.count) * 16 }
}
