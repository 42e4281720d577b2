import Testing

@testable import Raft

@Suite("Raft paper, 5.3: log replication") struct Section53Tests {
    private let settings = Settings()

    private func leader(terms: [Term] = [1]) throws -> Bench {
        var bench = Bench(terms: terms)
        try bench.lead()
        return bench
    }

    @Test func `the leader appends a command and sends it to all in parallel`() throws {
        var bench = try leader()
        _ = bench.acknowledge(from: "n2")
        _ = bench.acknowledge(from: "n3")
        #expect(
            bench.turn(.propose([1])).sent == [
                "n1→n2 t2 append 2/2 [3/2] commit 2", "n1→n3 t2 append 2/2 [3/2] commit 2",
            ])
        #expect(bench.raft.lastIndex == 3)
    }

    @Test func `an entry on a majority is committed`() throws {
        var bench = try leader()
        _ = bench.turn(.propose([1]))
        _ = bench.sync()
        #expect(bench.raft.commitIndex == 0)
        _ = bench.acknowledge(from: "n3")
        #expect(bench.raft.commitIndex == 3)
    }

    @Test func `and so is everything before it`() throws {
        var bench = try leader(terms: [1, 1, 1])
        _ = bench.acknowledge(from: "n2")
        #expect(bench.raft.commitIndex == 4)
    }

    @Test func `later messages tell followers what is committed`() throws {
        var bench = try leader()
        _ = bench.acknowledge(from: "n3")
        _ = bench.acknowledge(from: "n2")
        let sent = bench.turn(.propose([1])).sent
        #expect(sent.allSatisfy { $0.hasSuffix("commit 2") } && sent.count == 2)
        #expect(bench.tick(after: settings.heartbeatNanoseconds).sent.count == 2)
    }

    @Test func `a follower applies what it learns to be committed`() {
        var bench = Bench(terms: [1, 1])
        _ = bench.receive(append(after: 2, 1, commit: 1), from: "n2", term: 1)
        #expect(bench.raft.appliableIndex == 1)
        _ = bench.receive(append(after: 2, 1, commit: 2, round: 2), from: "n2", term: 1)
        #expect(bench.raft.appliableIndex == 2)
    }

    /// Log matching: an append is refused unless the entry before it is here.
    @Test(arguments: [(5 as Index, 1 as Term), (2, 2), (2, 3)])
    func `an append that does not fit is refused`(index: Index, term: Term) {
        var bench = Bench(terms: [1, 1])
        let sent = bench.receive(append(after: index, term, [3]), from: "n2", term: 3).sent
        #expect(sent == [])
        let answer = bench.sync().sent
        #expect(answer.count == 1 && answer.allSatisfy { $0.contains("conflict at \(index)") })
        #expect(bench.raft.logText == "1 1")
    }

    @Test func `a new leader supposes that all have its log`() throws {
        let bench = try leader(terms: [1, 1, 1])
        for peer in ["n2", "n3"] as [NodeID] {
            #expect(bench.raft.peerProgress(peer)?.next == 4)
            #expect(bench.raft.peerProgress(peer)?.match == 0)
        }
    }

    @Test func `conflicting entries give way to the leader's`() {
        var bench = Bench(terms: [1, 2, 2, 2])
        _ = bench.receive(append(after: 1, 1, [3]), from: "n2", term: 3)
        #expect(bench.raft.logText == "1 3")
    }

    @Test func `entries that do not conflict stay`() {
        var bench = Bench(terms: [1, 2, 2, 2])
        _ = bench.receive(append(after: 1, 1, [2]), from: "n2", term: 3)
        #expect(bench.raft.logText == "1 2 2 2")
    }

    @Test func `a refusal names the term in conflict, and its first entry`() {
        var bench = Bench(terms: [1, 2, 2, 2])
        _ = bench.receive(append(after: 4, 3), from: "n2", term: 3)
        #expect(bench.sync().sent == ["n1→n2 t3 conflict at 4: term 2 from 2"])
    }

    @Test func `the leader skips a term with one refusal`() throws {
        var bench = try leader(terms: [1, 1, 3, 3, 3])
        let sent = bench.reply(
            .conflict(previousIndex: 5, conflictTerm: 2, firstOfTerm: 3), from: "n3"
        ).sent
        #expect(sent == ["n1→n3 t4 append 2/1 [3/3 4/3 5/3 6/4] commit 0"])
    }

    /// Leader append-only.
    @Test func `a leader never cuts its own log`() throws {
        var bench = try leader(terms: [1, 1])
        let before = bench.raft.logText
        _ = bench.reply(.conflict(previousIndex: 2, conflictTerm: 1, firstOfTerm: 1), from: "n2")
        _ = bench.receive(append(after: 0, 0, [1]), from: "n3", term: 1)
        #expect(bench.raft.logText == before)
    }

    @Test func `the leader tries again for ever`() throws {
        let cluster = Cluster(voters: ["n1", "n2", "n3"])
        cluster.elect("n1")
        cluster.crash("n3")
        cluster.propose("a", on: "n1")
        cluster.run(for: 60_000_000_000)
        cluster.restart("n3")
        cluster.run(for: 2 * settings.heartbeatNanoseconds)
        #expect(cluster["n3"].appliedCommands == ["a"])
    }

    /// "A slow follower will not impact performance."
    @Test func `a minority holds up nobody`() {
        let cluster = Cluster(voters: ["n1", "n2", "n3", "n4", "n5"])
        cluster.elect("n1")
        cluster.crash("n4")
        cluster.crash("n5")
        let start = cluster.now
        cluster.propose("a", on: "n1")
        cluster.settle()
        #expect(cluster["n2"].appliedCommands == ["a"] && cluster.now == start)
    }

    /// 5.5: all messages may be repeated.
    @Test func `an append may come twice`() {
        var bench = Bench(terms: [1])
        _ = bench.receive(append(after: 1, 1, [1, 1]), from: "n2", term: 1)
        _ = bench.sync()
        let again = bench.receive(append(after: 1, 1, [1, 1]), from: "n2", term: 1)
        #expect(again.batches.isEmpty && again.sent == ["n1→n2 t1 matched 3"])
    }
}
