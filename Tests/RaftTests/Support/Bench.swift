import Testing

@testable import Raft

/// One core alone; the test plays its peers and its disk.
struct Bench {
    var raft: Raft
    var now: Nanoseconds
    private var lastTicket: Ticket = 0

    init(
        _ id: NodeID = "n1", _ image: Recovered, settings: Settings = Settings(),
        now: Nanoseconds = 1_000_000_000
    ) {
        self.now = now
        raft = Raft(id: id, settings: settings, recovered: image, now: now, seed: 7)
    }

    /// Three voters, this one being n1.
    init(
        terms: [Term] = [], term: Term? = nil, vote: NodeID? = nil, settings: Settings = Settings()
    ) {
        self.init(
            image: Recovered(voters: ["n1", "n2", "n3"], terms: terms, term: term, vote: vote),
            settings: settings)
    }

    private init(image: Recovered, settings: Settings) {
        self.init("n1", image, settings: settings)
    }

    mutating func turn(_ inputs: Input...) -> [Effect] {
        turn(inputs)
    }

    mutating func turn(_ inputs: [Input]) -> [Effect] {
        var effects: [Effect] = []
        for input in inputs { raft.step(input, now: now, into: &effects) }
        raft.finishTurn(now: now, into: &effects)
        for case .persist(let batch) in effects { lastTicket = batch.ticket }
        return effects
    }

    mutating func receive(_ body: Message.Body, from: NodeID, term: Term) -> [Effect] {
        turn(.receive(Message(from: from, to: raft.id, term: term, body: body)))
    }

    /// Everything handed over is on disk.
    mutating func sync() -> [Effect] {
        turn(.durable(lastTicket))
    }

    mutating func tick(after duration: Nanoseconds) -> [Effect] {
        now += duration
        return turn(.tick)
    }

    /// Elected in the next term, with its first entry durable and committed.
    mutating func lead() throws {
        now = max(now, raft.nextDeadline)
        _ = turn(.tick)
        _ = receive(.preVoteReply(granted: true), from: "n2", term: raft.term + 1)
        _ = sync()
        _ = receive(.voteReply(granted: true), from: "n2", term: raft.term)
        try #require(raft.role == .leader)
        _ = sync()
    }

    /// The peer has everything, durably.
    mutating func acknowledge(from peer: NodeID) -> [Effect] {
        reply(.matched(raft.lastIndex), from: peer)
    }

    /// An answer to the newest round.
    mutating func reply(_ outcome: Message.AppendReply.Outcome, from peer: NodeID) -> [Effect] {
        let round = raft.leadership?.round ?? 0
        return receive(
            .appendReply(Message.AppendReply(round: round, outcome: outcome)), from: peer,
            term: raft.term)
    }
}

extension [Effect] {
    /// The messages, as text.
    var sent: [String] {
        compactMap { effect in
            guard case .send(let message) = effect else { return nil }
            return message.text
        }
    }

    var batches: [Batch] {
        compactMap { effect in
            guard case .persist(let batch) = effect else { return nil }
            return batch
        }
    }
}

/// Entries with these terms, from `index` on.
func entries(_ terms: [Term], from index: Index) -> [Entry] {
    terms.enumerated().map { offset, term in
        Entry(
            index: index + UInt64(offset), term: term,
            payload: .command(Array("t\(term)i\(index + UInt64(offset))".utf8)))
    }
}

func append(
    after index: Index, _ term: Term, _ terms: [Term] = [], commit: Index = 0, round: UInt64 = 1
) -> Message.Body {
    .append(
        Message.Append(
            previousIndex: index, previousTerm: term, commit: commit,
            entries: entries(terms, from: index + 1), round: round))
}
