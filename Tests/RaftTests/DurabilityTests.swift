import Testing

@testable import Raft

/// Nothing leaves before what it promises is on disk, and nothing counts as being there that was cut off.
@Suite struct DurabilityTests {
    @Test func voteLeavesOnlyWhenDurable() {
        var bench = Bench(terms: [1])
        let request = Message.VoteRequest(lastIndex: 1, lastTerm: 1, isTransfer: false)
        let effects = bench.receive(.voteRequest(request), from: "n2", term: 2)
        #expect(effects.sent == [])
        #expect(effects.batches.map(\.hardState) == [HardState(term: 2, vote: "n2")])
        // Asked again meanwhile: still not.
        #expect(bench.receive(.voteRequest(request), from: "n2", term: 2).sent == [])
        #expect(bench.sync().sent == ["n1→n2 t2 vote yes", "n1→n2 t2 vote yes"])
        #expect(
            bench.receive(.voteRequest(request), from: "n2", term: 2).sent == ["n1→n2 t2 vote yes"])
        #expect(
            bench.receive(.voteRequest(request), from: "n3", term: 2).sent == ["n1→n3 t2 vote no"])
    }

    @Test func voteOutlivesARestart() {
        var bench = Bench(terms: [1], term: 2, vote: "n2")
        let request = Message.VoteRequest(lastIndex: 9, lastTerm: 1, isTransfer: false)
        #expect(
            bench.receive(.voteRequest(request), from: "n3", term: 2).sent == ["n1→n3 t2 vote no"])
    }

    @Test func voteRequestWaitsForTermVoteAndLog() {
        var bench = Bench(terms: [1])
        _ = bench.receive(append(after: 1, 1, [1, 1]), from: "n2", term: 1)
        // The batch with entries 2 and 3 is under way while the leader falls silent.
        let questions = bench.tick(after: 2_000_000_000 - 1)
        #expect(questions.sent == [])
        #expect(bench.raft.role == .preCandidate)
        #expect(bench.sync().sent == ["n1→n2 t2 preVote? 3/1", "n1→n3 t2 preVote? 3/1"])
        let won = bench.receive(.preVoteReply(granted: true), from: "n3", term: 2)
        #expect(won.sent == [] && bench.raft.role == .candidate)
        #expect(bench.sync().sent == ["n1→n2 t2 vote? 3/1", "n1→n3 t2 vote? 3/1"])
    }

    /// While its own vote is on the way to the disk another one is elected in that term, whose entries take the place of
    /// those that the requests speak of.
    @Test func whoFollowsAsksForNoVotesAnyMore() {
        var bench = Bench(terms: [1, 1])
        _ = bench.tick(after: 2 * bench.raft.settings.electionNanoseconds)
        let won = bench.receive(.preVoteReply(granted: true), from: "n2", term: 2)
        #expect(won.sent == [] && bench.raft.role == .candidate)
        _ = bench.receive(append(after: 1, 1, [2]), from: "n3", term: 2)
        #expect(bench.raft.role == .follower)
        #expect(bench.sync().sent == ["n1→n3 t2 matched 2"])
    }

    @Test func ownVoteCountsOnlyWhenDurable() {
        var bench = Bench("n1", Recovered(voters: ["n1"]))
        #expect(bench.turn(.tick).batches.count == 1)
        #expect(bench.raft.role == .candidate)
        _ = bench.sync()
        #expect(bench.raft.role == .leader)
        #expect(bench.raft.commitIndex == 0)
        _ = bench.sync()
        #expect(bench.raft.commitIndex == 1 && bench.raft.appliableIndex == 1)
    }

    @Test func anEarlierBatchDoesNotVouchForTheOwnVote() {
        var bench = Bench(terms: [1])
        let earlier = bench.receive(append(after: 1, 1, [1]), from: "n2", term: 1).batches[0].ticket
        _ = bench.tick(after: 2 * bench.raft.settings.electionNanoseconds)
        _ = bench.receive(.preVoteReply(granted: true), from: "n2", term: 2)
        _ = bench.receive(.voteReply(granted: true), from: "n2", term: 2)
        _ = bench.turn(.durable(earlier))
        #expect(bench.raft.role == .candidate)
        _ = bench.sync()
        #expect(bench.raft.role == .leader)
    }

    @Test func acknowledgementWaitsForTheDisk() {
        var bench = Bench(terms: [1])
        #expect(bench.receive(append(after: 1, 1, [1]), from: "n2", term: 1).sent == [])
        #expect(bench.raft.appliableIndex == 0)
        // A heartbeat is answered at once, but without a promise.
        let heartbeat = append(after: 2, 1, commit: 2, round: 2)
        #expect(bench.receive(heartbeat, from: "n2", term: 1).sent == ["n1→n2 t1 received"])
        #expect(bench.raft.commitIndex == 2 && bench.raft.appliableIndex == 1)
        #expect(bench.sync().sent == ["n1→n2 t1 matched 2"])
        #expect(bench.raft.appliableIndex == 2)
    }

    @Test func stalledDiskGathersOneReplyATicket() {
        var bench = Bench(terms: [1])
        _ = bench.receive(append(after: 1, 1, [1]), from: "n2", term: 1)
        for round in 2...500 as ClosedRange<UInt64> {
            _ = bench.receive(append(after: 2, 1, round: round), from: "n2", term: 1)
        }
        #expect(bench.raft.durability.heldMessages == 1)
    }

    /// Entries 2 and 3 are written, cut off and written anew by another leader before the first batch's
    /// completion is heard of: it must not vouch for the new ones.
    @Test func staleCompletionSaysNothingAboutRewrittenEntries() {
        var bench = Bench(terms: [1])
        let first = bench.receive(append(after: 1, 1, [1, 1]), from: "n2", term: 1)
        let second = bench.receive(append(after: 1, 1, [2, 2]), from: "n3", term: 2)
        #expect(second.batches.map(\.truncateFrom) == [2])
        #expect(second.sent == [])
        let stale = bench.turn(.durable(first.batches[0].ticket))
        #expect(stale.sent == [])
        #expect(bench.raft.durableIndex == 1)
        #expect(bench.sync().sent == ["n1→n3 t2 matched 3"])
        #expect(bench.raft.durableIndex == 3)
    }

    /// A shorter log after a truncation is not acknowledged either while a crash could bring the rest back.
    @Test func acknowledgementWaitsForAPendingTruncation() {
        var bench = Bench(terms: [1, 1, 1])
        _ = bench.receive(append(after: 1, 1, [2]), from: "n2", term: 2)
        #expect(bench.receive(append(after: 1, 1, round: 2), from: "n2", term: 2).sent == [])
        #expect(bench.sync().sent == ["n1→n2 t2 matched 2"])
    }

    /// Even for entries before it, and even when its batch holds nothing else.
    @Test func aTruncationHoldsBackEveryPromise() {
        var durability = Durability(lastIndex: 5)
        #expect(durability.ticket(forLogThrough: 2) == 0)
        durability.stageTruncation(from: 4)
        #expect(durability.ticket(forLogThrough: 2) == durability.nextTicket)
        #expect(durability.durableIndex == 3 && durability.handedIndex == 3)
    }

    @Test func completionsMayCoverSeveralBatchesAndComeTwice() {
        var bench = Bench(terms: [1])
        let first = bench.receive(append(after: 1, 1, [1]), from: "n2", term: 1).batches[0].ticket
        _ = bench.receive(append(after: 2, 1, [1], round: 2), from: "n2", term: 1)
        #expect(bench.sync().sent == ["n1→n2 t1 matched 2", "n1→n2 t1 matched 3"])
        #expect(bench.turn(.durable(first)).isEmpty)
        #expect(bench.raft.durableIndex == 3)
    }

    @Test func oneBatchATurn() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        let effects = bench.turn(.propose([1]), .propose([2]), .propose([3]))
        #expect(effects.batches.map { $0.entries.map(\.index) } == [[3, 4, 5]])
    }

    @Test func leaderSendsBeforeItsOwnDiskAndCommitsWithoutIt() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        _ = bench.acknowledge(from: "n3")
        let effects = bench.turn(.propose([1]))
        #expect(
            effects.sent == [
                "n1→n2 t2 append 2/2 [3/2] commit 2", "n1→n3 t2 append 2/2 [3/2] commit 2",
            ])
        _ = bench.acknowledge(from: "n2")
        #expect(bench.raft.commitIndex == 2)
        _ = bench.acknowledge(from: "n3")
        #expect(bench.raft.commitIndex == 3)
        #expect(bench.raft.appliableIndex == 2)
        _ = bench.sync()
        #expect(bench.raft.appliableIndex == 3)
    }

    @Test func leaderWithAStalledDiskStepsDown() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.turn(.propose([1]))
        for _ in 0..<39 {
            _ = bench.tick(after: bench.raft.settings.heartbeatNanoseconds)
            _ = bench.reply(.received, from: "n2")
            #expect(bench.raft.role == .leader)
        }
        _ = bench.tick(after: bench.raft.settings.heartbeatNanoseconds)
        #expect(bench.raft.role == .follower)
        // And it does not stand for election as long as that lasts.
        _ = bench.tick(after: 1_000_000_000)
        #expect(bench.raft.role == .follower)
    }

    @Test func whatWasHeldInAnOlderTermIsForgotten() {
        var bench = Bench(terms: [1])
        _ = bench.receive(append(after: 1, 1, [1]), from: "n2", term: 1)
        _ = bench.receive(append(after: 0, 0), from: "n3", term: 2)
        #expect(bench.sync().sent == ["n1→n3 t2 matched 0"])
    }
}
