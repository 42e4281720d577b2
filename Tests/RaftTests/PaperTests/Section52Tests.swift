import Testing

@testable import Raft

@Suite("Raft paper, 5.2: leader election") struct Section52Tests {
    private let settings = Settings()
    private let request = Message.VoteRequest(lastIndex: 1, lastTerm: 1, isTransfer: false)

    private func candidate() throws -> Bench {
        var bench = Bench(terms: [1])
        _ = bench.tick(after: 2 * settings.electionNanoseconds)
        _ = bench.receive(.preVoteReply(granted: true), from: "n2", term: 2)
        try #require(bench.raft.role == .candidate)
        return bench
    }

    @Test func `nodes start as followers`() {
        #expect(Bench(terms: [1]).raft.role == .follower)
    }

    @Test func `a node stays a follower as long as it hears a leader`() {
        var bench = Bench(terms: [1])
        for round in 1...100 as ClosedRange<UInt64> {
            bench.now += settings.heartbeatNanoseconds
            _ = bench.receive(append(after: 1, 1, round: round), from: "n2", term: 1)
            _ = bench.turn(.tick)
            #expect(bench.raft.role == .follower)
        }
    }

    @Test func `leaders send heartbeats to all followers`() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        _ = bench.acknowledge(from: "n3")
        for _ in 0..<3 {
            #expect(
                bench.tick(after: settings.heartbeatNanoseconds).sent == [
                    "n1→n2 t2 append 2/2 [] commit 2", "n1→n3 t2 append 2/2 [] commit 2",
                ])
            _ = bench.acknowledge(from: "n2")
        }
    }

    @Test func `a follower that hears nobody begins an election`() {
        var bench = Bench(terms: [1])
        #expect(bench.tick(after: 2 * settings.electionNanoseconds).sent.count == 2)
        #expect(bench.raft.role == .preCandidate)
    }

    @Test func `a candidate raises its term, votes for itself and asks all others`() throws {
        var bench = try candidate()
        #expect(bench.raft.hardState == HardState(term: 2, vote: "n1"))
        #expect(bench.sync().sent == ["n1→n2 t2 vote? 1/1", "n1→n3 t2 vote? 1/1"])
    }

    @Test func `votes of a majority elect`() throws {
        var bench = try candidate()
        _ = bench.sync()
        #expect(bench.raft.role == .candidate)
        _ = bench.receive(.voteReply(granted: true), from: "n3", term: 2)
        #expect(bench.raft.role == .leader)
    }

    @Test func `votes of an earlier term do not count`() throws {
        var bench = try candidate()
        _ = bench.sync()
        _ = bench.receive(.voteReply(granted: true), from: "n3", term: 1)
        #expect(bench.raft.role == .candidate)
    }

    @Test func `one vote a term, first come first served`() {
        var bench = Bench(terms: [1])
        _ = bench.receive(.voteRequest(request), from: "n3", term: 2)
        _ = bench.receive(.voteRequest(request), from: "n2", term: 2)
        #expect(bench.sync().sent == ["n1→n3 t2 vote yes", "n1→n2 t2 vote no"])
    }

    @Test func `a candidate that hears a leader of its term follows it`() throws {
        var bench = try candidate()
        _ = bench.receive(append(after: 1, 1), from: "n2", term: 2)
        #expect(bench.raft.role == .follower && bench.raft.leader == "n2")
    }

    @Test func `a candidate that hears a leader of an earlier term stays one`() throws {
        var bench = try candidate()
        _ = bench.receive(append(after: 1, 1), from: "n2", term: 1)
        #expect(bench.raft.role == .candidate && bench.raft.term == 2)
    }

    @Test func `a candidate that wins nothing stands again in a new term`() throws {
        var bench = try candidate()
        _ = bench.tick(after: 2 * settings.electionNanoseconds)
        _ = bench.receive(.preVoteReply(granted: true), from: "n2", term: 3)
        #expect(bench.raft.role == .candidate && bench.raft.term == 3)
    }

    @Test func `election timeouts are drawn anew, from a fixed interval`() {
        var bench = Bench(terms: [1])
        var drawn: Set<Nanoseconds> = []
        for _ in 0..<20 {
            let timeout = bench.raft.electionDeadline - bench.now
            #expect(timeout >= settings.electionNanoseconds)
            #expect(timeout < 2 * settings.electionNanoseconds)
            drawn.insert(timeout)
            bench.now = bench.raft.electionDeadline
            _ = bench.turn(.tick)
        }
        #expect(drawn.count == 20)
    }

    /// The paper asks for random timeouts so that votes are rarely split.
    @Test func `split votes end`() {
        for seed in 1...20 as ClosedRange<UInt64> {
            let cluster = Cluster(voters: ["n1", "n2", "n3", "n4", "n5"], seed: seed)
            #expect(cluster.run(upTo: 3_000_000_000) { cluster.leader != nil })
            #expect(cluster.oracle.faults == [])
        }
    }
}
