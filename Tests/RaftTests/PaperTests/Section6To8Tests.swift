import Testing

@testable import Raft

@Suite("Raft paper, 6: membership") struct Section6Tests {
    private let old = Configuration(voters: ["n1", "n2", "n3"])
    private let joint = Configuration(voters: ["n1", "n4", "n5"], outgoing: ["n1", "n2", "n3"])

    private func recovered(_ configuration: Configuration) -> Recovered {
        var image = Recovered(voters: ["n1", "n2", "n3"], terms: [1])
        image.entries.append(Entry(index: 2, term: 1, payload: .configuration(configuration)))
        return image
    }

    private func leader(of configuration: Configuration) throws -> Bench {
        var bench = Bench("n1", recovered(configuration))
        bench.now = bench.raft.nextDeadline
        _ = bench.turn(.tick)
        for voter in ["n2", "n4", "n3", "n5"] as [NodeID] {
            _ = bench.receive(.preVoteReply(granted: true), from: voter, term: 2)
        }
        _ = bench.sync()
        for voter in ["n2", "n4", "n3", "n5"] as [NodeID] {
            _ = bench.receive(.voteReply(granted: true), from: voter, term: 2)
        }
        try #require(bench.raft.role == .leader)
        _ = bench.sync()
        return bench
    }

    @Test func `the newest configuration in the log counts, committed or not`() {
        let bench = Bench("n1", recovered(joint))
        #expect(bench.raft.configuration == joint && bench.raft.commitIndex == 0)
    }

    @Test func `while it is joint, entries go to all members of both`() throws {
        var bench = try leader(of: joint)
        for peer in ["n2", "n3", "n4", "n5"] as [NodeID] { _ = bench.acknowledge(from: peer) }
        let sent = bench.turn(.propose([1])).sent
        #expect(Set(sent.map { $0.prefix(5) }) == ["n1→n2", "n1→n3", "n1→n4", "n1→n5"])
    }

    @Test(
        arguments: [
            (["n2", "n3"], false), (["n4", "n5"], false), (["n2", "n4"], true),
            (["n3", "n5"], true),
        ] as [([NodeID], Bool)])
    func `a joint decision needs a majority of each`(peers: [NodeID], isCommitted: Bool) throws {
        var bench = try leader(of: joint)
        for peer in peers { _ = bench.reply(.matched(3), from: peer) }
        #expect((bench.raft.commitIndex >= 3) == isCommitted)
    }

    @Test func `members of either half may stand`() {
        for id in ["n2", "n5"] as [NodeID] {
            var bench = Bench(id, recovered(joint))
            bench.now = bench.raft.nextDeadline
            #expect(bench.turn(.tick).sent.count == 4)
        }
    }

    @Test func `once the joint one is committed, the new one follows`() throws {
        var bench = try leader(of: joint)
        _ = bench.reply(.matched(3), from: "n2")
        _ = bench.reply(.matched(3), from: "n4")
        #expect(bench.raft.configuration == Configuration(voters: ["n1", "n4", "n5"]))
    }

    @Test func `newcomers have no vote until they have caught up`() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        _ = bench.turn(.changeMembership(voters: ["n1", "n2", "n3", "n4"]))
        #expect(bench.raft.configuration.learners == ["n4"])
        #expect(!bench.raft.configuration.isVoter("n4"))
        _ = bench.acknowledge(from: "n4")
        #expect(bench.raft.commitIndex == 2, "a learner does not count")
    }

    @Test func `a leader that is not in the new configuration steps down behind it`() {
        let cluster = Cluster(voters: ["n1", "n2", "n3"])
        cluster.elect("n1")
        cluster.turn("n1", [.changeMembership(voters: ["n2", "n3"])])
        cluster.run(for: 1_000_000_000)
        #expect(cluster["n1"].raft.role == .follower)
        #expect(cluster["n1"].raft.configuration.voters == ["n2", "n3"])
        #expect(cluster.leader != nil && cluster.oracle.faults == [])
    }

    @Test func `and does not count itself meanwhile`() throws {
        let leaving = Configuration(voters: ["n2", "n3"], outgoing: ["n1", "n2", "n3"])
        var bench = try leader(of: leaving)
        _ = bench.reply(.matched(3), from: "n2")
        // Of the old ones n1 and n2 have it, of the new ones only n2.
        #expect(bench.raft.commitIndex == 0)
        _ = bench.reply(.matched(3), from: "n3")
        #expect(bench.raft.commitIndex == 3)
    }

    @Test func `requests for votes are ignored while a leader is heard`() {
        var bench = Bench(terms: [1])
        _ = bench.receive(append(after: 1, 1), from: "n2", term: 1)
        let request = Message.VoteRequest(lastIndex: 9, lastTerm: 9, isTransfer: false)
        #expect(bench.receive(.voteRequest(request), from: "n3", term: 9) == [])
        #expect(bench.raft.term == 1)
    }
}

@Suite("Raft paper, 7: log compaction") struct Section7Tests {
    private func mark(_ index: Index, _ term: Term) -> SnapshotMark {
        SnapshotMark(
            index: index, term: term, configuration: Configuration(voters: ["n1", "n2", "n3"]))
    }

    private func install(_ mark: SnapshotMark, on bench: inout Bench) -> [Effect] {
        let chunk = Message.SnapshotChunk(
            mark: mark, offset: 0, bytes: [1], totalBytes: 1, round: 1)
        _ = bench.receive(.snapshotChunk(chunk), from: "n2", term: mark.term)
        _ = bench.sync()
        return bench.turn(.snapshotChunkStored(mark: mark, nextOffset: 1, isComplete: true))
    }

    @Test func `a snapshot takes the place of what it covers`() {
        var settings = Settings()
        settings.retainedLogBytes = 0
        settings.maxRetainedLogBytes = 0
        var bench = Bench(terms: [1, 1, 1], settings: settings)
        _ = bench.receive(append(after: 3, 1, commit: 3), from: "n2", term: 1)
        _ = bench.turn(.snapshotTaken(bench.raft.mark(at: 2)))
        #expect(bench.raft.firstIndex == 3 && bench.raft.lastIndex == 3)
        // The consistency check of the first entry behind it still works.
        #expect(
            bench.receive(append(after: 2, 1, round: 2), from: "n2", term: 1).sent
                == ["n1→n2 t1 matched 3"])
    }

    @Test func `it holds index, term and configuration of its last entry`() {
        var bench = Bench(terms: [1, 2])
        _ = bench.receive(append(after: 2, 2, commit: 2), from: "n2", term: 2)
        #expect(bench.raft.mark(at: 2) == mark(2, 2))
    }

    @Test func `a snapshot of what is unknown replaces the whole log`() {
        var bench = Bench(terms: [1, 1, 1])
        let batches = install(mark(9, 2), on: &bench).batches
        #expect(batches.map(\.resetsLog) == [true])
        #expect(bench.raft.firstIndex == 10 && bench.raft.commitIndex == 9)
    }

    @Test func `a log that conflicts with it is replaced, however long`() {
        var bench = Bench(terms: [1, 1, 1, 1, 1])
        _ = install(mark(3, 2), on: &bench)
        #expect(bench.raft.firstIndex == 4 && bench.raft.lastIndex == 3)
    }

    @Test func `entries behind a snapshot of the own history stay`() {
        var bench = Bench(terms: [1, 1, 1])
        let chunk = Message.SnapshotChunk(
            mark: mark(2, 1), offset: 0, bytes: [1], totalBytes: 1, round: 1)
        #expect(
            bench.receive(.snapshotChunk(chunk), from: "n2", term: 1).sent
                == ["n1→n2 t1 installed 2"])
        #expect(bench.raft.lastIndex == 3 && bench.raft.commitIndex == 2)
    }

    @Test func `figure 13: a chunk of an earlier term is refused`() {
        var bench = Bench(terms: [1], term: 5)
        let chunk = Message.SnapshotChunk(
            mark: mark(9, 4), offset: 0, bytes: [1], totalBytes: 1, round: 1)
        let effects = bench.receive(.snapshotChunk(chunk), from: "n2", term: 4)
        #expect(effects.sent == ["n1→n2 t5 received"] && effects.count == 1)
    }
}

@Suite("Raft paper, 8: clients") struct Section8Tests {
    @Test func `a new leader commits an empty entry first`() throws {
        var bench = Bench(terms: [1, 1])
        try bench.lead()
        #expect(bench.raft.entry(at: 3) == Entry(index: 3, term: 2, payload: .noop))
    }

    @Test func `it answers no read before`() throws {
        var bench = Bench(terms: [1, 1])
        try bench.lead()
        let asked = bench.turn(.read(1))
        let answered = bench.reply(.received, from: "n2")
        #expect(!(asked + answered).contains { if case .readReady = $0 { true } else { false } })
    }

    @Test func `nor without hearing from a majority`() throws {
        var bench = Bench(terms: [1, 1])
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        #expect(!bench.turn(.read(1)).contains(.readReady(1, 3)))
        #expect(bench.reply(.received, from: "n3").contains(.readReady(1, 3)))
    }
}
