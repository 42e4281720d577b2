import Testing

@testable import Raft

@Suite struct ReadTests {
    private let settings = Settings()

    private func reads(_ effects: [Effect]) -> [Effect] {
        effects.filter { effect in
            switch effect {
            case .readReady, .readFailed: true
            default: false
            }
        }
    }

    @Test func everyNodeReadsWhatIsCommitted() throws {
        let cluster = Cluster(voters: ["n1", "n2", "n3"], learners: ["n4"])
        cluster.elect("n1")
        cluster.propose("a", on: "n1")
        cluster.settle()
        for id in cluster.ids {
            let read = cluster.read(on: id)
            cluster.settle()
            #expect(cluster[id].readAnswers[read] == .ready(2))
        }
        #expect(cluster.oracle.faults == [])
    }

    @Test func aLeaderAloneAnswersAtOnce() {
        let cluster = Cluster(voters: ["n1"])
        cluster.settle()
        let read = cluster.read(on: "n1")
        #expect(cluster["n1"].readAnswers[read] == .ready(1))
    }

    /// An answer to a round that was sent before the read came proves nothing about it.
    @Test func onlyALaterRoundCounts() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        _ = bench.tick(after: settings.heartbeatNanoseconds)
        let old = try #require(bench.raft.leadership?.round)
        let asked = bench.turn(.read(5))
        #expect(asked.sent.count == 2 && reads(asked) == [])
        let stale = Message.AppendReply(round: old, outcome: .received)
        #expect(reads(bench.receive(.appendReply(stale), from: "n2", term: 2)) == [])
        #expect(reads(bench.reply(.received, from: "n2")) == [.readReady(5, 2)])
    }

    @Test func oneRoundServesAllReadsOfATurn() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        _ = bench.acknowledge(from: "n3")
        let request = Message(from: "n3", to: "n1", term: 2, body: .readRequest(77))
        let effects = bench.turn(.read(1), .read(2), .receive(request))
        #expect(effects.sent.count == 2)
        let answered = bench.reply(.received, from: "n2")
        #expect(reads(answered) == [.readReady(1, 2), .readReady(2, 2)])
        #expect(answered.sent == ["n1→n3 t2 read 2"])
    }

    /// A new leader may not know yet what is committed.
    @Test func noReadBeforeTheTermsFirstCommit() throws {
        var bench = Bench(terms: [1, 1])
        try bench.lead()
        #expect(bench.raft.commitIndex == 0)
        #expect(reads(bench.turn(.read(1))) == [])
        #expect(reads(bench.reply(.received, from: "n2")) == [])
        let committed = bench.acknowledge(from: "n2")
        #expect(bench.raft.commitIndex == 3)
        #expect(reads(committed) == [])
        #expect(reads(bench.reply(.received, from: "n2")) == [.readReady(1, 3)])
    }

    @Test func readsFailWithTheLeadership() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        let request = Message(from: "n3", to: "n1", term: 2, body: .readRequest(77))
        _ = bench.turn(.read(1), .receive(request))
        let effects = bench.receive(append(after: 0, 0), from: "n2", term: 3)
        #expect(reads(effects) == [.readFailed(1)])
        // The answer is of the term that is ending, and waits for nothing that matters.
        #expect((effects + bench.sync()).sent.contains { $0.hasSuffix("read no") })
    }

    @Test func withoutALeaderReadsFailAtOnce() {
        var bench = Bench(terms: [1])
        #expect(reads(bench.turn(.read(3))) == [.readFailed(3)])
    }

    @Test func aFollowersReadsFailWithItsLeader() {
        var bench = Bench(terms: [1])
        _ = bench.receive(append(after: 1, 1), from: "n2", term: 1)
        let asked = bench.turn(.read(1), .read(2))
        #expect(asked.sent == ["n1→n2 t1 read?"])
        #expect(reads(bench.turn(.peerLost("n2"))) == [.readFailed(1), .readFailed(2)])
    }

    @Test func unansweredRequestsAreGivenUp() {
        var bench = Bench(terms: [1])
        _ = bench.receive(append(after: 1, 1), from: "n2", term: 1)
        _ = bench.turn(.read(1))
        bench.now += settings.electionNanoseconds / 2
        _ = bench.receive(append(after: 1, 1, round: 2), from: "n2", term: 1)
        #expect(bench.raft.nextDeadline == bench.now + settings.electionNanoseconds / 2)
        #expect(reads(bench.tick(after: settings.electionNanoseconds / 2)) == [.readFailed(1)])
    }

    /// To the leader and back takes longer than an election timeout; heartbeats come often enough all the same.
    @Test func aReadIsAnsweredHoweverFarTheLeaderIs() throws {
        let cluster = Cluster(voters: ["n1", "n2", "n3"])
        cluster.elect("n1")
        cluster.propose("a", on: "n1")
        cluster.run(for: 200_000_000)
        cluster.delays = { _ in [self.settings.electionNanoseconds * 2 / 5] }
        cluster.run(for: 2 * settings.electionNanoseconds)
        #expect(cluster["n1"].raft.role == .leader)
        func failuresUntilAnAnswer() -> Int {
            var failures = 0
            var read = cluster.read(on: "n2")
            let isAnswered = cluster.run {
                guard let answer = cluster["n2"].readAnswers[read] else { return false }
                guard answer == .failed else { return true }
                failures += 1
                read = cluster.read(on: "n2")
                return false
            }
            #expect(isAnswered)
            return failures
        }
        let first = failuresUntilAnAnswer()
        #expect(first == 1)
        let second = failuresUntilAnAnswer()
        #expect(second == 0, "what was learned stays")
        #expect(cluster.oracle.faults == [])
    }

    /// A reply to a request of an earlier run of this node must not answer a later one.
    @Test func requestsOfDifferentRunsHaveDifferentNames() throws {
        func wireID(seed: UInt64) throws -> ReadID {
            var raft = Raft(
                id: "n1", settings: settings,
                recovered: Recovered(voters: ["n1", "n2"], terms: [1]), now: 1, seed: seed)
            var effects: [Effect] = []
            let heartbeat = Message(from: "n2", to: "n1", term: 1, body: append(after: 1, 1))
            raft.step(.receive(heartbeat), now: 1, into: &effects)
            raft.step(.read(1), now: 1, into: &effects)
            raft.finishTurn(now: 1, into: &effects)
            for case .send(let message) in effects {
                if case .readRequest(let id) = message.body { return id }
            }
            return try #require(nil as ReadID?)
        }
        #expect(try wireID(seed: 1) != wireID(seed: 2))
    }

    /// A deposed leader that does not know it yet cannot answer.
    @Test func aDeposedLeaderServesNoRead() {
        let cluster = Cluster(voters: ["n1", "n2", "n3"])
        cluster.elect("n1")
        cluster.passes = { $0.from != "n1" && $0.to != "n1" }
        let read = cluster.read(on: "n1")
        cluster.run(for: 3 * settings.electionNanoseconds)
        #expect(cluster["n1"].readAnswers[read] == .failed)
        #expect(cluster.oracle.faults == [])
    }
}
