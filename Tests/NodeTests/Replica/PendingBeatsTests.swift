import Testing

@testable import Node

@Suite struct PendingBeatsTests {
    private let first = PeerMessage.Attendance.Worker(id: "w7", session: 1)
    private let second = PeerMessage.Attendance.Worker(id: "w8", session: 2)

    @Test func `a reply to an earlier round does not vouch for a later heartbeat`() {
        var beats = PendingBeats()
        beats.add(1, first)
        let early = beats.startRound(at: 10, interval: 100)
        #expect(early?.workers == [first])
        beats.remove(1)
        beats.add(2, first)
        let stale = beats.confirm([first], round: early?.round ?? 0)
        #expect(stale.isEmpty)
        let late = beats.startRound(at: 20, interval: 100)
        let confirmed = beats.confirm([first], round: late?.round ?? 0)
        #expect(confirmed == [2])
        #expect(beats.isEmpty)
    }

    @Test func `a later round carries what is still waiting, and confirms it`() {
        var beats = PendingBeats()
        beats.add(1, first)
        let early = beats.startRound(at: 10, interval: 100)
        beats.add(2, second)
        let late = beats.startRound(at: 20, interval: 100)
        #expect(late?.workers == [first, second])
        let some = beats.confirm([first, second], round: early?.round ?? 0)
        #expect(some == [1])
        let others = beats.confirm([second], round: late?.round ?? 0)
        #expect(others == [2])
    }

    @Test func `what was not confirmed is asked for again, after a while or by a new leader`() {
        var beats = PendingBeats()
        let nothing = beats.startRound(at: 5, interval: 100)
        #expect(nothing == nil)
        #expect(beats.nextDeadline == nil)
        beats.add(1, first)
        #expect(beats.nextDeadline == 0)
        _ = beats.startRound(at: 10, interval: 100)
        let soon = beats.startRound(at: 109, interval: 100)
        #expect(soon == nil)
        #expect(beats.nextDeadline == 110)
        let again = beats.startRound(at: 110, interval: 100)
        #expect(again?.workers == [first])
        beats.markAllUnsent()
        let anew = beats.startRound(at: 111, interval: 100)
        #expect(anew?.workers == [first])
    }
}
