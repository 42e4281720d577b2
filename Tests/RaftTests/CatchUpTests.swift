import Testing

@testable import Raft

@Suite struct CatchUpTests {
    private let settings = Settings()

    /// Rounds of that length, after each of which something more was appended.
    private func done(after rounds: Int, of length: Nanoseconds) -> Bool {
        var catchUp = CatchUp()
        var now: Nanoseconds = 1_000
        catchUp.note(match: 0, lastIndex: 10, now: now, settings: settings)
        for round in 0..<rounds {
            now += length
            let match = Index(10 * (round + 1))
            catchUp.note(match: match, lastIndex: match + 10, now: now, settings: settings)
        }
        return catchUp.isDone(now: now, settings: settings)
    }

    @Test func aShortRoundIsEnough() {
        #expect(!done(after: 0, of: 1_000_000))
        #expect(done(after: 1, of: settings.heartbeatNanoseconds - 1))
        #expect(!done(after: 1, of: settings.heartbeatNanoseconds))
    }

    @Test func afterManyRoundsOneShorterThanAnElectionIs() {
        let length = settings.electionNanoseconds - 1
        #expect(!done(after: CatchUp.hopefulRounds, of: length))
        #expect(done(after: CatchUp.hopefulRounds + 1, of: length))
        #expect(!done(after: 100, of: settings.electionNanoseconds))
    }

    @Test func whoHasEverythingIsDoneHoweverLongThatTook() {
        var catchUp = CatchUp()
        catchUp.note(match: 0, lastIndex: 10, now: 1, settings: settings)
        let later = settings.electionNanoseconds * 9
        catchUp.note(match: 10, lastIndex: 10, now: later, settings: settings)
        #expect(catchUp.isDone(now: later, settings: settings))
    }

    @Test func whoFallsBehindAgainIsNot() {
        var catchUp = CatchUp()
        catchUp.note(match: 5, lastIndex: 5, now: 1, settings: settings)
        catchUp.note(match: 5, lastIndex: 9, now: 2, settings: settings)
        catchUp.note(match: 5, lastIndex: 99, now: 3, settings: settings)
        #expect(catchUp.isDone(now: 4, settings: settings))
        #expect(!catchUp.isDone(now: 3 + settings.electionNanoseconds, settings: settings))
        catchUp.note(match: 9, lastIndex: 99, now: 9_000_000_000, settings: settings)
        #expect(!catchUp.isDone(now: 9_000_000_000, settings: settings))
    }

    /// It is served what is left with the heartbeats, so that those who serve have something of the disk and the
    /// processors, too; voters wait for nothing.
    @Test func aNewcomerIsServedInPortions() throws {
        var settings = Settings()
        settings.maxAppendBytes = 1_000
        settings.learnerBytesPerHeartbeat = 10_000
        settings.maxInFlightMessages = 1_000
        var bench = Bench(terms: [1], settings: settings)
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        _ = bench.turn(.changeMembership(voters: ["n1", "n2", "n3", "n4"]))
        _ = bench.sync()
        _ = bench.acknowledge(from: "n2")
        // One to a message, as none has room for two.
        func entries(_ effects: [Effect], to peer: String) -> Int {
            effects.sent.count { $0.hasPrefix("n1→\(peer)") && !$0.contains("[]") }
        }
        let burst = (0..<40).map { _ in Input.propose(Array(repeating: 1, count: 900)) }
        let toAVoter = entries(bench.turn(burst), to: "n2")
        #expect(toAVoter == 40)
        let first = entries(bench.reply(.matched(1), from: "n4"), to: "n4")
        #expect((9...12).contains(first))
        let more = entries(bench.turn(.tick), to: "n4")
        #expect(more == 0)
        // Twice of what came meanwhile is more than what is left.
        let rest = entries(bench.tick(after: settings.heartbeatNanoseconds), to: "n4")
        #expect(rest > 25)
        #expect(bench.raft.configuration.learners == ["n4"])
    }

    /// With two of four voters gone the commit index would wait for the newcomer's disk, however little it lacks.
    @Test func aNewcomerWhoseDiskIsSlowHasNoVoteYet() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        _ = bench.turn(.changeMembership(voters: ["n1", "n2", "n3", "n4"]))
        _ = bench.sync()
        _ = bench.reply(.matched(bench.raft.lastIndex), from: "n2")
        for _ in 0..<3 {
            let sent = bench.raft.lastIndex
            _ = bench.turn(.propose([1]))
            bench.now += settings.heartbeatNanoseconds
            _ = bench.reply(.matched(sent), from: "n4")
            #expect(bench.raft.configuration.learners == ["n4"])
        }
        _ = bench.reply(.matched(bench.raft.lastIndex), from: "n4")
        #expect(bench.raft.configuration.outgoing == ["n1", "n2", "n3"])
    }
}
