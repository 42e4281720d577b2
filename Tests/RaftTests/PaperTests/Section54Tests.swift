import Testing

@testable import Raft

@Suite("Raft paper, 5.4 and 5.5: safety, crashes") struct Section54Tests {
    private func isGranted(lastIndex: Index, lastTerm: Term, over terms: [Term]) -> Bool {
        var bench = Bench(terms: terms)
        let request = Message.VoteRequest(
            lastIndex: lastIndex, lastTerm: lastTerm, isTransfer: false)
        _ = bench.receive(.voteRequest(request), from: "n2", term: 9)
        return bench.sync().sent == ["n1→n2 t9 vote yes"]
    }

    @Test func `5.4.1: the log with the later last term is more up to date`() {
        #expect(isGranted(lastIndex: 1, lastTerm: 3, over: [1, 2, 2]))
        #expect(!isGranted(lastIndex: 9, lastTerm: 1, over: [1, 2, 2]))
    }

    @Test func `5.4.1: with the same last term the longer one is`() {
        #expect(isGranted(lastIndex: 4, lastTerm: 2, over: [1, 2, 2]))
        #expect(isGranted(lastIndex: 3, lastTerm: 2, over: [1, 2, 2]))
        #expect(!isGranted(lastIndex: 2, lastTerm: 2, over: [1, 2, 2]))
    }

    /// Leader completeness.
    @Test func `5.4.1: who lacks a committed entry is not elected`() {
        let full = Recovered(voters: ["n1", "n2", "n3"], terms: [1, 1])
        let short = Recovered(voters: ["n1", "n2", "n3"], terms: [1])
        let cluster = Cluster([("n1", full), ("n2", full), ("n3", short)])
        cluster.crash("n1")
        cluster.elect("n3")
        #expect(cluster.leader == nil)
        cluster.elect("n2")
        #expect(cluster.leader == "n2")
    }

    @Test func `5.4.2: copies of an earlier term's entry commit nothing`() throws {
        var bench = Bench(terms: [1, 2])
        try bench.lead()
        _ = bench.reply(.matched(2), from: "n2")
        _ = bench.reply(.matched(2), from: "n3")
        #expect(bench.raft.commitIndex == 0)
    }

    @Test func `5.4.2: an entry of the own term commits those before it`() throws {
        var bench = Bench(terms: [1, 2])
        try bench.lead()
        _ = bench.reply(.matched(3), from: "n3")
        #expect(bench.raft.commitIndex == 3)
    }

    /// State machine safety, and all that figure 3 promises, under faults; `RandomFaultTests` goes further.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `5.4.3: no two nodes apply different entries`(seed: UInt64) {
        let cluster = Cluster(voters: ["n1", "n2", "n3", "n4", "n5"], seed: seed)
        var random = RandomSource(seed: seed)
        cluster.delays = { _ in
            random.next(below: 10) == 0 ? [] : [random.next(below: 20_000_000)]
        }
        for number in 0..<200 {
            let id = cluster.ids[number % 5]
            if number % 13 == 0, cluster[id].isUp { cluster.crash(id) }
            if number % 13 == 6 { for other in cluster.ids { cluster.restart(other) } }
            if let leader = cluster.leader, cluster[leader].raft.acceptsProposals {
                cluster.propose("c\(number)", on: leader)
            }
            cluster.run(for: 50_000_000)
        }
        for id in cluster.ids { cluster.restart(id) }
        cluster.delays = { _ in [0] }
        cluster.run(for: 3_000_000_000)
        #expect(Set(cluster.ids.map { cluster[$0].appliedHash }).count == 1)
        #expect(cluster["n1"].appliedIndex > 100)
        #expect(cluster.oracle.faults == [])
    }

    @Test func `5.5: a follower that crashed goes on where its disk ends`() {
        let cluster = Cluster(voters: ["n1", "n2", "n3"])
        cluster.elect("n1")
        cluster["n3"].isDiskHeld = true
        cluster.propose("a", on: "n1")
        cluster.settle()
        cluster.crash("n3")
        #expect(cluster["n3"].disk.lastIndex == 1)
        cluster.restart("n3")
        cluster["n3"].isDiskHeld = false
        cluster.run(for: 1_000_000_000)
        #expect(cluster["n3"].appliedCommands == ["a"])
        #expect(cluster.oracle.faults == [])
    }

    @Test func `5.5: a candidate that crashed keeps its term and vote`() {
        let cluster = Cluster(voters: ["n1", "n2", "n3"])
        cluster.passes = { !$0.body.text.hasPrefix("vote") }
        cluster.elect("n1")
        #expect(cluster["n1"].raft.role == .candidate)
        cluster.crash("n1")
        cluster.restart("n1")
        #expect(cluster["n1"].raft.hardState == HardState(term: 1, vote: "n1"))
    }

    @Test func `5.6: a heartbeat is a fraction of an election timeout`() {
        let settings = Settings()
        #expect(settings.heartbeatNanoseconds * 5 <= settings.electionNanoseconds)
    }
}
