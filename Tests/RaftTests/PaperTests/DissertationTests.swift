import Testing

@testable import Raft

/// Ongaro, "Consensus: Bridging Theory and Practice", 2014: what the paper does not have.
@Suite("Dissertation, 3.10: leadership transfer") struct TransferExtensionTests {
    private let settings = Settings()

    private func transferring() throws -> Bench {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        _ = bench.turn(.propose([1]))
        _ = bench.turn(.transferLeadership(to: "n2"))
        return bench
    }

    @Test func `the leader takes no more requests`() throws {
        #expect(try !transferring().raft.acceptsProposals)
    }

    @Test func `it brings the target up to date, then tells it to stand`() throws {
        var bench = try transferring()
        #expect(bench.reply(.received, from: "n2").sent == [])
        #expect(bench.acknowledge(from: "n2").sent.contains("n1→n2 t2 timeoutNow"))
    }

    @Test func `the target stands at once, in the next term`() {
        var bench = Bench(terms: [1])
        _ = bench.receive(append(after: 1, 1), from: "n2", term: 1)
        _ = bench.receive(.timeoutNow, from: "n2", term: 1)
        #expect(bench.raft.hardState == HardState(term: 2, vote: "n1"))
        #expect(
            bench.sync().sent == ["n1→n2 t2 vote? 1/1 transfer", "n1→n3 t2 vote? 1/1 transfer"])
    }

    @Test func `it is given up after an election timeout`() throws {
        var bench = try transferring()
        for _ in 0..<6 {
            _ = bench.tick(after: settings.heartbeatNanoseconds)
            _ = bench.reply(.received, from: "n3")
        }
        #expect(bench.raft.acceptsProposals)
    }
}

@Suite("Dissertation, 4: membership") struct MembershipExtensionTests {
    private let settings = Settings()

    @Test func `4.1: a configuration that is cut off counts no more`() {
        var image = Recovered(voters: ["n1", "n2", "n3"], terms: [1])
        let next = Configuration(voters: ["n1", "n2", "n3", "n4"])
        image.entries.append(Entry(index: 2, term: 1, payload: .configuration(next)))
        var bench = Bench("n1", image)
        _ = bench.receive(append(after: 1, 1, [2]), from: "n2", term: 2)
        #expect(bench.raft.configuration.voters == ["n1", "n2", "n3"])
    }

    /// Ongaro, "bug in single-server membership changes", 2015.
    @Test func `4.1: nothing changes before an entry of the term is committed`() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.turn(.changeMembership(voters: ["n1", "n2"]))
        #expect(!bench.raft.configuration.isJoint)
    }

    @Test func `4.2.1: a newcomer that does not keep up is not taken in`() throws {
        var settings = settings
        settings.maxAppendBytes = 100
        var bench = Bench(terms: [1, 1, 1, 1, 1, 1], settings: settings)
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        _ = bench.turn(.changeMembership(voters: ["n1", "n2", "n3", "n4"]))
        _ = bench.sync()
        _ = bench.acknowledge(from: "n2")
        _ = bench.reply(.matched(1), from: "n4")
        #expect(bench.raft.configuration.learners == ["n4"] && !bench.raft.configuration.isJoint)
        _ = bench.acknowledge(from: "n4")
        #expect(bench.raft.configuration.isJoint)
    }

    @Test func `4.2.2: who leaves stands until that is committed`() {
        var image = Recovered(voters: ["n1", "n2", "n3"], terms: [1])
        image.entries.append(
            Entry(
                index: 2, term: 1, payload: .configuration(Configuration(voters: ["n2", "n3"]))))
        var bench = Bench("n1", image)
        bench.now = bench.raft.nextDeadline
        #expect(bench.turn(.tick).sent.count == 2)
        _ = bench.receive(append(after: 2, 1, commit: 2), from: "n2", term: 1)
        bench.now += 2 * settings.electionNanoseconds
        #expect(bench.turn(.tick).sent == [])
    }

    @Test func `4.2.3: a removed node deposes nobody`() {
        let cluster = Cluster(voters: ["n1", "n2", "n3", "n4"])
        cluster.elect("n1")
        cluster.crash("n4")
        cluster.turn("n1", [.changeMembership(voters: ["n1", "n2", "n3"])])
        cluster.settle()
        cluster.restart("n4")
        cluster.run(for: 10_000_000_000)
        #expect(cluster.leaders == ["n1"] && cluster["n1"].raft.term == 1)
    }
}

@Suite("Dissertation, 6: clients; 9: elections; 10: disks") struct PracticeTests {
    private let settings = Settings()

    private func readsReady(_ effects: [Effect]) -> [Effect] {
        effects.filter { if case .readReady = $0 { true } else { false } }
    }

    @Test func `6.4: a read waits for a round that began after it came`() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        let earlier = bench.raft.leadership?.round ?? 0
        _ = bench.turn(.read(1))
        let stale = Message.AppendReply(round: earlier, outcome: .received)
        #expect(readsReady(bench.receive(.appendReply(stale), from: "n2", term: 2)) == [])
        #expect(readsReady(bench.reply(.received, from: "n3")) == [.readReady(1, 2)])
    }

    @Test func `6.4: one round serves many reads`() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        _ = bench.acknowledge(from: "n3")
        #expect(bench.turn(.read(1), .read(2), .read(3)).sent.count == 2)
        #expect(readsReady(bench.reply(.received, from: "n2")).count == 3)
    }

    @Test func `6.4: a follower asks the leader for the index`() {
        var bench = Bench(terms: [1])
        _ = bench.receive(append(after: 1, 1), from: "n2", term: 1)
        #expect(bench.turn(.read(1)).sent == ["n1→n2 t1 read?"])
    }

    @Test func `6.4.1: a lease is shorter than an election timeout by the drift of both clocks`()
        throws
    {
        var settings = settings
        settings.leaseReads = true
        settings.maxClockDriftPPM = 250_000
        var bench = Bench(terms: [1], settings: settings)
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        // 300 ms × 0.75 / 1.25
        bench.now += 180_000_000 - 1
        #expect(readsReady(bench.turn(.read(1))).count == 1)
        bench.now += 1
        #expect(readsReady(bench.turn(.read(2))).isEmpty)
    }

    @Test func `9.6: a pre-vote changes no term, on neither side`() {
        var bench = Bench(terms: [1])
        _ = bench.tick(after: 2 * settings.electionNanoseconds)
        #expect(bench.raft.hardState == HardState(term: 1, vote: nil))
        let request = Message.VoteRequest(lastIndex: 1, lastTerm: 1, isTransfer: false)
        var other = Bench(terms: [1])
        let effects = other.receive(.preVoteRequest(request), from: "n2", term: 8)
        #expect(effects.sent == ["n1→n2 t8 preVote yes"] && effects.batches.isEmpty)
        #expect(other.raft.hardState == HardState(term: 1, vote: nil))
    }

    @Test func `9.6: yes only to an up-to-date log, and when no leader was heard lately`() {
        let request = Message.VoteRequest(lastIndex: 1, lastTerm: 1, isTransfer: false)
        var ahead = Bench(terms: [1, 1])
        #expect(
            ahead.receive(.preVoteRequest(request), from: "n2", term: 2).sent
                == ["n1→n2 t1 preVote no"])
        var content = Bench(terms: [1])
        _ = content.receive(append(after: 1, 1), from: "n2", term: 1)
        #expect(
            content.receive(.preVoteRequest(request), from: "n3", term: 2).sent
                == ["n1→n3 t1 preVote no"])
    }

    @Test func `9.6: only who would be elected raises its term`() {
        var bench = Bench(terms: [1])
        _ = bench.tick(after: 2 * settings.electionNanoseconds)
        for voter in ["n2", "n3"] as [NodeID] {
            _ = bench.receive(.preVoteReply(granted: false), from: voter, term: 1)
        }
        #expect(bench.raft.role == .follower && bench.raft.term == 1)
    }

    @Test func `10.2.1: the leader writes in parallel with the followers`() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        let effects = bench.turn(.propose([1]))
        let sent = effects.firstIndex { if case .send = $0 { true } else { false } }
        let written = effects.firstIndex { if case .persist = $0 { true } else { false } }
        #expect(try #require(sent) < (try #require(written)))
    }

    @Test func `10.2.1: and may commit before its own disk has the entry`() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.turn(.propose([1]))
        _ = bench.acknowledge(from: "n2")
        _ = bench.acknowledge(from: "n3")
        #expect(bench.raft.commitIndex == 3 && bench.raft.durableIndex == 2)
    }

    @Test func `10.2.2: appends follow one another without waiting`() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        for index in 3...5 as ClosedRange<Index> {
            let sent = bench.turn(.propose([1])).sent
            #expect(sent.contains("n1→n2 t2 append \(index - 1)/2 [\(index)/2] commit 2"))
        }
    }
}
