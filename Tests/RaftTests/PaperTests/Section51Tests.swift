import Testing

@testable import Raft

/// Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm (Extended Version)", 2014: each test
/// is one statement of the section in its name. Scenes that need more than one node's view stand in the transcripts.
@Suite("Raft paper, 5.1: terms") struct Section51Tests {
    private static let mark = SnapshotMark(
        index: 0, term: 0, configuration: Configuration(voters: ["n1", "n2", "n3"]))
    private static let vote = Message.VoteRequest(lastIndex: 0, lastTerm: 0, isTransfer: false)

    /// Everything that belongs to a term.
    static let bodies: [Message.Body] = [
        .voteRequest(vote), .voteReply(granted: false), append(after: 0, 0),
        .appendReply(Message.AppendReply(round: 0, outcome: .received)),
        .snapshotChunk(
            Message.SnapshotChunk(mark: mark, offset: 0, bytes: [1], totalBytes: 2, round: 1)),
        .snapshotReply(
            Message.SnapshotReply(index: 0, nextOffset: 0, isInstalled: false, round: 0)),
        .timeoutNow, .readRequest(1), .readReply(1, 0),
    ]

    @Test(arguments: bodies)
    func `a node that hears a larger term takes it over`(body: Message.Body) {
        var bench = Bench(terms: [1])
        _ = bench.receive(body, from: "n2", term: 7)
        #expect(bench.raft.hardState.term == 7)
    }

    @Test(arguments: bodies)
    func `a candidate whose term is out of date becomes a follower`(body: Message.Body) throws {
        var bench = Bench(terms: [1])
        _ = bench.tick(after: 2 * bench.raft.settings.electionNanoseconds)
        _ = bench.receive(.preVoteReply(granted: true), from: "n2", term: 2)
        try #require(bench.raft.role == .candidate)
        _ = bench.receive(body, from: "n2", term: 7)
        #expect(bench.raft.role == .follower && bench.raft.term == 7)
    }

    /// But for a request that stickiness makes it ignore: nobody deposes a leader that works.
    @Test(arguments: bodies)
    func `a leader whose term is out of date becomes a follower`(body: Message.Body) throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.receive(body, from: "n2", term: 7)
        if case .voteRequest = body {
            #expect(bench.raft.role == .leader)
        } else {
            #expect(bench.raft.role == .follower && bench.raft.term == 7)
        }
    }

    @Test(arguments: bodies)
    func `what comes with a smaller term changes nothing`(body: Message.Body) {
        var bench = Bench(terms: [1, 1], term: 5, vote: "n3")
        let effects = bench.receive(body, from: "n2", term: 4)
        #expect(bench.raft.hardState == HardState(term: 5, vote: "n3"))
        #expect(bench.raft.leader == nil && bench.raft.logText == "1 1")
        #expect(effects.batches.isEmpty)
    }

    @Test func `the sender of a stale request learns the term`() {
        var bench = Bench(terms: [1], term: 5)
        for body in [Self.bodies[0], Self.bodies[2], Self.bodies[4], .readRequest(3)] {
            let sent = bench.receive(body, from: "n2", term: 4).sent
            #expect(sent.count == 1 && sent.allSatisfy { $0.hasPrefix("n1→n2 t5 ") })
        }
    }

    @Test func `a term begins with an election`() throws {
        var bench = Bench(terms: [3])
        try bench.lead()
        #expect(bench.raft.term == 4)
    }

    @Test func `in a term without a winner another begins`() {
        var bench = Bench(terms: [3])
        for term in [4, 5] as [Term] {
            _ = bench.tick(after: 2 * bench.raft.settings.electionNanoseconds)
            _ = bench.receive(.preVoteReply(granted: true), from: "n2", term: term)
            #expect(bench.raft.role == .candidate && bench.raft.term == term)
        }
    }

    @Test func `nodes keep the term over a restart`() {
        let bench = Bench(terms: [1], term: 9)
        #expect(bench.raft.term == 9 && bench.raft.role == .follower)
    }
}
