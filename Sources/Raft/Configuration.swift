/// The members of the cluster at some point of the log. All lists are kept sorted.
///
/// While `outgoing` is not empty the configuration is joint: a decision needs a majority of `voters`
/// and a majority of `outgoing` (Raft paper, section 6). Without voters nothing is decided at all: so a node
/// starts that belongs to no cluster yet (`Input.found`).
public struct Configuration: Equatable, Sendable {
    /// Who decides: a majority of these, and of `outgoing` if there are any.
    public var voters: [NodeID]
    /// While the configuration is joint, the voters of the one before it; otherwise empty.
    public var outgoing: [NodeID]
    /// They are sent everything and decide nothing (dissertation, section 4.2.1).
    public var learners: [NodeID]

    /// From lists in any order; whoever is in one of them twice counts once.
    public init(voters: [NodeID], outgoing: [NodeID] = [], learners: [NodeID] = []) {
        self.voters = Self.sortedWithoutDuplicates(voters)
        self.outgoing = Self.sortedWithoutDuplicates(outgoing)
        self.learners = Self.sortedWithoutDuplicates(learners)
    }

    /// Nobody counts twice.
    private static func sortedWithoutDuplicates(_ ids: [NodeID]) -> [NodeID] {
        var last: NodeID?
        return ids.sorted().filter { id in
            defer { last = id }
            return id != last
        }
    }

    /// Between two sets of voters, each of which has to agree (section 6).
    public var isJoint: Bool { !outgoing.isEmpty }

    /// Belongs to a cluster: somebody may vote.
    public var isFounded: Bool { !voters.isEmpty }

    /// Everyone entries are replicated to, sorted, without duplicates.
    public var members: [NodeID] {
        // As it nearly always is, and then nothing needs to be sorted.
        if outgoing.isEmpty, learners.isEmpty { return voters }
        return Self.sortedWithoutDuplicates(voters + outgoing + learners)
    }

    /// One of `members`; without making that list, as this is asked in every turn.
    public func isMember(_ id: NodeID) -> Bool { isVoter(id) || learners.contains(id) }

    /// Has a say, in either half.
    public func isVoter(_ id: NodeID) -> Bool { voters.contains(id) || outgoing.contains(id) }

    var sizeBytes: Int { (voters.count + outgoing.count + learners.count) * 16 }
}
