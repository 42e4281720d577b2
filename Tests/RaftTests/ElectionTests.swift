import Testing

@testable import Raft

/// Sections 5.2 and 5.4.1 of the paper, and what keeps elections from happening needlessly.
@Suite struct ElectionTests {
    private let settings = Settings()
    private let request = Message.VoteRequest(lastIndex: 1, lastTerm: 1, isTransfer: false)

    @Test func threeNodesElectALeader() {
        let cluster = Cluster(voters: ["n1", "n2", "n3"])
        cluster.isTracing = true
        cluster.elect("n1")
        #expect(
            cluster.takeTrace() == """
                n1→n2 t1 preVote? 0/0
                n1→n3 t1 preVote? 0/0
                n1 preCandidate term 0 leader -
                n2→n1 t1 preVote yes
                n3→n1 t1 preVote yes
                n1 candidate term 1 leader -
                n1→n2 t1 vote? 0/0
                n1→n3 t1 vote? 0/0
                n2 follower term 1 leader -
                n3 follower term 1 leader -
                n2→n1 t1 vote yes
                n3→n1 t1 vote yes
                n1 leader term 1 leader n1
                n1→n2 t1 append 0/0 [1/1] commit 0
                n1→n3 t1 append 0/0 [1/1] commit 0
                n2 follower term 1 leader n1
                n3 follower term 1 leader n1
                n2→n1 t1 matched 1
                n3→n1 t1 matched 1
                n1→n2 t1 append 1/1 [] commit 1
                n1→n3 t1 append 1/1 [] commit 1
                """)
        #expect(cluster.oracle.faults == [])
    }

    @Test func aClusterOfOneLeadsItself() {
        let cluster = Cluster(voters: ["n1"])
        cluster.settle()
        #expect(cluster.leader == "n1")
        cluster.propose("a", on: "n1")
        cluster.settle()
        #expect(cluster["n1"].appliedCommands == ["a"])
    }

    @Test(arguments: [
        (lastIndex: 2 as Index, lastTerm: 2 as Term, granted: true),
        (3, 2, true), (1, 3, true), (1, 2, false), (9, 1, false),
    ])
    func onlyAnUpToDateLogIsElected(lastIndex: Index, lastTerm: Term, granted: Bool) {
        let request = Message.VoteRequest(
            lastIndex: lastIndex, lastTerm: lastTerm, isTransfer: false)
        let answer = granted ? "yes" : "no"
        var bench = Bench(terms: [1, 2])
        #expect(
            bench.receive(.preVoteRequest(request), from: "n2", term: 3).sent
                == ["n1→n2 t\(granted ? 3 : 2) preVote \(answer)"])
        #expect(bench.raft.term == 2)
        _ = bench.receive(.voteRequest(request), from: "n2", term: 3)
        #expect(bench.sync().sent == ["n1→n2 t3 vote \(answer)"])
    }

    @Test func oldTermsLearnTheNewOne() {
        var bench = Bench(terms: [1], term: 5)
        #expect(
            bench.receive(.voteRequest(request), from: "n2", term: 4).sent == ["n1→n2 t5 vote no"])
        #expect(
            bench.receive(append(after: 1, 1), from: "n2", term: 4).sent == ["n1→n2 t5 received"])
        #expect(
            bench.receive(.preVoteRequest(request), from: "n2", term: 4).sent
                == ["n1→n2 t5 preVote no"])
        #expect(bench.receive(.timeoutNow, from: "n2", term: 4).sent == [])
    }

    /// While the leader is heard, neither a vote nor a pre-vote helps to depose it; the term stays as well.
    @Test func followersStickToALiveLeader() {
        var bench = Bench(terms: [1])
        _ = bench.receive(append(after: 1, 1), from: "n2", term: 1)
        bench.now += settings.electionNanoseconds - 1
        #expect(bench.receive(.voteRequest(request), from: "n3", term: 7).sent == [])
        #expect(
            bench.receive(.preVoteRequest(request), from: "n3", term: 7).sent
                == ["n1→n3 t1 preVote no"])
        #expect(bench.raft.term == 1)
        bench.now += 1
        #expect(
            bench.receive(.preVoteRequest(request), from: "n3", term: 7).sent
                == ["n1→n3 t7 preVote yes"])
        _ = bench.receive(.voteRequest(request), from: "n3", term: 7)
        #expect(bench.sync().sent == ["n1→n3 t7 vote yes"])
    }

    /// Who drew a long time never stands, and would keep it for all leaders to come.
    @Test func patienceIsDrawnForEachLeader() {
        var bench = Bench(terms: [1])
        let election = settings.electionNanoseconds
        var drawn: Set<Nanoseconds> = []
        for term in Term(1)...40 {
            _ = bench.receive(append(after: 1, 1), from: term % 2 == 0 ? "n2" : "n3", term: term)
            let patience = bench.raft.electionDeadline - bench.now
            #expect(patience >= election && patience < election * 3 / 2)
            drawn.insert(patience)
            // The same leader is heard again.
            _ = bench.receive(append(after: 1, 1), from: term % 2 == 0 ? "n2" : "n3", term: term)
            #expect(bench.raft.electionDeadline - bench.now == patience)
        }
        #expect(drawn.count > 30)
    }

    @Test func aLeaderSticksToItself() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        #expect(bench.receive(.voteRequest(request), from: "n3", term: 9).sent == [])
        #expect(bench.raft.role == .leader)
    }

    /// A node that is cut off and comes back does not disturb: its term has not moved.
    @Test func preVoteKeepsTheTermInAPartition() throws {
        let cluster = Cluster(voters: ["n1", "n2", "n3"])
        let leader = try cluster.elect()
        let term = cluster[leader].raft.term
        let lonely = try #require(cluster.ids.first { $0 != leader })
        cluster.passes = { $0.from != lonely && $0.to != lonely }
        cluster.run(for: 20 * settings.electionNanoseconds)
        #expect(cluster[lonely].raft.role == .preCandidate)
        #expect(cluster[lonely].raft.term == term)
        cluster.passes = { _ in true }
        cluster.run(for: 2 * settings.electionNanoseconds)
        #expect(cluster.leaders == [leader])
        #expect(cluster[leader].raft.term == term)
        #expect(cluster[lonely].raft.leader == leader)
    }

    /// n3 does not hear the leader, but everybody else. Plain Raft elects for ever.
    @Test func partialConnectivityDeposesNobody() {
        let cluster = Cluster(voters: ["n1", "n2", "n3"])
        cluster.elect("n1")
        cluster.passes = {
            !([$0.from, $0.to] == ["n1", "n3"] || [$0.from, $0.to] == ["n3", "n1"])
        }
        cluster.run(for: 20 * settings.electionNanoseconds)
        #expect(cluster.leaders == ["n1"])
        #expect(cluster["n1"].raft.term == 1)
    }

    @Test func aLeaderWithoutAMajorityStepsDown() {
        let cluster = Cluster(voters: ["n1", "n2", "n3"])
        cluster.elect("n1")
        cluster.passes = { $0.from != "n1" && $0.to != "n1" }
        let start = cluster.now
        #expect(cluster.run { cluster["n1"].raft.role != .leader })
        #expect(cluster.now - start <= settings.electionNanoseconds + settings.heartbeatNanoseconds)
        #expect(cluster.run { cluster.leader != nil && cluster.leader != "n1" })
        #expect(cluster.oracle.faults == [])
    }

    /// One of two followers is enough.
    @Test func aLeaderWithAMajorityStays() {
        let cluster = Cluster(voters: ["n1", "n2", "n3"])
        cluster.elect("n1")
        cluster.crash("n2")
        cluster.run(for: 20 * settings.electionNanoseconds)
        #expect(cluster["n1"].raft.role == .leader && cluster["n1"].raft.term == 1)
        #expect(cluster["n1"].raft.hasQuorumContact(now: cluster.now))
    }

    /// What a leader asks is answered when an election timeout has passed, or a little later.
    @Test func aLeaderStaysThoughAnswersTakeAnElectionTimeout() throws {
        let cluster = Cluster(voters: ["n1", "n2", "n3"])
        cluster.delays = { _ in [11 * settings.electionNanoseconds / 20] }
        let isElected = cluster.run(upTo: 60_000_000_000) {
            cluster.leader.map { cluster[$0].raft.acceptsProposals } ?? false
        }
        try #require(isElected)
        let leader = try #require(cluster.leader)
        let term = cluster[leader].raft.term
        cluster.run(for: 20 * settings.electionNanoseconds)
        let others = cluster.ids.filter { $0 != leader }
        cluster.turn(leader, [.changeMembership(voters: [leader, others[0]])])
        cluster.run(for: 10 * settings.electionNanoseconds)
        #expect(cluster.leader == leader && cluster[leader].raft.term == term)
        #expect(cluster[leader].raft.configuration.members.count == 2)
        #expect(cluster.oracle.faults == [])
    }

    @Test func quorumContactIsAsOldAsTheRoundThatProvedIt() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.tick(after: settings.heartbeatNanoseconds)
        let sentAt = bench.now
        bench.now += 20_000_000
        _ = bench.reply(.received, from: "n3")
        #expect(bench.raft.lastQuorumContact(now: bench.now) == sentAt)
        #expect(bench.raft.hasQuorumContact(now: sentAt + settings.electionNanoseconds - 1))
        #expect(!bench.raft.hasQuorumContact(now: sentAt + settings.electionNanoseconds))
    }

    /// A node whose term ran ahead while it was cut off can be led again.
    @Test func aHigherTermIsCaughtUpWith() {
        let image = Recovered(voters: ["n1", "n2", "n3"])
        let ahead = Recovered(voters: ["n1", "n2", "n3"], term: 9)
        let cluster = Cluster([("n1", image), ("n2", image), ("n3", ahead)])
        cluster.crash("n3")
        cluster.elect("n1")
        cluster.restart("n3")
        #expect(cluster.run { cluster.ids.allSatisfy { cluster[$0].raft.term > 9 } })
        #expect(cluster.run { Set(cluster.ids.map { cluster[$0].raft.leader }).count == 1 })
    }

    /// The process of the leader is gone: the others don't wait for a whole timeout.
    @Test func aLostLeaderIsReplacedSooner() {
        let cluster = Cluster(voters: ["n1", "n2", "n3"])
        cluster.elect("n1")
        cluster.run(for: 3 * settings.heartbeatNanoseconds)
        cluster.crash("n1")
        let start = cluster.now
        cluster.turn("n2", [.peerLost("n1")])
        cluster.turn("n3", [.peerLost("n1")])
        #expect(cluster["n2"].raft.leader == nil)
        #expect(cluster.run { cluster.leader != nil })
        #expect(cluster.now - start < settings.electionNanoseconds / 2)
    }

    @Test func learnersVoteButDoNotStand() {
        var bench = Bench("n1", Recovered(voters: ["n2", "n3"], learners: ["n1"], terms: [1]))
        _ = bench.tick(after: 10 * settings.electionNanoseconds)
        #expect(bench.raft.role == .follower && !bench.raft.configuration.isVoter("n1"))
        _ = bench.receive(.voteRequest(request), from: "n2", term: 2)
        #expect(bench.sync().sent == ["n1→n2 t2 vote yes"])
    }

    @Test func timeoutsDiffer() {
        let cluster = Cluster(voters: ["n1", "n2", "n3", "n4", "n5"])
        let deadlines = Set(cluster.ids.map { cluster[$0].raft.nextDeadline - cluster.now })
        #expect(deadlines.count == 5)
        for deadline in deadlines {
            #expect(deadline >= settings.electionNanoseconds)
            #expect(deadline < 2 * settings.electionNanoseconds)
        }
    }

    @Test func repeatedVotesCountOnce() {
        var bench = Bench("n1", Recovered(voters: ["n1", "n2", "n3", "n4", "n5"], terms: [1]))
        _ = bench.tick(after: 2 * settings.electionNanoseconds)
        for _ in 0..<3 { _ = bench.receive(.preVoteReply(granted: true), from: "n2", term: 2) }
        #expect(bench.raft.role == .preCandidate)
        _ = bench.receive(.preVoteReply(granted: true), from: "n3", term: 2)
        _ = bench.sync()
        for _ in 0..<3 { _ = bench.receive(.voteReply(granted: true), from: "n2", term: 2) }
        #expect(bench.raft.role == .candidate)
        _ = bench.receive(.voteReply(granted: true), from: "n3", term: 2)
        #expect(bench.raft.role == .leader)
    }
}
