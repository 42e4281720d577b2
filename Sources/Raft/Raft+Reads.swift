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

    mutating func forwardReads(into effects: inout [Effect]) {
        guard let leader, !reads.gathered.isEmpty else { return }
        let wireID = reads.forward(deadline: clock + settings.electionNanoseconds)
        send(.readRequest(wireID), to: leader, into: &effects)
    }

    /// The leader answered a request of ours.
    mutating func finishForwarded(
        _ wireID: ReadID, at index: Index?, into effects: inout [Effect]
    ) {
        for read in reads.finishForwarded(wireID) {
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
            for origin in round.origins {
                switch origin {
                case .local(let read): effects.append(.readReady(read, round.index))
                case .remote(let peer, let read):
                    send(.readReply(read, round.index), to: peer, into: &effects)
                }
            }
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
