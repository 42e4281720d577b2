import Scheduler
import Testing

@testable import Node

@Suite struct LeaderDutiesTests {
    private func duties(wall: Int64 = 5_000, state: Int64 = 0) -> LeaderDuties {
        LeaderDuties(
            term: 2, readyIndex: 10, clock: Clock(monotonic: 1_000_000_000, wall: wall),
            stateTime: state)
    }

    private static func worker(_ id: String) -> WorkerSpec {
        WorkerSpec(id: id, incarnation: 1, slots: 1, handlers: ["echo"], tags: [])
    }

    @Test func timeFollowsTheMonotonicClock() {
        #expect(duties().time(at: 1_000_000_000) == 5_000)
        #expect(duties().time(at: 1_001_999_999) == 5_001)
        #expect(duties(state: 9_000).time(at: 1_000_000_000) == 9_000)
        // Asked with the time at which the turn began, in which the election was won.
        #expect(duties().time(at: 999_000_000) == 5_000)
    }

    @Test(arguments: [18_446_744_073_709, 18_446_744_073_710, Limits.maxTime, .max])
    func whatIsDueInAThousandYearsIsJustNotDueYet(wake: Milliseconds) {
        var duties = duties()
        _ = duties.lostWorkers(
            Scheduler(), own: Self.worker("n1"), applied: 10, timeout: 2_000_000_000,
            now: 1_000_000_000)
        #expect(duties.nextDeadline(nextWake: wake, applied: 10) == 1_050_000_000)
    }

    @Test func latenessIsToldInMicrosecondsAtAnyTime() {
        let clock = Clock(monotonic: 0, wall: 5_000, wallRemainder: 900_999)
        #expect(clock.microseconds(since: 5_000) == 900)
        #expect(clock.microseconds(since: 4_998) == 2_900)
        #expect(clock.microseconds(since: 5_001) == 0)
        let late = Clock(monotonic: 0, wall: Limits.maxTime)
        #expect(late.microseconds(since: 0) == UInt64(Limits.maxTime) * 1_000)
    }

    /// A term that began in the middle of a millisecond has the wall clock's milliseconds, not some of its own.
    @Test func millisecondsAreThoseOfTheWallClock() {
        var duties = LeaderDuties(
            term: 2, readyIndex: 10,
            clock: Clock(monotonic: 1_000_700_000, wall: 5_000, wallRemainder: 700_000),
            stateTime: 0)
        #expect(duties.time(at: 999_000_000) == 5_000)
        #expect(duties.time(at: 1_000_999_999) == 5_000)
        #expect(duties.time(at: 1_001_000_000) == 5_001)
        let early = duties.advanceTime(nextWake: 5_003, applied: 10, now: 1_002_999_999)
        #expect(early == nil)
        let due = duties.advanceTime(nextWake: 5_003, applied: 10, now: 1_003_000_000)
        #expect(due == 5_003)
        _ = duties.lostWorkers(
            Scheduler(), own: Self.worker("n1"), applied: 10, timeout: 2_000_000_000,
            now: 1_000_700_000)
        #expect(duties.nextDeadline(nextWake: 5_003, applied: 10) == 1_003_000_000)
    }

    @Test func timeGoesOnFromEntriesAppliedAfterTheElection() {
        var duties = duties()
        duties.catchUp(with: 4_000, at: 1_000_000_000)
        #expect(duties.time(at: 1_000_000_000) == 5_000)
        duties.catchUp(with: 3_605_000, at: 1_010_000_000)
        #expect(duties.time(at: 1_010_000_000) == 3_605_000)
        #expect(duties.advanceTime(nextWake: 3_605_001, applied: 10, now: 1_010_000_000) == nil)
        #expect(duties.advanceTime(nextWake: 3_605_001, applied: 10, now: 1_011_000_000) != nil)
    }

    @Test func advancesOnlyWhenSomethingIsDue() {
        var duties = duties()
        let found42 = duties.advanceTime(nextWake: 5_001, applied: 10, now: 1_000_999_999)
        #expect(found42 == nil)
        #expect(duties.nextDeadline(nextWake: 5_001, applied: 10) == 1_000_000_000)
        _ = duties.lostWorkers(
            Scheduler(), own: Self.worker("n1"), applied: 10, timeout: 2_000_000_000,
            now: 1_000_000_000)
        #expect(duties.nextDeadline(nextWake: 5_001, applied: 10) == 1_001_000_000)
        let found43 = duties.advanceTime(nextWake: 5_001, applied: 10, now: 1_001_000_000)
        #expect(found43 == 5_001)
        let found44 = duties.advanceTime(nextWake: nil, applied: 10, now: 9_001_000_000)
        #expect(found44 == nil)
    }

    @Test func waitsForItsTermAndForTheLastAdvance() {
        var duties = duties()
        let found45 = duties.advanceTime(nextWake: 1, applied: 9, now: 1_000_000_000)
        #expect(found45 == nil)
        let found46 = duties.advanceTime(nextWake: 1, applied: 10, now: 1_000_000_000)
        #expect(found46 != nil)
        duties.advanceProposed(at: 12)
        let found47 = duties.advanceTime(nextWake: 2, applied: 11, now: 1_000_000_000)
        #expect(found47 == nil)
        let found48 = duties.advanceTime(nextWake: 2, applied: 12, now: 1_000_000_000)
        #expect(found48 != nil)
    }

    @Test func aScheduleThatCannotBeEvaluatedIsToldOfOnceAndTriedAgain() {
        func due(_ revision: UInt64) -> DueSchedule {
            DueSchedule(
                name: "s\(revision)", revision: revision, timing: .cron("0 9 * * *"),
                zone: "Mars/Olympus", next: 1)
        }
        var duties = duties()
        let first = duties.passOver([due(1), due(2)], now: 1_000_000_000)
        #expect(first.map(\.revision) == [1, 2])
        duties.tryPassedOver(now: LeaderDuties.trialNanoseconds)
        #expect(duties.passedOver == [1, 2])
        duties.tryPassedOver(now: LeaderDuties.trialNanoseconds + 1_000_000_000)
        #expect(duties.passedOver.isEmpty)
        let second = duties.passOver([due(2), due(3)], now: LeaderDuties.trialNanoseconds * 2)
        #expect(second.map(\.revision) == [3])
        #expect(duties.passedOver == [2, 3])
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
        var own = Self.worker("n1")
        func lost(_ now: UInt64) -> [String] {
            duties.lostWorkers(state, own: own, applied: 10, timeout: 2_000_000_000, now: now)
                .map(\.id)
        }
        let found51 = lost(1_000_000_000)
        #expect(found51 == [])
        duties.heard("n2", at: 2_000_000_000)
        let found52 = lost(3_000_000_000)
        #expect(found52 == ["n3"])
        duties.lossProposed(of: "n3", at: 11)
        let found53 = lost(3_900_000_000)
        #expect(found53 == [])
        let found54 = lost(4_000_000_000)
        #expect(found54 == ["n2"])
        // This node has taken the place of another that had its name: that one's worker is not here.
        own.incarnation = Incarnation.number(directory: 5, start: 1)
        let found55 = lost(6_100_000_000)
        #expect(found55 == ["n1", "n2"])
    }

    @Test func aWorkerIsKeptOnlyWhileItsLossIsNeitherProposedNorDone() throws {
        var state = Scheduler()
        var events: [Event] = []
        func apply(_ command: Command, _ index: UInt64) throws {
            var group = CommandGroup(origin: "", incarnation: 0, acknowledgedBelow: 0)
            group.append(sequence: 0, command: command.encoded())
            try state.apply(
                EntryPayload(time: 1, groups: [group]).encoded(), index: index, into: &events)
        }
        let worker = WorkerSpec(id: "n2", incarnation: 1, slots: 1, handlers: ["echo"], tags: [])
        try apply(.registerWorker(worker), 9)
        var duties = duties()
        // An earlier leader's verdict may stand in entries that are not applied yet.
        #expect(!duties.mayKeep("n2", state, applied: 9))
        #expect(duties.mayKeep("n2", state, applied: 10))
        duties.lossProposed(of: "n2", at: 11)
        #expect(!duties.mayKeep("n2", state, applied: 10))
        try apply(.workerLost(id: "n2", incarnation: 1), 11)
        #expect(!duties.mayKeep("n2", state, applied: 11))
        try apply(.registerWorker(worker), 12)
        #expect(duties.mayKeep("n2", state, applied: 12))
    }

    /// What starts on the others must not be late by what its start takes the leader.
    @Test func theOthersHearThatSomethingIsDueBeforeTheLeaderSeesToIt() throws {
        let names = ["a", "b", "c"]
        let cluster = ReplicaCluster.founded(names)
        var spec = TaskSpec(handler: "h")
        spec.start = .after(milliseconds: 500)
        guard case .task(let id, _) = cluster.run(.submit(spec), through: "a") else {
            Issue.record("it was not taken")
            return
        }
        cluster.run(milliseconds: 400)
        let hasBegun = { (name: String) in cluster[name].scheduler.state(of: id) != .scheduled }
        #expect(!names.contains(where: hasBegun))
        cluster.run { names.contains(where: hasBegun) }
        #expect(names.allSatisfy(hasBegun))
    }
}
