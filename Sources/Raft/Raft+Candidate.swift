/// Elections, from both sides: standing in them and voting in them.
extension Raft {
    enum CampaignKind { case preVote, vote, transfer }

    mutating func startCampaign(_ kind: CampaignKind, into effects: inout [Effect]) {
        failReads(into: &effects)
        leader = nil
        drawElectionDeadline()
        // A learner only notices that the leader is gone. A node with a stalled or damaged disk could not lead.
        guard mayStand, !isDiskStalled, !isDamaged else {
            role = .follower
            campaign = nil
            return
        }
        // What is held is for a leader or a candidate that has been silent for too long.
        durability.dropHeld()
        pendingReply = nil
        var ownTicket: Ticket?
        if kind == .preVote {
            role = .preCandidate
        } else {
            role = .candidate
            setHardState(HardState(term: term + 1, vote: id))
            ownTicket = durability.hardStateTicket
        }
        campaign = Campaign(startedAt: clock, selfVoteTicket: ownTicket)
        let voters = configuration.members.filter(configuration.isVoter)
        requestVotes(kind, of: voters, into: &effects)
        if kind == .preVote { countPreVote(true, of: id, term: term + 1, into: &effects) }
    }

    /// A voter, or one until a configuration without it is known to be committed: those who stay may lack that
    /// configuration, and may not vote for each other because those who leave have it (dissertation, section 4.2.2).
    private var mayStand: Bool {
        log.configurations(from: commitIndex).contains { $0.isVoter(id) }
    }

    /// The requests advertise the log, so they wait until all of it is durable, with term and own vote.
    mutating func requestVotes(
        _ kind: CampaignKind, of voters: [NodeID], into effects: inout [Effect]
    ) {
        // A founder advertises nothing, whatever it has: only nodes with an empty log may agree (`found`).
        let isFounding = campaign?.founders.isEmpty == false
        let request = Message.VoteRequest(
            lastIndex: isFounding ? 0 : log.lastIndex, lastTerm: isFounding ? 0 : log.lastTerm,
            isTransfer: kind == .transfer)
        let ticket = durability.ticketForEverything(lastIndex: log.lastIndex)
        for voter in voters where voter != id {
            if kind == .preVote {
                send(
                    .preVoteRequest(request), to: voter, term: term + 1, behind: ticket,
                    into: &effects)
            } else {
                send(.voteRequest(request), to: voter, behind: ticket, into: &effects)
            }
        }
    }

    mutating func countPreVote(
        _ granted: Bool, of voter: NodeID, term messageTerm: Term, into effects: inout [Effect]
    ) {
        if !granted, messageTerm > term {
            becomeFollower(term: messageTerm, into: &effects)
            return
        }
        guard role == .preCandidate, !granted || messageTerm == term + 1 else { return }
        campaign?.record(voter, granted: granted)
        switch verdict {
        case .pending: break
        case .won: startCampaign(.vote, into: &effects)
        case .lost: becomeFollower(term: term, into: &effects)
        }
    }

    mutating func countVote(_ granted: Bool, of voter: NodeID, into effects: inout [Effect]) {
        guard role == .candidate else { return }
        campaign?.record(voter, granted: granted)
        switch verdict {
        case .pending: break
        case .won: becomeLeader()
        case .lost: becomeFollower(term: term, into: &effects)
        }
    }

    private var verdict: Quorum.Verdict {
        guard let campaign else { return .pending }
        guard campaign.founders.isEmpty else {
            return Quorum.unanimity(of: campaign.founders) { campaign.vote(of: $0) }
        }
        return Quorum.verdict(configuration) { campaign.vote(of: $0) }
    }

    /// Changes nothing here, not even the term. Whether the asking node is a member is its own
    /// configuration's business: this node's may be older.
    mutating func answerPreVote(
        _ request: Message.VoteRequest, of candidate: NodeID, term messageTerm: Term,
        into effects: inout [Effect]
    ) {
        let couldVote =
            messageTerm > term
            || messageTerm == term && (vote == candidate || vote == nil && leader == nil)
        let granted = couldVote && !isSticky && isUpToDate(request)
        send(
            .preVoteReply(granted: granted), to: candidate, term: granted ? messageTerm : term,
            into: &effects)
    }

    /// The request is of the current term. Learners vote, too: they may have become voters without
    /// having heard of it yet.
    mutating func answerVote(
        _ request: Message.VoteRequest, of candidate: NodeID, into effects: inout [Effect]
    ) {
        // A term that was raised by something else than this request must not get round a lease either.
        let isBound = settings.leaseReads && isSticky && !request.isTransfer
        let canVote = vote == candidate || vote == nil && leader == nil && !isBound
        let granted = canVote && isUpToDate(request)
        if granted {
            if vote == nil { setHardState(HardState(term: term, vote: candidate)) }
            // Give the candidate the time to lead before standing against it.
            if role == .preCandidate { becomeFollower(term: term, into: &effects) }
            electionDeadline = clock + electionTimeout
        }
        // Held behind the ticket of the newest term and vote: a vote that a crash could undo might be
        // given twice.
        send(.voteReply(granted: granted), to: candidate, into: &effects)
    }

    /// Section 5.4.1. Compared with the log in memory, which is never behind what this node acknowledged.
    private func isUpToDate(_ request: Message.VoteRequest) -> Bool {
        request.lastTerm > log.lastTerm
            || request.lastTerm == log.lastTerm && request.lastIndex >= log.lastIndex
    }
}
