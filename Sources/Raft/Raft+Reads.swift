/// Linearizable reads without writing to the log (dissertation, section 6.4).
extension Raft {
    mutating func beginRead(_ origin: Reads.Origin, into effects: inout [Effect]) {
        guard leader != nil, reads.hasRoom else {
            fail(origin, into: &effects)
            return
        }
        if case .remote = origin, role != .leader {
            fail(origin, into: &effects)
            return
        }
        // The leader begins a round for it at the end of the turn, or once its term has a committed
        // entry; a follower sends one request for all reads of the turn.
        reads.gather(origin)
    }

    /// Nobody else can have been elected yet, by the clocks: the members of some majority have heard this leader
    /// since `contact`, and none of them helps to elect another for an election timeout on its own clock, not even
    /// after a restart. The worst clocks are taken: theirs the fastest, this one the slowest. Once an entry of this
    /// term is committed, the contact of that majority is of this term, too.
    var hasLease: Bool {
        guard settings.leaseReads, let leading = leadership, !leading.hasInvitedSuccessor,
            commitIndex >= leading.termStartIndex
        else { return false }
        let drift = settings.maxClockDriftPPM
        let contact = provenByQuorum(leading, now: clock)
        let length = settings.electionNanoseconds * (1_000_000 - drift) / (1_000_000 + drift)
        return clock < contact + length
    }

    mutating func answerGatheredReads(into effects: inout [Effect]) {
        for origin in reads.takeGathered() { answer(origin, at: commitIndex, into: &effects) }
    }

    private mutating func answer(
        _ origin: Reads.Origin, at index: Index, into effects: inout [Effect]
    ) {
        switch origin {
        case .local(let read): effects.append(.readReady(read, index))
        case .remote(let peer, let read):
            send(.readReply(read, index), to: peer, into: &effects)
        }
    }

    mutating func forwardReads(into effects: inout [Effect]) {
        guard let leader, !reads.gathered.isEmpty else { return }
        let wireID = reads.forward(now: clock)
        send(.readRequest(wireID), to: leader, into: &effects)
    }

    /// The leader answered a request of ours.
    mutating func finishForwarded(
        _ wireID: ReadID, at index: Index?, into effects: inout [Effect]
    ) {
        for read in reads.finishForwarded(wireID, now: clock) {
            if let index {
                effects.append(.readReady(read, index))
            } else {
                effects.append(.readFailed(read))
            }
        }
    }

    /// A majority that answered a round sent after the reads came had elected nobody else until then, so
    /// nothing committed before the reads came lies behind the index noted for them.
    mutating func finishReads(into effects: inout [Effect]) {
        guard let leading = leadership, !reads.rounds.isEmpty else { return }
        let answered = Quorum.reached(configuration) { voter in
            if voter == id { return leading.round }
            guard let position = leading.position(of: voter) else { return 0 }
            return leading.peers[position].ackedRound
        }
        for round in reads.finishRounds(through: answered) {
            for origin in round.origins { answer(origin, at: round.index, into: &effects) }
        }
    }

    /// The leader, or the knowledge of it, is lost: every waiting read ends now.
    mutating func failReads(into effects: inout [Effect]) {
        guard reads.waiting > 0 else { return }
        for origin in reads.takeAll() { fail(origin, into: &effects) }
    }

    private mutating func fail(_ origin: Reads.Origin, into effects: inout [Effect]) {
        switch origin {
        case .local(let read): effects.append(.readFailed(read))
        case .remote(let peer, let read): send(.readReply(read, nil), to: peer, into: &effects)
        }
    }
}
