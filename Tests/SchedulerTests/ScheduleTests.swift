import Testing

@testable import Scheduler

struct ScheduleTests {
    private func spec(_ change: (inout TaskSpec) -> Void = { _ in }) -> ScheduleSpec {
        ScheduleSpec(
            timing: .every(milliseconds: 1_000), zone: "UTC",
            task: .h {
                $0.payload = Array("\"{{occurrence}}\"".utf8)
                change(&$0)
            })
    }

    private func put(
        _ machine: inout Machine, _ name: String = "s", next: Milliseconds? = 1_001_000,
        paused: Bool = false, _ change: (inout TaskSpec) -> Void = { _ in }
    ) throws -> UInt64 {
        let outcome = try machine.run(
            .putSchedule(name: name, spec(change), paused: paused, next: next))
        guard case .schedule(let revision, _) = outcome else { throw Unexpected(outcome: outcome) }
        return revision
    }

    private func firing(
        _ revision: UInt64, _ expected: Milliseconds, nominal: Milliseconds? = nil,
        missed: UInt32 = 0, next: Milliseconds? = nil
    ) -> Firing {
        Firing(
            schedule: "s", revision: revision, expectedNext: expected, nominal: nominal,
            missed: missed, next: next)
    }

    private func resume(
        _ revision: UInt64, from expected: Milliseconds?, skipping skipped: UInt32,
        next: Milliseconds?
    ) -> Command {
        .resumeSchedule(
            name: "s",
            Resumption(revision: revision, expectedNext: expected, skipped: skipped, next: next))
    }

    @Test
    func firesOnceForEachNominalInstant() throws {
        var machine = Machine()
        let revision = try put(&machine)
        #expect(machine.scheduler.nextWake == 1_001_000)
        #expect(machine.scheduler.dueSchedules(at: 1_000_999, limit: 9).isEmpty)
        machine.time = 1_001_004
        let due = machine.scheduler.dueSchedules(at: machine.time, limit: 9)
        #expect(
            due == [
                DueSchedule(
                    name: "s", revision: revision, timing: .every(milliseconds: 1_000),
                    zone: "UTC", next: 1_001_000)
            ])
        let once = firing(revision, 1_001_000, nominal: 1_001_000, next: 1_002_000)
        try machine.run(.advance([once, once]))
        let task = try #require(machine.scheduler.task(TaskID(1)))
        #expect(task.occurrence == "s@1970-01-01T00:16:41.000Z" && task.schedule == "s")
        #expect(task.spec.payload == Array("\"s@1970-01-01T00:16:41.000Z\"".utf8))
        #expect(task.dueAt == 1_001_000 && task.createdAt == 1_001_004)
        #expect(
            machine.events.contains(
                .scheduleFired(schedule: "s", nominal: 1_001_000, TaskID(1))))
        let view = try #require(machine.scheduler.schedule("s"))
        #expect(view.ran == 1 && view.next == 1_002_000 && view.last == 1_001_000)
        #expect(view.lastTask == TaskID(1) && view.spec == spec())
        #expect(machine.scheduler.task(TaskID(2)) == nil)
        #expect(machine.scheduler.nextWake == 1_002_000)
    }

    @Test
    func severalFiringsInOneAdvanceFollowEachOther() throws {
        var machine = Machine()
        try machine.register("w")
        let revision = try put(&machine)
        machine.time = 1_010_000
        try machine.run(
            .advance([
                firing(revision, 1_001_000, nominal: 1_003_000, missed: 2, next: 1_004_000),
                firing(revision, 1_004_000, nominal: 1_004_000, next: 1_005_000),
                firing(revision, 1_005_000, nominal: nil, missed: 3, next: 1_008_000),
            ]))
        let view = try #require(machine.scheduler.schedule("s"))
        #expect(view.ran == 2 && view.missed == 5 && view.next == 1_008_000)
        #expect(machine.scheduler.task(TaskID(1))?.state == .running)
        #expect(machine.current(TaskID(1))?.occurrence == "s@1970-01-01T00:16:43.000Z")
    }

    @Test
    func firingsOfAnotherPlanAreDropped() throws {
        var machine = Machine()
        let old = try put(&machine)
        let revision = try put(&machine)
        #expect(revision > old)
        machine.time = 1_005_000
        try machine.run(
            .advance([
                firing(old, 1_001_000, nominal: 1_001_000, next: 1_002_000),
                firing(revision, 1_000_000, nominal: 1_001_000, next: 1_002_000),
                // Would stay where it is, and fire again.
                firing(revision, 1_001_000, nominal: 1_001_000, next: 1_001_000),
                firing(revision, 1_001_000, nominal: 1_000_999, next: 1_002_000),
            ]))
        let view = try #require(machine.scheduler.schedule("s"))
        #expect(view.ran == 0 && view.next == 1_001_000)
        #expect(machine.scheduler.task(TaskID(1)) == nil)
    }

    @Test
    func pausedScheduleIsNotDueAndCountsWhatItSkips() throws {
        var machine = Machine()
        let revision = try put(&machine)
        #expect(try machine.run(.pauseSchedule(name: "s")) == .done)
        #expect(machine.scheduler.nextWake == nil)
        #expect(machine.scheduler.dueSchedules(at: .max, limit: 9).isEmpty)
        let late = firing(revision, 1_001_000, nominal: 1_001_000, next: 1_002_000)
        try machine.run(.advance([late]))
        #expect(machine.scheduler.schedule("s")?.ran == 0)
        #expect(machine.scheduler.schedule("s")?.next == 1_001_000, "kept for counting")
        let resume = resume(revision, from: 1_001_000, skipping: 8, next: 1_009_000)
        #expect(try machine.run(resume) == .done)
        #expect(try machine.run(resume) == .done)
        let view = try #require(machine.scheduler.schedule("s"))
        #expect(view.skipped == 8 && view.next == 1_009_000 && !view.isPaused)
        #expect(machine.scheduler.nextWake == 1_009_000)
    }

    @Test
    func aResumptionThatComesLateDoesNotGoBack() throws {
        var machine = Machine()
        let revision = try put(&machine)
        try machine.run(.pauseSchedule(name: "s"))
        let late = resume(revision, from: 1_001_000, skipping: 2, next: 1_003_000)
        machine.time = 1_005_500
        try machine.run(resume(revision, from: 1_001_000, skipping: 5, next: 1_006_000))
        machine.time = 1_006_000
        try machine.run(
            .advance([firing(revision, 1_006_000, nominal: 1_006_000, next: 1_007_000)]))
        try machine.run(.pauseSchedule(name: "s"))
        try machine.run(late)
        let view = try #require(machine.scheduler.schedule("s"))
        #expect(!view.isPaused && view.next == 1_007_000)
        #expect(view.skipped == 5 && view.ran == 1)
    }

    @Test
    func aResumptionOfAReplacedScheduleCountsNothing() throws {
        var machine = Machine()
        let first = try put(&machine)
        try machine.run(.pauseSchedule(name: "s"))
        _ = try put(&machine, paused: true)
        try machine.run(resume(first, from: 1_001_000, skipping: 3, next: 1_004_000))
        let view = try #require(machine.scheduler.schedule("s"))
        #expect(!view.isPaused && view.next == 1_001_000 && view.skipped == 0)
    }

    @Test
    func whatWasDueWhenTheScheduleWasReplacedIsSkipped() throws {
        var machine = Machine()
        let first = try put(&machine)
        let due = try #require(machine.scheduler.schedule("s")?.next)
        machine.time = due + 2_500
        let spec = ScheduleSpec(timing: .every(milliseconds: 1_000), zone: "UTC", task: .h())
        func replace(_ replacement: Replacement?, paused: Bool = false) throws {
            try machine.run(
                .putSchedule(
                    name: "s", spec, paused: paused, next: machine.time + 1_000,
                    replacing: replacement))
        }
        // The proposer's now was a second ago.
        try replace(
            Replacement(
                revision: first, expectedNext: due, passed: 2,
                upcoming: [due + 2_000, due + 3_000]))
        #expect(machine.scheduler.schedule("s")?.skipped == 3)
        let entry = try #require(machine.scheduler.occurrences(of: "s")?.first)
        #expect(entry.reason == .replaced && entry.nominal == due && entry.count == 3)
        // Nothing is due, and then something that the proposer did not know of.
        try replace(nil)
        #expect(machine.scheduler.schedule("s")?.skipped == 3)
        machine.time += 1_000
        try replace(nil, paused: true)
        #expect(machine.scheduler.schedule("s")?.skipped == 4)
        machine.time += 1_000
        try replace(nil)
        #expect(machine.scheduler.occurrences(of: "s")?.first?.reason == .paused)
    }

    @Test
    func aTriggerIsDoneOnceUnderItsKey() throws {
        var machine = Machine()
        _ = try put(&machine)
        let first = try machine.run(.triggerSchedule(name: "s", key: "k"))
        guard case .task(let id, false) = first else { throw Unexpected(outcome: first) }
        machine.scheduler = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        #expect(
            try machine.run(.triggerSchedule(name: "s", key: "k")) == .task(id, existed: true))
        let spec = TaskSpec.h { $0.key = "k" }
        #expect(try machine.run(.submit(spec)) == .rejected(.keyConflict))
        #expect(
            try machine.run(.triggerSchedule(name: "other", key: "k")) == .rejected(.keyConflict))
        let second = try machine.run(.triggerSchedule(name: "s", key: "l"))
        #expect(second == .task(TaskID(id.number + 1), existed: false))
        #expect(machine.scheduler.schedule("s")?.ran == 2)
    }

    @Test
    func aReplacementThatComesLateUsesNoOccurrenceTwice() throws {
        var machine = Machine()
        let first = try put(&machine)
        machine.time = 1_001_000
        try machine.run(.advance([firing(first, 1_001_000, nominal: 1_001_000, next: 1_002_000)]))
        let second = try put(&machine)
        try machine.run(
            .advance([
                firing(second, 1_001_000, nominal: 1_001_000, next: 1_002_000),
                firing(second, 1_002_000, nominal: 1_002_000, next: 1_003_000),
            ]))
        let view = try #require(machine.scheduler.schedule("s"))
        #expect(view.ran == 2 && view.skipped == 1 && view.next == 1_003_000)
        #expect(machine.scheduler.task(TaskID(3)) == nil)
    }

    @Test
    func replacingKeepsCounters() throws {
        var machine = Machine()
        let revision = try put(&machine)
        machine.time = 1_001_000
        try machine.run(
            .advance([firing(revision, 1_001_000, nominal: 1_001_000, next: 1_002_000)]))
        machine.time = 1_001_500
        let replaced = try machine.run(
            .putSchedule(name: "s", spec { $0.priority = 9 }, paused: true, next: nil))
        #expect(replaced == .schedule(revision: revision + 1, existed: true))
        let view = try #require(machine.scheduler.schedule("s"))
        #expect(view.ran == 1 && view.isPaused && view.next == nil && view.createdAt == 1_000_000)
        #expect(view.spec.task.priority == 9)
    }

    @Test
    func replacingLeavesAPauseUnlessItIsSaid() throws {
        var machine = Machine()
        var states: [Bool?] = []
        for paused in [nil, true, nil, false, nil] {
            try machine.run(.putSchedule(name: "s", spec(), paused: paused, next: 1_001_000))
            states.append(machine.scheduler.schedule("s")?.isPaused)
        }
        #expect(states == [false, true, true, false, false])
    }

    @Test
    func triggersNeverShareAnOccurrence() throws {
        var machine = Machine()
        let revision = try put(&machine)
        machine.time = 1_000_500
        for _ in 0..<3 { try machine.run(.triggerSchedule(name: "s")) }
        // At the instant of an occurrence that is due but has not fired yet, and once it has.
        machine.time = 1_001_000
        try machine.run(.triggerSchedule(name: "s"))
        try machine.run(
            .advance([firing(revision, 1_001_000, nominal: 1_001_000, next: 1_002_000)]))
        try machine.run(.triggerSchedule(name: "s"))
        let occurrences = (1...6).map { machine.scheduler.task(TaskID($0))?.occurrence ?? "" }
        #expect(
            occurrences == [
                "s@1970-01-01T00:16:40.500Z", "s@1970-01-01T00:16:40.500Z-2",
                "s@1970-01-01T00:16:40.500Z-3", "s@1970-01-01T00:16:41.000Z-1",
                "s@1970-01-01T00:16:41.000Z", "s@1970-01-01T00:16:41.000Z-2",
            ])
        let view = try #require(machine.scheduler.schedule("s"))
        #expect(view.ran == 6 && view.last == 1_001_000, "a trigger is no nominal occurrence")
    }

    @Test
    func pausedScheduleCanBeTriggered() throws {
        var machine = Machine()
        _ = try put(&machine, paused: true)
        #expect(try machine.run(.triggerSchedule(name: "s")) == .task(TaskID(1), existed: false))
    }

    @Test
    func expiredOccurrenceDidNotRun() throws {
        var machine = Machine()
        let revision = try put(&machine) { $0.expiresMilliseconds = 500 }
        machine.time = 1_001_000
        try machine.run(
            .advance([firing(revision, 1_001_000, nominal: 1_001_000, next: 1_002_000)]))
        #expect(machine.scheduler.schedule("s")?.ran == 1)
        try machine.advance(by: 501)
        #expect(machine.scheduler.task(TaskID(1))?.state == .expired)
        #expect(machine.scheduler.schedule("s")?.ran == 0)
        #expect(machine.scheduler.schedule("s")?.expired == 1)
        // Too late already when it fires.
        machine.time = 1_009_000
        try machine.run(
            .advance([firing(revision, 1_002_000, nominal: 1_002_000, next: 1_003_000)]))
        #expect(machine.scheduler.task(TaskID(2))?.state == .expired)
        #expect(machine.scheduler.schedule("s")?.ran == 0)
        #expect(machine.scheduler.schedule("s")?.expired == 2)
    }

    @Test
    func occurrenceWithoutRoomIsSkipped() throws {
        var capacity = Capacity()
        capacity.tasks = 1
        var machine = Machine(capacity)
        _ = try machine.submit(.h())
        let revision = try put(&machine)
        machine.time = 1_001_000
        try machine.run(
            .advance([firing(revision, 1_001_000, nominal: 1_001_000, next: 1_002_000)]))
        let view = try #require(machine.scheduler.schedule("s"))
        #expect(view.ran == 0 && view.skipped == 1 && view.next == 1_002_000)
        #expect(try machine.run(.triggerSchedule(name: "s")) == .rejected(.full))
    }

    @Test
    func occurrenceWhosePayloadGrowsTooLargeIsSkipped() throws {
        var machine = Machine()
        let revision = try put(&machine) {
            $0.payload += Array(repeating: 32, count: Limits.maxPayloadBytes - 20)
        }
        machine.time = 1_001_000
        try machine.run(
            .advance([firing(revision, 1_001_000, nominal: 1_001_000, next: 1_002_000)]))
        #expect(machine.scheduler.schedule("s")?.skipped == 1)
        #expect(machine.state(TaskID(1)) == nil)
    }

    @Test
    func deletedScheduleIsGoneAndItsTasksStay() throws {
        var machine = Machine()
        let revision = try put(&machine)
        try machine.run(.triggerSchedule(name: "s"))
        #expect(try machine.run(.deleteSchedule(name: "s")) == .done)
        #expect(machine.scheduler.schedule("s") == nil && machine.scheduler.nextWake == nil)
        #expect(machine.state(TaskID(1)) == .ready)
        for command in [
            Command.deleteSchedule(name: "s"), .pauseSchedule(name: "s"),
            resume(1, from: nil, skipping: 0, next: nil), .triggerSchedule(name: "s"),
        ] { #expect(try machine.run(command) == .rejected(.notFound)) }
        let again = try put(&machine)
        #expect(again > revision, "a revision is never used again")
    }

    @Test
    func limitsAndNames() throws {
        var capacity = Capacity()
        capacity.schedules = 1
        var machine = Machine(capacity)
        let bad = Command.putSchedule(name: ".s", spec(), paused: false, next: nil)
        #expect(try machine.run(bad) == .rejected(.malformed))
        _ = try put(&machine)
        let second = Command.putSchedule(name: "t", spec(), paused: false, next: nil)
        #expect(try machine.run(second) == .rejected(.full))
        _ = try put(&machine)
    }

    @Test
    func dueSchedulesComeEarliestFirstUpToTheLimit() throws {
        var machine = Machine()
        for number in 0..<50 {
            _ = try put(&machine, "s\(number)", next: 1_001_000 + Milliseconds(number * 37 % 50))
        }
        let due = machine.scheduler.dueSchedules(at: 1_001_020, limit: 10)
        #expect(due.map(\.next) == (0..<10).map { 1_001_000 + $0 })
        #expect(machine.scheduler.dueSchedules(at: 1_001_020, limit: 100).count == 21)
        let names = machine.scheduler.schedules(after: "s2", limit: 3).map(\.name)
        #expect(names == ["s20", "s21", "s22"])
    }
}
