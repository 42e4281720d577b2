import Testing

@testable import Raft

/// Sections 5.3 and 5.4.2 of the paper, and the flow of entries to the peers.
@Suite struct ReplicationTests {
    private let settings = Settings()

    /// Figure 7: a leader comes to power over logs that lack entries, have others, or both.
    @Test func figure7DivergentLogsAreReconciled() {
        let voters: [NodeID] = ["lead", "a", "b", "c", "d", "e", "f"]
        let logs: [(NodeID, [Term])] = [
            ("lead", [1, 1, 1, 4, 4, 5, 5, 6, 6, 6]),
            ("a", [1, 1, 1, 4, 4, 5, 5, 6, 6]),
            ("b", [1, 1, 1, 4]),
            ("c", [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]),
            ("d", [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]),
            ("e", [1, 1, 1, 4, 4, 4, 4]),
            ("f", [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]),
        ]
        let cluster = Cluster(
            logs.map { ($0.0, Recovered(voters: voters, terms: $0.1, term: 7)) })
        cluster.elect("lead")
        #expect(cluster.leader == "lead")
        cluster.run(for: 2 * settings.heartbeatNanoseconds)
        for id in voters {
            #expect(cluster[id].log == "1 1 1 4 4 5 5 6 6 6 8", "\(id)")
            #expect(cluster[id].appliedIndex == 11)
        }
        #expect(cluster.oracle.faults == [])
    }

    /// How one of them goes: a whole term is skipped with each refusal.
    @Test func refusalSkipsATermAtATime() throws {
        var bench = Bench(terms: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6], term: 7)
        try bench.lead()
        // n3 has 1 1 1 2 2 2 3 3 3 3 3, as f in figure 7.
        let first = bench.reply(
            .conflict(previousIndex: 10, conflictTerm: 3, firstOfTerm: 7), from: "n3")
        #expect(first.sent == ["n1→n3 t8 append 3/1 [4/4 5/4 6/5 7/5 8/6 9/6 10/6 11/8] commit 0"])
        // n3's entry 3 is the leader's: one refusal was enough.
        let second = bench.reply(.matched(11), from: "n3")
        #expect(second.sent == ["n1→n3 t8 append 11/8 [] commit 11"])
    }

    @Test func aShortLogIsContinuedWhereItEnds() throws {
        var bench = Bench(terms: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6], term: 7)
        try bench.lead()
        let effects = bench.reply(
            .conflict(previousIndex: 10, conflictTerm: 0, firstOfTerm: 5), from: "n3")
        #expect(effects.sent == ["n1→n3 t8 append 4/4 [5/4 6/5 7/5 8/6 9/6 10/6 11/8] commit 0"])
    }

    /// e in figure 7 has more entries of term 4: the leader's last one of that term is shared.
    @Test func aTermInBothLogsIsKept() throws {
        var bench = Bench(terms: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6], term: 7)
        try bench.lead()
        let effects = bench.reply(
            .conflict(previousIndex: 7, conflictTerm: 4, firstOfTerm: 4), from: "n3")
        #expect(effects.sent == [])
        let again = bench.reply(
            .conflict(previousIndex: 10, conflictTerm: 4, firstOfTerm: 4), from: "n3")
        #expect(again.sent == ["n1→n3 t8 append 5/4 [6/5 7/5 8/6 9/6 10/6 11/8] commit 0"])
    }

    /// Figure 8: an entry of an earlier term on a majority is not committed by that, and may be lost.
    @Test func figure8EarlierTermsAreNotCommittedByCounting() {
        let voters: [NodeID] = ["s1", "s2", "s3", "s4", "s5"]
        // (c): s1 leads term 4 and has replicated the entry of term 2 to a majority, nothing of its own.
        let logs: [(NodeID, [Term])] = [
            ("s1", [1, 2]), ("s2", [1, 2]), ("s3", [1]), ("s4", [1]), ("s5", [1, 3]),
        ]
        let cluster = Cluster(
            logs.map { ($0.0, Recovered(voters: voters, terms: $0.1, term: 3)) })
        cluster.passes = { message in
            guard case .append(let append) = message.body, message.from == "s1" else {
                return message.from != "s5" && message.to != "s5"
            }
            // Everything of term 4 is lost on the way; the entry of term 2 arrives.
            return !append.entries.contains { $0.term == 4 } && message.to != "s5"
        }
        cluster.elect("s1")
        #expect(cluster.leader == "s1" && cluster["s1"].raft.term == 4)
        let onlyTermTwo = Message.Append(
            previousIndex: 1, previousTerm: 1, commit: 0, entries: entries([2], from: 2), round: 1)
        for id in ["s2", "s3"] as [NodeID] {
            let message = Message(from: "s1", to: id, term: 4, body: .append(onlyTermTwo))
            cluster.turn(id, [.receive(message)])
        }
        cluster.settle()
        #expect(cluster["s1"].raft.peerProgress("s2")?.match == 2)
        #expect(cluster["s3"].log == "1 2")
        #expect(cluster["s1"].raft.peerProgress("s3")?.match == 2)
        #expect(cluster["s1"].raft.commitIndex == 0)
        // (d): s5 is elected and overwrites it everywhere.
        cluster.crash("s1")
        cluster.passes = { _ in true }
        // Its first try only teaches it the term.
        cluster.elect("s5")
        #expect(cluster["s5"].raft.term == 4)
        cluster.elect("s5")
        cluster.run(for: 2 * settings.heartbeatNanoseconds)
        #expect(cluster["s3"].log == "1 3 5")
        #expect(cluster.oracle.faults == [])
    }

    /// (e): once an entry of its own term is on a majority, both are committed.
    @Test func figure8EarlierTermsCommitWithOneOfThisTerm() throws {
        var bench = Bench(terms: [1, 2], term: 3)
        try bench.lead()
        _ = bench.reply(.matched(2), from: "n2")
        #expect(bench.raft.commitIndex == 0)
        _ = bench.reply(.matched(3), from: "n2")
        #expect(bench.raft.commitIndex == 3)
    }

    @Test func aCommitIndexIsPassedOnAtOnce() throws {
        let cluster = Cluster(voters: ["n1", "n2", "n3"])
        cluster.elect("n1")
        cluster.propose("a", on: "n1")
        cluster.settle()
        for id in cluster.ids { #expect(cluster[id].appliedCommands == ["a"]) }
    }

    /// A follower may not take the leader's commit index for entries nobody compared.
    @Test func commitStopsAtWhatTheMessageVerified() throws {
        var bench = Bench(terms: [1, 1, 1])
        _ = bench.receive(append(after: 1, 1, commit: 3), from: "n2", term: 2)
        #expect(bench.raft.commitIndex == 1)
        #expect(bench.raft.announcedCommitIndex == 3)
    }

    /// Also to one that lacks much of it: that is how it knows that it does.
    @Test func theCommitIndexIsToldWhole() throws {
        var leader = Bench(terms: [1, 1, 1])
        try leader.lead()
        _ = leader.acknowledge(from: "n2")
        #expect(leader.raft.commitIndex == 4)
        _ = leader.reply(.conflict(previousIndex: 3, conflictTerm: 0, firstOfTerm: 2), from: "n3")
        let heartbeat = leader.tick(after: settings.heartbeatNanoseconds)
        #expect(
            heartbeat.sent == [
                "n1→n2 t2 append 4/2 [] commit 4", "n1→n3 t2 append 1/1 [] commit 4",
            ])
    }

    /// A late append with fewer entries must not cut off what was acknowledged since.
    @Test func delayedAppendsCutNothingOff() {
        var bench = Bench()
        _ = bench.receive(append(after: 0, 0, [1, 1, 1]), from: "n2", term: 1)
        _ = bench.sync()
        let late = bench.receive(append(after: 0, 0, [1], round: 2), from: "n2", term: 1)
        #expect(bench.raft.logText == "1 1 1")
        #expect(late.batches.isEmpty)
        #expect(late.sent == ["n1→n2 t1 matched 3"])
    }

    @Test func malformedAppendsAreIgnored() {
        var bench = Bench(terms: [1])
        var entry = entries([1], from: 3)
        let gap = Message.Append(
            previousIndex: 1, previousTerm: 1, commit: 9, entries: entry, round: 1)
        #expect(bench.receive(.append(gap), from: "n2", term: 1).sent == [])
        entry[0].index = 2
        entry[0].term = 5
        let future = Message.Append(
            previousIndex: 1, previousTerm: 1, commit: 9, entries: entry, round: 1)
        #expect(bench.receive(.append(future), from: "n2", term: 1).sent == [])
        #expect(bench.raft.lastIndex == 1 && bench.raft.commitIndex == 0)
    }

    @Test func matchNeverFalls() throws {
        var bench = Bench(terms: [1, 1, 1])
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        _ = bench.reply(.matched(2), from: "n2")
        _ = bench.reply(.conflict(previousIndex: 2, conflictTerm: 0, firstOfTerm: 1), from: "n2")
        #expect(bench.raft.peerProgress("n2")?.match == 4)
        #expect(bench.raft.peerProgress("n2")?.mode == .replicate)
        #expect(bench.raft.peerProgress("n2")?.next == 5)
    }

    @Test func repliesBeyondTheLogAreIgnored() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.reply(.matched(99), from: "n2")
        #expect(bench.raft.peerProgress("n2")?.match == 0)
        #expect(bench.raft.commitIndex == 0)
    }

    @Test func windowsAreLimitedInMessagesAndBytes() throws {
        var settings = Settings()
        settings.maxInFlightMessages = 3
        settings.maxAppendBytes = 100
        settings.maxInFlightBytes = 10_000
        var bench = Bench(terms: [1], settings: settings)
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        func appends(_ effects: [Effect]) -> Int {
            effects.sent.count { $0.hasPrefix("n1→n2") }
        }
        // Each fills a message.
        let sent = (0..<5).map { _ in
            appends(bench.turn(.propose(Array(repeating: 1, count: 90))))
        }
        #expect(sent == [1, 1, 1, 0, 0])
        #expect(bench.raft.peerProgress("n2")?.inFlightMessages == 3)
        // The first is answered: there is room for one more.
        #expect(appends(bench.reply(.matched(3), from: "n2")) == 1)
        #expect(bench.raft.peerProgress("n2")?.inFlightMessages == 3)

        settings.maxInFlightMessages = 100
        settings.maxInFlightBytes = 200
        var other = Bench(terms: [1], settings: settings)
        try other.lead()
        _ = other.acknowledge(from: "n2")
        let counts = (0..<4).map { _ in
            appends(other.turn(.propose(Array(repeating: 1, count: 90))))
        }
        #expect(counts == [1, 1, 0, 0])
    }

    /// Whoever drives the core has other things to do as well.
    @Test func oneThatLagsIsServedInPortions() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        let proposals = (0..<80).map { _ in Input.propose(Array(repeating: 1, count: 125_000)) }
        func appends(_ effects: [Effect]) -> Int {
            effects.sent.count { $0.hasPrefix("n1→n2") }
        }
        var sent = [appends(bench.turn(proposals))]
        while bench.raft.nextDeadline <= bench.now, sent.count < 40 {
            sent.append(appends(bench.turn(.tick)))
        }
        // Two entries fill a message, 34 messages the window.
        #expect(sent == Array(repeating: 2, count: 17))
        #expect(bench.raft.peerProgress("n2")?.inFlightBytes ?? 0 >= 8 << 20)
    }

    @Test func messagesAreLimitedInBytes() throws {
        var settings = Settings()
        settings.maxAppendBytes = 100
        var bench = Bench(terms: [1], settings: settings)
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        let effects = bench.turn(.propose([1]), .propose([2]), .propose([3]), .propose([4]))
        #expect(
            effects.sent.filter { $0.hasPrefix("n1→n2") } == [
                "n1→n2 t2 append 2/2 [3/2 4/2 5/2] commit 2", "n1→n2 t2 append 5/2 [6/2] commit 2",
            ])
    }

    /// What is in flight to a dead peer must not count for ever.
    @Test func aDeadPeersWindowDoesNotLeak() throws {
        let cluster = Cluster(voters: ["n1", "n2", "n3"])
        cluster.elect("n1")
        cluster.run(for: settings.heartbeatNanoseconds)
        cluster.crash("n3")
        cluster.propose("a", on: "n1")
        #expect(cluster["n1"].raft.peerProgress("n3")?.inFlightMessages == 1)
        cluster.run(for: 2 * settings.electionNanoseconds)
        #expect(cluster["n1"].raft.peerProgress("n3")?.mode == .probe)
        #expect(cluster["n1"].raft.peerProgress("n3")?.inFlightMessages == 0)
        cluster.propose("b", on: "n1")
        #expect(cluster["n1"].raft.peerProgress("n3")?.inFlightMessages == 0)
        cluster.restart("n3")
        cluster.run(for: settings.heartbeatNanoseconds)
        #expect(cluster["n3"].appliedCommands == ["a", "b"])
        #expect(cluster["n1"].raft.peerProgress("n3")?.mode == .replicate)
    }

    /// Without any reply to it, a lost append is found out by the next heartbeat.
    @Test func lostAppendsAreSentAgain() throws {
        let cluster = Cluster(voters: ["n1", "n2", "n3"])
        cluster.elect("n1")
        cluster.run(for: settings.heartbeatNanoseconds)
        var lost = 0
        cluster.passes = { message in
            guard case .append(let append) = message.body, !append.entries.isEmpty else {
                return true
            }
            lost += 1
            return false
        }
        cluster.propose("a", on: "n1")
        cluster.settle()
        #expect(lost == 2)
        cluster.passes = { _ in true }
        cluster.run(for: settings.heartbeatNanoseconds)
        for id in cluster.ids { #expect(cluster[id].appliedCommands == ["a"]) }
    }

    @Test func anIdleClusterOnlyBeats() throws {
        let cluster = Cluster(voters: ["n1", "n2", "n3"])
        cluster.elect("n1")
        cluster.run(for: settings.heartbeatNanoseconds)
        let before = cluster.sentMessages
        cluster.run(for: 20 * settings.heartbeatNanoseconds)
        // Two appends and two replies each time.
        #expect(cluster.sentMessages - before == 20 * 4)
    }

    @Test func proposalsAreRefusedWhenTooMuchIsUncommitted() throws {
        var settings = Settings()
        settings.maxUncommittedBytes = 200
        var bench = Bench(terms: [1], settings: settings)
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        #expect(bench.raft.acceptsProposals)
        _ = bench.turn(.propose(Array(repeating: 0, count: 200)))
        #expect(!bench.raft.acceptsProposals)
        _ = bench.acknowledge(from: "n2")
        _ = bench.acknowledge(from: "n3")
        // Committed by the others: what waits for the own disk counts as well.
        #expect(bench.raft.commitIndex == 3 && !bench.raft.acceptsProposals)
        _ = bench.sync()
        #expect(bench.raft.acceptsProposals)
    }

    @Test func learnersGetEntriesAndDoNotCount() throws {
        let cluster = Cluster(voters: ["n1", "n2", "n3"], learners: ["n4", "n5"])
        cluster.elect("n1")
        cluster.propose("a", on: "n1")
        cluster.settle()
        #expect(cluster["n4"].appliedCommands == ["a"])
        cluster.crash("n2")
        cluster.crash("n3")
        cluster.propose("b", on: "n1")
        cluster.settle()
        #expect(cluster["n1"].appliedCommands == ["a"])
        #expect(cluster["n1"].raft.peerProgress("n5")?.match == cluster["n1"].raft.lastIndex)
    }
}
