import Scheduler
import Testing

@testable import Node

@Suite struct LeaderDutiesTests {
    private func duties(wall: Int64 = 5_000, state: Int64 = 0) -> LeaderDuties {
        LeaderDuties(
            term: 2, readyIndex: 10, clock: Clock(monotonic: 1_000_000_000, wall: wall),
            stateTime: state)
    }

    @Test func timeFollowsTheMonotonicClock() {
        #expect(duties().time(at: 1_000_000_000) == 5_000)
        #expect(duties().time(at: 1_001_999_999) == 5_001)
        #expect(duties(state: 9_000).time(at: 1_000_000_000) == 9_000)
    }

    @Test func advancesOnlyWhenSomethingIsDue() {
        var duties = duties()
        #expect(duties.advanceTime(nextWake: 5_001, applied: 10, now: 1_000_999_999) == nil)
        #expect(duties.nextDeadline(nextWake: 5_001, applied: 10) == 1_000_000_000)
        _ = duties.lostWorkers(
            Scheduler(), own: "n1", applied: 10, timeout: 2_000_000_000, now: 1_000_000_000)
        #expect(duties.nextDeadline(nextWake: 5_001, applied: 10) == 1_001_000_000)
        #expect(duties.advanceTime(nextWake: 5_001, applied: 10, now: 1_001_000_000) == 5_001)
        #expect(duties.advanceTime(nextWake: nil, applied: 10, now: 9_001_000_000) == nil)
    }

    @Test func waitsForItsTermAndForTheLastAdvance() {
        var duties = duties()
        #expect(duties.advanceTime(nextWake: 1, applied: 9, now: 1_000_000_000) == nil)
        #expect(duties.advanceTime(nextWake: 1, applied: 10, now: 1_000_000_000) != nil)
        duties.advanceProposed(at: 12)
        #expect(duties.advanceTime(nextWake: 2, applied: 11, now: 1_000_000_000) == nil)
        #expect(duties.advanceTime(nextWake: 2, applied: 12, now: 1_000_000_000) != nil)
    }

    @Test func aScheduleThatCannotBeEvaluatedSlowsAdvancesDown() {
        var duties = duties()
        duties.holdAdvance(until: 1_100_000_000)
        #expect(duties.advanceTime(nextWake: 1, applied: 10, now: 1_099_999_999) == nil)
        #expect(duties.advanceTime(nextWake: 1, applied: 10, now: 1_100_000_000) != nil)
    }

    @Test func silentWorkersAreLostAfterTheTimeout() throws {
        var state = Scheduler()
        var events: [Event] = []
        var group = CommandGroup(origin: "", incarnation: 0, acknowledgedBelow: 0)
        for (sequence, id) in ["n1", "n2", "n3"].enumerated() {
            let worker = WorkerSpec(
                id: id, incarnation: 1, slots: 1, handlers: ["echo"], tags: [])
            group.append(
                sequence: UInt64(sequence), command: Command.registerWorker(worker).encoded())
        }
        try state.apply(
            EntryPayload(time: 1, groups: [group]).encoded(), index: 10, into: &events)
        var duties = duties()
        func lost(_ now: UInt64) -> [String] {
            duties.lostWorkers(state, own: "n1", applied: 10, timeout: 2_000_000_000, now: now)
                .map(\.id)
        }
        #expect(lost(1_000_000_000) == [])
        duties.heard("n2", at: 2_000_000_000)
        #expect(lost(3_000_000_000) == ["n3"])
        duties.lossProposed(of: "n3", at: 11)
        #expect(lost(3_900_000_000) == [])
        #expect(lost(4_000_000_000) == ["n2"])
    }
}
