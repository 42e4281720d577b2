import Testing

@testable import Raft

/// Reads by the leader alone, as long as the clocks say that nobody else can lead.
@Suite struct LeaseTests {
    private static var settings: Settings {
        var settings = Settings()
        settings.leaseReads = true
        settings.maxClockDriftPPM = 100_000
        return settings
    }

    private func leading() throws -> Bench {
        var bench = Bench(terms: [1], settings: Self.settings)
        try bench.lead()
        return bench
    }

    private func isAnswered(_ effects: [Effect]) -> Bool {
        effects.contains { if case .readReady = $0 { true } else { false } }
    }

    @Test func theLeaderAnswersWithoutARound() throws {
        var bench = try leading()
        #expect(!isAnswered(bench.turn(.read(1))), "nothing of this term is committed")
        _ = bench.acknowledge(from: "n2")
        let effects = bench.turn(.read(2))
        #expect(isAnswered(effects) && effects.sent.isEmpty)
    }

    @Test func offByDefault() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        #expect(!isAnswered(bench.turn(.read(1))))
    }

    /// 300 ms by the slowest clock against the fastest: 300 × 0.9 / 1.1 ms.
    @Test func itEndsEarlierThanAnElectionTimeout() throws {
        var bench = try leading()
        _ = bench.acknowledge(from: "n2")
        bench.now += 245_000_000
        #expect(isAnswered(bench.turn(.read(1))))
        bench.now += 1_000_000
        #expect(!isAnswered(bench.turn(.read(2))))
    }

    /// The message may be late: the successor may stand long after the transfer was given up.
    @Test func noLeaseOnceASuccessorWasInvited() throws {
        var bench = try leading()
        _ = bench.acknowledge(from: "n2")
        _ = bench.turn(.transferLeadership(to: "n2"))
        for _ in 0..<8 {
            _ = bench.tick(after: Self.settings.heartbeatNanoseconds)
            _ = bench.acknowledge(from: "n2")
            _ = bench.acknowledge(from: "n3")
        }
        #expect(bench.raft.role == .leader && bench.raft.acceptsProposals)
        #expect(!isAnswered(bench.turn(.read(1))))
        #expect(isAnswered(bench.reply(.received, from: "n2")))
    }

    private func asks(_ bench: inout Bench) -> [String] {
        let request = Message.VoteRequest(lastIndex: 9, lastTerm: 9, isTransfer: false)
        _ = bench.receive(.voteRequest(request), from: "n3", term: 9)
        return bench.sync().sent
    }

    /// It may have promised to stand by a leader just before it crashed.
    @Test func aRestartedVoterHoldsItsVoteBack() {
        var bench = Bench(terms: [1], settings: Self.settings)
        #expect(asks(&bench) == [])
        bench.now += Self.settings.electionNanoseconds
        #expect(asks(&bench) == ["n1→n3 t9 vote yes"])
    }

    @Test func aLostConnectionShortensNothing() {
        var bench = Bench(terms: [1], settings: Self.settings)
        _ = bench.receive(append(after: 1, 1), from: "n2", term: 1)
        let deadline = bench.raft.nextDeadline
        _ = bench.turn(.peerLost("n2"))
        #expect(bench.raft.nextDeadline == deadline)
        #expect(asks(&bench) == [])
    }

    /// A newer term that elected nobody makes a voter forget the leader, but not the promise.
    @Test func aNewerTermFreesNobody() {
        var bench = Bench(terms: [1], settings: Self.settings)
        _ = bench.receive(append(after: 1, 1), from: "n2", term: 1)
        _ = bench.receive(.voteReply(granted: false), from: "n3", term: 5)
        #expect(bench.raft.term == 5 && bench.raft.leader == nil)
        _ = bench.sync()
        #expect(asks(&bench) == [])
        let request = Message.VoteRequest(lastIndex: 9, lastTerm: 4, isTransfer: false)
        let sent = bench.receive(.voteRequest(request), from: "n3", term: 5).sent
        #expect(sent == ["n1→n3 t5 vote no"])
    }

    /// n2 leads the change to n1 alone, and still reads under the lease that n1 gave it before the crash.
    @Test func whoWillBeAloneWaitsAsWell() {
        var image = Recovered(voters: ["n1", "n2", "n3"], terms: [1, 1])
        image.entries[1].payload = .configuration(Configuration(voters: ["n1"]))
        var bench = Bench("n1", image, settings: Self.settings)
        _ = bench.tick(after: Self.settings.electionNanoseconds - 1)
        #expect(bench.raft.role == .follower && bench.raft.term == 1)
        _ = bench.tick(after: Self.settings.electionNanoseconds + 1)
        _ = bench.sync()
        #expect(bench.raft.role == .leader)
    }
}
