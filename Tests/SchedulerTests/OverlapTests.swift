import Testing

@testable import Scheduler

/// A schedule of each second, by name `s`, whose tasks run until they are told to end.
private struct Bench {
    var machine: Machine
    var revision: UInt64 = 0
    var policy = SchedulePolicy()

    init(
        _ overlap: OverlapPolicy, slots: UInt32 = 9, capacity: Capacity = Capacity(),
        _ change: (inout SchedulePolicy) -> Void = { _ in }
    ) throws {
        machine = Machine(capacity)
        try machine.register("w", slots: slots)
        policy.overlap = overlap
        change(&policy)
        try put()
    }

    mutating func put(_ change: (inout TaskSpec) -> Void = { _ in }) throws {
        let next = (machine.time / 1_000 + 1) * 1_000
        let spec = ScheduleSpec(
            timing: .every(milliseconds: 1_000), zone: "UTC", policy: policy, task: .h(change))
        let outcome = try machine.run(
            .putSchedule(name: "s", spec, paused: false, next: next))
        guard case .schedule(let revision, _) = outcome else { throw Unexpected(outcome: outcome) }
        self.revision = revision
    }

    var view: ScheduleView {
        get throws { try #require(machine.scheduler.schedule("s")) }
    }

    /// The next occurrence, `late` after its instant.
    mutating func fire(late: Milliseconds = 0, later: UInt32 = 0) throws {
        let next = try #require(view.next)
        machine.time = max(machine.time, next + late)
        try machine.run(.advance([firing(later: later)]))
    }

    func firing(later: UInt32 = 0) throws -> Firing {
        let next = try #require(view.next)
        return Firing(
            schedule: "s", revision: revision, expectedNext: next, nominal: next, missed: 0,
            later: later, next: next + 1_000, zoneData: "2026a")
    }

    var ends: [String] {
        (machine.scheduler.occurrences(of: "s") ?? []).reversed().map {
            "\($0.nominal / 1_000) \($0.count) \($0.state.name) \($0.reason.name) \($0.task?.number ?? 0)"
        }
    }
}

struct OverlapTests {
    @Test
    func allowLetsThemRunSideBySide() throws {
        var bench = try Bench(.allow)
        for _ in 0..<3 { try bench.fire() }
        #expect((1...3).map { bench.machine.state(TaskID($0)) } == [.running, .running, .running])
        #expect(try bench.view.ran == 3 && bench.view.zoneData == "2026a")
        #expect(bench.ends == ["1001 1 ran time 1", "1002 1 ran time 2", "1003 1 ran time 3"])
    }

    @Test
    func skipLeavesOutWhatComesTooEarly() throws {
        var bench = try Bench(.skip)
        for _ in 0..<3 { try bench.fire() }
        #expect(try bench.view.ran == 1 && bench.view.skipped == 2)
        try bench.machine.finish(TaskID(1))
        try bench.fire()
        #expect(bench.machine.state(TaskID(2)) == .running)
        #expect(
            bench.ends == [
                "1001 1 ran time 1", "1002 1 skipped overlap 0", "1003 1 skipped overlap 0",
                "1004 1 ran time 2",
            ])
    }

    @Test
    func aTaskThatIsTriedAgainHasNotEnded() throws {
        var bench = try Bench(.skip)
        try bench.fire()
        try bench.machine.finish(TaskID(1), .error(retryAfter: 5_000))
        #expect(bench.machine.state(TaskID(1)) == .scheduled)
        try bench.fire()
        #expect(try bench.view.skipped == 1)
        try bench.machine.run(.cancel(TaskID(1)))
        try bench.fire()
        #expect(try bench.view.ran == 2)
        // Brought back by a user, it counts again.
        try bench.machine.finish(TaskID(2))
        try bench.machine.run(.retry(TaskID(1)))
        try bench.fire()
        #expect(try bench.view.skipped == 2)
    }

    @Test
    func aTriggerRunsAtOnceAndIsWaitedFor() throws {
        var bench = try Bench(.skip)
        try bench.fire()
        bench.machine.time += 10
        let outcome = try bench.machine.run(.triggerSchedule(name: "s"))
        #expect(outcome == .task(TaskID(2), existed: false))
        try bench.machine.finish(TaskID(1))
        try bench.fire()
        #expect(try bench.view.skipped == 1 && bench.view.ran == 2)
    }

    @Test
    func bufferKeepsOneAndStartsItWhenAllHaveEnded() throws {
        var bench = try Bench(.buffer)
        for _ in 0..<3 { try bench.fire() }
        #expect(try bench.view.buffered == 1_002_000)
        #expect(try bench.view.ran == 1 && bench.view.skipped == 1)
        try bench.machine.finish(TaskID(1))
        let task = try #require(bench.machine.scheduler.task(TaskID(2)))
        #expect(task.state == .running && task.occurrence == "s@1970-01-01T00:16:42.000Z")
        #expect(try bench.view.buffered == nil)
        #expect(
            bench.machine.events.contains(
                .scheduleFired(schedule: "s", nominal: 1_002_000, TaskID(2))))
        #expect(
            bench.ends == [
                "1001 1 ran time 1", "1003 1 skipped overlap 0", "1002 1 ran time 2",
            ])
        try bench.fire()
        #expect(try bench.view.buffered == 1_004_000)
    }

    @Test
    func whatWaitsGoesFirstIfTheOneBeforeEndsInTheSameEntry() throws {
        var bench = try Bench(.buffer)
        for _ in 0..<2 { try bench.fire() }
        bench.machine.time += 1_000
        let report = try bench.machine.report(TaskID(1))
        try bench.machine.run([.finish(report), .advance([bench.firing()])])
        #expect(try bench.view.ran == 2 && bench.view.buffered == 1_003_000)
        #expect(
            bench.machine.scheduler.task(TaskID(2))?.occurrence == "s@1970-01-01T00:16:42.000Z")
    }

    @Test
    func whatWaitsSurvivesASnapshot() throws {
        var bench = try Bench(.buffer)
        for _ in 0..<2 { try bench.fire() }
        bench.machine.scheduler = try Scheduler(snapshot: bench.machine.scheduler.encodeSnapshot())
        #expect(try bench.view.buffered == 1_002_000)
        try bench.machine.finish(TaskID(1))
        #expect(bench.machine.state(TaskID(2)) == .running)
        #expect(bench.ends == ["1001 1 ran time 1", "1002 1 ran time 2"])
    }

    @Test
    func aPauseDropsWhatWaits() throws {
        var bench = try Bench(.buffer)
        for _ in 0..<2 { try bench.fire() }
        try bench.machine.run(.pauseSchedule(name: "s"))
        try bench.machine.finish(TaskID(1))
        #expect(bench.machine.state(TaskID(2)) == nil)
        #expect(bench.ends == ["1001 1 ran time 1", "1002 1 skipped paused 0"])
    }

    @Test
    func aReplacementThatLetsNothingWaitDropsWhatWaits() throws {
        var bench = try Bench(.buffer)
        for _ in 0..<2 { try bench.fire() }
        bench.machine.time += 1
        try bench.put()
        #expect(try bench.view.buffered == 1_002_000, "replaced by one of the same kind")
        bench.policy.overlap = .skip
        try bench.put()
        #expect(try bench.view.buffered == nil)
        #expect(bench.ends.last == "1002 1 skipped replaced 0")
    }

    @Test
    func cancelOtherEndsThoseBefore() throws {
        var bench = try Bench(.allow)
        for _ in 0..<2 { try bench.fire() }
        bench.policy.overlap = .cancelOther
        bench.machine.time += 1
        try bench.put()
        try bench.fire()
        #expect(
            (1...3).map { bench.machine.state(TaskID($0)) } == [.cancelled, .cancelled, .running])
        #expect(bench.machine.revoked == [TaskID(1), TaskID(2)])
        #expect(try bench.view.ran == 3)
    }

    @Test
    func aLostTaskThatComesBackHasNotEnded() throws {
        var bench = try Bench(.skip)
        try bench.fire()
        try bench.machine.run(.workerLost(id: "w", incarnation: 1))
        try bench.fire()
        #expect(try bench.view.skipped == 1)
        #expect(bench.machine.state(TaskID(1)) == .ready)
    }

    /// A schedule made anew under the name of one whose tasks still run waits for them.
    @Test
    func theNameIsWhatMayNotOverlap() throws {
        var bench = try Bench(.skip)
        try bench.fire()
        try bench.machine.run(.deleteSchedule(name: "s"))
        try bench.put()
        try bench.fire()
        #expect(try bench.view.skipped == 1 && bench.view.ran == 0)
    }
}

struct CatchUpTests {
    @Test(arguments: [
        (CatchUpPolicy.none, 60_000, 9, true), (.none, 60_001, 0, false),
        (.latest, 60_000, 9, true), (.latest, 99_000, 0, true), (.latest, 99_000, 1, false),
        (.all(2), 99_000, 1, true), (.all(2), 99_000, 2, false),
        (.within(milliseconds: 5_000), 5_000, 9, true),
        (.within(milliseconds: 5_000), 5_001, 0, false),
    ])
    func theStateDecides(
        catchUp: CatchUpPolicy, late: Milliseconds, later: UInt32, runs: Bool
    ) throws {
        var bench = try Bench(.allow) { $0.catchUp = catchUp }
        try bench.fire(late: late, later: later)
        #expect(try bench.view.ran == (runs ? 1 : 0) && bench.view.missed == (runs ? 0 : 1))
        #expect(bench.ends == [runs ? "1001 1 ran time 1" : "1001 1 missed late 0"])
    }

    @Test
    func theEndOfAScheduleIsTheLastInstant() throws {
        var bench = try Bench(.allow) { $0.until = 1_002_000 }
        for _ in 0..<2 { try bench.fire() }
        #expect(try bench.view.ran == 2 && bench.view.next == nil)
        #expect(bench.machine.scheduler.dueSchedules(at: .max, limit: 9).isEmpty)
        try bench.put()
        #expect(try bench.view.next == nil)
    }

    @Test
    func jitterMovesTheTaskAndNotTheOccurrence() throws {
        var bench = try Bench(.allow) { $0.jitterMilliseconds = 5_000 }
        for _ in 0..<20 { try bench.fire() }
        let tasks = (1...20).compactMap { bench.machine.scheduler.task(TaskID($0)) }
        let offsets = tasks.enumerated().map { $1.dueAt - 1_001_000 - Milliseconds($0) * 1_000 }
        #expect(offsets.allSatisfy { (0...5_000).contains($0) })
        #expect(Set(offsets).count > 10, "spread")
        #expect(tasks[0].occurrence == "s@1970-01-01T00:16:41.000Z")
    }

    @Test
    func theHistoryKeepsTheLastHundred() throws {
        var bench = try Bench(.skip)
        for _ in 0..<150 { try bench.fire() }
        #expect(bench.ends.count == 100)
        #expect(bench.ends.first == "1051 1 skipped overlap 0")
        #expect(try bench.view.skipped == 149)
        let restored = try Scheduler(snapshot: bench.machine.scheduler.encodeSnapshot())
        #expect(restored.occurrences(of: "s") == bench.machine.scheduler.occurrences(of: "s"))
        #expect(restored.occurrences(of: "t") == nil)
    }

    @Test
    func anExpiryIsTheEndOfItsOccurrence() throws {
        var bench = try Bench(.allow, slots: 0)
        try bench.put { $0.expiresMilliseconds = 100 }
        try bench.fire()
        #expect(bench.ends == ["1001 1 ran time 1"])
        try bench.machine.advance(by: 101)
        #expect(bench.ends == ["1001 1 expired time 1"])
        #expect(try bench.view.ran == 0 && bench.view.expired == 1)
        try bench.machine.run(.retry(TaskID(1)))
        #expect(bench.ends == ["1001 1 ran time 1"])
        #expect(try bench.view.ran == 1 && bench.view.expired == 0)
        try bench.machine.advance(by: 101)
        #expect(try bench.view.ran == 0 && bench.view.expired == 1)
        // Too late at once.
        try bench.fire(late: 5_000)
        #expect(bench.ends.last == "1002 1 expired time 2")
        #expect(try bench.view.ran == 0 && bench.view.expired == 2)
    }
}
