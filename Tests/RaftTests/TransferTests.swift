import Testing

@testable import Raft

@Suite struct TransferTests {
    private let settings = Settings()

    @Test func leadershipMovesToTheChosenMember() {
        let cluster = Cluster(voters: ["n1", "n2", "n3"])
        cluster.elect("n1")
        cluster.run(for: settings.heartbeatNanoseconds)
        cluster.isTracing = true
        cluster.turn("n1", [.transferLeadership(to: "n3")])
        cluster.settle()
        #expect(
            cluster.takeTrace().split(separator: "\n").prefix(7).joined(separator: "\n") == """
                n1→n3 t1 timeoutNow
                n3 candidate term 2 leader -
                n3→n1 t2 vote? 1/1 transfer
                n3→n2 t2 vote? 1/1 transfer
                n1 follower term 2 leader -
                n2 follower term 2 leader -
                n1→n3 t2 vote yes
                """)
        #expect(cluster.leaders == ["n3"])
        #expect(cluster.oracle.faults == [])
    }

    @Test func theTargetCatchesUpFirst() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        _ = bench.turn(.propose([1]))
        let begun = bench.turn(.transferLeadership(to: "n2"))
        #expect(begun.sent == [])
        #expect(!bench.raft.acceptsProposals)
        #expect(bench.acknowledge(from: "n2").sent.contains("n1→n2 t2 timeoutNow"))
    }

    @Test func withoutATargetTheLongestLogIsChosen() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.acknowledge(from: "n3")
        #expect(bench.turn(.transferLeadership(to: nil)).sent == ["n1→n3 t2 timeoutNow"])
    }

    @Test func itIsGivenUpAfterAnElectionTimeout() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        _ = bench.turn(.transferLeadership(to: "n3"))
        #expect(!bench.raft.acceptsProposals)
        for _ in 0..<6 {
            _ = bench.tick(after: settings.heartbeatNanoseconds)
            _ = bench.acknowledge(from: "n2")
        }
        #expect(bench.raft.acceptsProposals && bench.raft.role == .leader)
    }

    /// From the moment the target may stand, contact with a majority proves nothing about the future.
    @Test func contactDoesNotAdvanceMeanwhile() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        _ = bench.turn(.transferLeadership(to: "n2"))
        let sentAt = bench.now
        _ = bench.tick(after: settings.heartbeatNanoseconds)
        _ = bench.acknowledge(from: "n3")
        let contact = try #require(bench.raft.lastQuorumContact(now: bench.now))
        #expect(contact <= sentAt)
    }

    @Test func onlyVotersAndOnlyOthers() throws {
        var bench = Bench(
            "n1", Recovered(voters: ["n1", "n2", "n3"], learners: ["n4"], terms: [1]))
        try bench.lead()
        for target in ["n1", "n4", "n9"] as [NodeID] {
            _ = bench.turn(.transferLeadership(to: target))
            #expect(bench.raft.acceptsProposals)
        }
    }

    @Test func onlyTheLeaderMayHandOver() {
        var bench = Bench(terms: [1])
        _ = bench.receive(append(after: 1, 1), from: "n2", term: 1)
        _ = bench.receive(.timeoutNow, from: "n3", term: 1)
        #expect(bench.raft.role == .follower)
        _ = bench.receive(.timeoutNow, from: "n2", term: 1)
        #expect(bench.raft.role == .candidate)
    }
}
