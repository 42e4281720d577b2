/// An election this node stands in, or asks about.
struct Campaign: Sendable {
    let startedAt: Nanoseconds
    /// Own vote counts once this ticket is durable; nil in a pre-vote, which is written nowhere.
    let selfVoteTicket: Ticket?
    /// Not empty when a cluster is to be founded: these nodes, every one of whom has to agree.
    let founders: [NodeID]
    private var votes: [(voter: NodeID, granted: Bool)] = []

    init(startedAt: Nanoseconds, selfVoteTicket: Ticket?, founders: [NodeID] = []) {
        self.startedAt = startedAt
        self.selfVoteTicket = selfVoteTicket
        self.founders = founders
    }

    func vote(of voter: NodeID) -> Bool? { votes.first { $0.voter == voter }?.granted }

    /// The first answer stands: a repeated message must not change it.
    mutating func record(_ voter: NodeID, granted: Bool) {
        guard vote(of: voter) == nil else { return }
        votes.append((voter, granted))
    }
}
