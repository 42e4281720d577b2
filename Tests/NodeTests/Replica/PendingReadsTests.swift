import Testing

@testable import Node

@Suite struct PendingReadsTests {
    @Test func readsOfOneTurnShareARound() throws {
        var reads = PendingReads(incarnation: 3)
        reads.add(1)
        reads.add(2)
        let roundStarted = reads.startRound(now: 0)
        let round = try #require(roundStarted)
        let found1 = reads.startRound(now: 0)
        #expect(found1 == nil)
        #expect(round >> 32 == 3)
        reads.confirm(round, at: 10)
        let found2 = reads.takeReady(applied: 9)
        #expect(found2 == [])
        let found3 = reads.takeReady(applied: 10)
        #expect(found3 == [1, 2])
        let found4 = reads.takeReady(applied: 10)
        #expect(found4 == [])
    }

    @Test func aFailedRoundIsAskedAgainUnderANewID() throws {
        var reads = PendingReads(incarnation: 1)
        reads.add(1)
        let firstStarted = reads.startRound(now: 0)
        let first = try #require(firstStarted)
        reads.fail(first, retryAt: 50)
        let found5 = reads.startRound(now: 49)
        #expect(found5 == nil)
        #expect(reads.nextDeadline == 50)
        let secondStarted = reads.startRound(now: 50)
        let second = try #require(secondStarted)
        #expect(second != first)
        reads.confirm(first, at: 1)
        let found6 = reads.takeReady(applied: 5)
        #expect(found6 == [])
        reads.confirm(second, at: 1)
        let found7 = reads.takeReady(applied: 5)
        #expect(found7 == [1])
    }

    @Test func aNewLeaderIsAskedAtOnceButAConfirmedIndexStays() throws {
        var reads = PendingReads(incarnation: 1)
        reads.add(1)
        let firstStarted = reads.startRound(now: 0)
        let first = try #require(firstStarted)
        reads.confirm(first, at: 7)
        reads.add(2)
        _ = reads.startRound(now: 0)
        reads.leaderChanged()
        let found8 = reads.takeReady(applied: 7)
        #expect(found8 == [1])
        let found9 = reads.startRound(now: 1)
        #expect(found9 != nil)
    }

    @Test func anAbandonedReadIsForgotten() throws {
        var reads = PendingReads(incarnation: 1)
        reads.add(1)
        let roundStarted = reads.startRound(now: 0)
        let round = try #require(roundStarted)
        reads.abandon(1)
        reads.confirm(round, at: 1)
        let found12 = reads.takeReady(applied: 1)
        #expect(found12 == [])
    }
}
