/// What a configuration has decided. A joint configuration decides only what both of its halves decide
/// (Raft paper, section 6); learners have no say.
enum Quorum {
    enum Verdict: Equatable, Sendable {
        case pending, won, lost
    }

    static func majority(of count: Int) -> Int { count / 2 + 1 }

    /// The highest value that a majority has reached, 0 if there are no voters. `value` gives what each
    /// voter is known to have reached: a log index, a round, or a time.
    static func reached(_ configuration: Configuration, _ value: (NodeID) -> UInt64) -> UInt64 {
        let incoming = reached(by: configuration.voters, value)
        guard configuration.isJoint else { return incoming }
        return min(incoming, reached(by: configuration.outgoing, value))
    }

    /// How an election stands. `vote` is nil for a voter that has not answered yet.
    static func verdict(_ configuration: Configuration, _ vote: (NodeID) -> Bool?) -> Verdict {
        let incoming = verdict(of: configuration.voters, vote)
        guard configuration.isJoint else { return incoming }
        let outgoing = verdict(of: configuration.outgoing, vote)
        if incoming == .lost || outgoing == .lost { return .lost }
        return incoming == .won && outgoing == .won ? .won : .pending
    }

    /// How an election stands that needs every vote.
    static func unanimity(of voters: [NodeID], _ vote: (NodeID) -> Bool?) -> Verdict {
        var isPending = false
        for voter in voters {
            switch vote(voter) {
            case true?: break
            case false?: return .lost
            case nil: isPending = true
            }
        }
        return isPending ? .pending : .won
    }

    private static func reached(by voters: [NodeID], _ value: (NodeID) -> UInt64) -> UInt64 {
        guard !voters.isEmpty else { return 0 }
        var values = voters.map(value)
        values.sort()
        // In ascending order the majority stands at the end; its lowest member is what all of it reached.
        return values[voters.count - majority(of: voters.count)]
    }

    private static func verdict(of voters: [NodeID], _ vote: (NodeID) -> Bool?) -> Verdict {
        var granted = 0
        var refused = 0
        for voter in voters {
            switch vote(voter) {
            case true?: granted += 1
            case false?: refused += 1
            case nil: break
            }
        }
        let needed = majority(of: voters.count)
        if granted >= needed { return .won }
        // Also without voters: nobody could ever be elected.
        return voters.count - refused < needed ? .lost : .pending
    }
}
