import Testing

@testable import Node

@Suite struct PendingReadsTests {
    @Test func readsOfOneTurnShareARound() throws {
        var reads = PendingReads(incarnation: 3)
        reads.add(1)
        reads.add(2)
        let round = try #require(reads.startRound(now: 0))
        #expect(reads.startRound(now: 0) == nil)
        #expect(round >> 32 == 3)
        reads.confirm(round, at: 10)
        #expect(reads.takeReady(applied: 9) == [])
        #expect(reads.takeReady(applied: 10) == [1, 2])
        #expect(reads.takeReady(applied: 10) == [])
    }

    @Test func aFailedRoundIsAskedAgainUnderANewID() throws {
        var reads = PendingReads(incarnation: 1)
        reads.add(1)
        let first = try #require(reads.startRound(now: 0))
        reads.fail(first, retryAt: 50)
        #expect(reads.startRound(now: 49) == nil)
        #expect(reads.nextDeadline(timeout: 1000, retries: true) == 50)
        #expect(reads.nextDeadline(timeout: 1000, retries: false) == nil)
        let second = try #require(reads.startRound(now: 50))
        #expect(second != first)
        reads.confirm(first, at: 1)
        #expect(reads.takeReady(applied: 5) == [])
        reads.confirm(second, at: 1)
        #expect(reads.takeReady(applied: 5) == [1])
    }

    @Test func aNewLeaderIsAskedAtOnceButAConfirmedIndexStays() throws {
        var reads = PendingReads(incarnation: 1)
        reads.add(1)
        let first = try #require(reads.startRound(now: 0))
        reads.confirm(first, at: 7)
        reads.add(2)
        _ = reads.startRound(now: 0)
        reads.leaderChanged()
        #expect(reads.takeReady(applied: 7) == [1])
        #expect(reads.startRound(now: 1) != nil)
    }

    @Test func aLostRoundExpires() throws {
        var reads = PendingReads(incarnation: 1)
        reads.add(1)
        _ = reads.startRound(now: 100)
        #expect(reads.nextDeadline(timeout: 300, retries: true) == 400)
        reads.expireRounds(now: 399, timeout: 300)
        #expect(reads.startRound(now: 399) == nil)
        reads.expireRounds(now: 400, timeout: 300)
        #expect(reads.startRound(now: 400) != nil)
    }

    @Test func anAbandonedReadIsForgotten() throws {
        var reads = PendingReads(incarnation: 1)
        reads.add(1)
        let round = try #require(reads.startRound(now: 0))
        reads.abandon(1)
        reads.confirm(round, at: 1)
        #expect(reads.takeReady(applied: 1) == [])
    }
}
