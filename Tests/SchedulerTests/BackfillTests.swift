import Testing

@testable import Scheduler

struct BackfillTests {
    private let start: Milliseconds = 1_000_000

    private func machine(
        _ change: (inout TaskSpec) -> Void = { _ in }, policy: SchedulePolicy = SchedulePolicy(),
        _ capacity: Capacity = Capacity()
    ) throws -> Machine {
        var machine = Machine(capacity)
        var task = TaskSpec.h { $0.payload = Array("\"{{occurrence}}\"".utf8) }
        change(&task)
        let spec = ScheduleSpec(
            timing: .every(milliseconds: 1_000), zone: "UTC", policy: policy, task: task)
        try machine.run(.putSchedule(name: "s", spec, paused: false, next: start + 1_000))
        return machine
    }

    private func backfill(
        _ machine: inout Machine, from: Milliseconds, to: Milliseconds, isSequential: Bool = false
    ) throws -> Outcome {
        try machine.run(
            .startBackfill(
                name: "s", revision: machine.scheduler.schedule("s")?.revision ?? 0,
                Backfill(from: from, to: to, isSequential: isSequential, next: from)))
    }

    /// What a leader would propose, until nothing is due.
    private func fill(_ machine: inout Machine, atMost portions: Int = .max) throws {
        var left = portions
        while left > 0, let due = machine.scheduler.dueBackfills(limit: 1).first {
            var instants = [due.schedule.next]
            while instants.count < min(3, due.maxInstants) {
                instants.append(instants[instants.count - 1] + 1_000)
            }
            try machine.run(
                .fillBack(
                    BackfillPortion(
                        schedule: "s", revision: due.schedule.revision, instants: instants,
                        next: instants[instants.count - 1] + 1_000)))
            left -= 1
        }
    }

    private func occurrences(_ machine: Machine) -> [String] {
        machine.scheduler.list(TaskFilter(), before: nil, limit: 99, scanBudget: 999).items
            .compactMap(\.occurrence).reversed()
    }

    @Test
    func everyOccurrenceOfTheRangeRunsOnce() throws {
        var machine = try machine()
        let outcome = try backfill(&machine, from: start - 4_000, to: start)
        #expect(outcome == .done)
        #expect(machine.scheduler.nextWake == machine.time)
        try fill(&machine)
        #expect(
            occurrences(machine)
                == (0...4).map { Occurrence.id("s", at: start - 4_000 + $0 * 1_000) })
        let view = try #require(machine.scheduler.schedule("s"))
        #expect(view.backfill?.state == .done && view.backfill?.ran == 5)
        #expect(view.backfilled == 5 && view.ran == 0 && view.last == nil)
        #expect(view.next == start + 1_000)
        #expect(machine.scheduler.nextWake == start + 1_000)
        // Due now, so that they neither expire nor go ahead of everything.
        #expect(machine.scheduler.task(TaskID(1))?.dueAt == machine.time)
        let again = try backfill(&machine, from: start - 6_000, to: start - 3_000)
        #expect(again == .done)
        try fill(&machine)
        let second = machine.scheduler.schedule("s")?.backfill
        #expect(second?.ran == 2 && second?.repeated == 2)
    }

    @Test
    func whatFiredByItselfIsLeftOut() throws {
        var machine = try machine()
        let revision = machine.scheduler.schedule("s")?.revision ?? 0
        machine.time = start + 3_000
        try machine.run(
            .advance([
                Firing(
                    schedule: "s", revision: revision, expectedNext: start + 1_000,
                    nominal: start + 3_000, missed: 2, next: start + 4_000)
            ]))
        _ = try backfill(&machine, from: start + 1_000, to: start + 9_000)
        try fill(&machine)
        let view = machine.scheduler.schedule("s")
        // What lies ahead comes by itself.
        #expect(view?.backfill?.to == start + 3_000)
        #expect(view?.backfill?.ran == 2 && view?.backfill?.repeated == 1)
    }

    @Test
    func oneAfterTheOther() throws {
        var machine = try machine()
        try machine.register("w", slots: 9)
        _ = try backfill(&machine, from: start - 2_000, to: start, isSequential: true)
        for number in 1...3 {
            try fill(&machine)
            #expect(machine.scheduler.counts.tasksByState[Int(TaskState.running.rawValue)] == 1)
            #expect(machine.scheduler.dueBackfills(limit: 9).isEmpty)
            try machine.finish(TaskID(UInt64(number)))
        }
        #expect(machine.scheduler.schedule("s")?.backfill?.state == .done)
    }

    @Test
    func isNoMatterOfTheSchedulesOverlap() throws {
        var policy = SchedulePolicy()
        policy.overlap = .skip
        var machine = try machine(policy: policy)
        _ = try backfill(&machine, from: start - 2_000, to: start)
        try fill(&machine)
        machine.time = start + 1_000
        let revision = machine.scheduler.schedule("s")?.revision ?? 0
        try machine.run(
            .advance([
                Firing(
                    schedule: "s", revision: revision, expectedNext: start + 1_000,
                    nominal: start + 1_000, missed: 0, next: start + 2_000)
            ]))
        #expect(machine.scheduler.schedule("s")?.ran == 1)
        #expect(machine.scheduler.schedule("s")?.skipped == 0)
    }

    @Test
    func waitsForRoom() throws {
        var machine = try machine({ $0.queue = "q" })
        var spec = QueueSpec()
        spec.maxPending = 2
        try machine.run(.putQueue(name: "q", spec, paused: nil, isInitial: false))
        _ = try backfill(&machine, from: start - 3_000, to: start)
        try fill(&machine)
        #expect(occurrences(machine).count == 2)
        #expect(machine.scheduler.nextWake ?? .max > machine.time)
        try machine.run(.cancel(TaskID(1)))
        #expect(machine.scheduler.nextWake == machine.time)
        try fill(&machine)
        #expect(occurrences(machine).count == 3)
    }

    @Test
    func endsByHandAndWithTheSchedule() throws {
        var machine = try machine()
        #expect(try machine.run(.cancelBackfill(name: "s")) == .rejected(.wrongState))
        _ = try backfill(&machine, from: start - 9_000, to: start)
        let second = try backfill(&machine, from: start - 9_000, to: start)
        #expect(second == .rejected(.wrongState))
        try fill(&machine, atMost: 1)
        #expect(try machine.run(.cancelBackfill(name: "s")) == .done)
        #expect(machine.scheduler.dueBackfills(limit: 9).isEmpty)
        let view = machine.scheduler.schedule("s")?.backfill
        #expect(view?.state == .cancelled && view?.ran == 3 && view?.next == start - 6_000)
        _ = try backfill(&machine, from: start - 9_000, to: start)
        let task = TaskSpec.h()
        try machine.run(
            .putSchedule(
                name: "s",
                ScheduleSpec(timing: .every(milliseconds: 7_000), zone: "UTC", task: task),
                paused: false, next: nil))
        #expect(machine.scheduler.schedule("s")?.backfill?.state == .cancelled)
        _ = try backfill(&machine, from: start - 9_000, to: start)
        try machine.run(.deleteSchedule(name: "s"))
        #expect(machine.scheduler.dueBackfills(limit: 9).isEmpty)
        #expect(machine.scheduler.nextWake ?? .max > machine.time)
    }

    /// Two leaders may have looked at the same state.
    @Test
    func aPortionIsTakenOnce() throws {
        var machine = try machine()
        _ = try backfill(&machine, from: start - 5_000, to: start)
        let revision = machine.scheduler.schedule("s")?.revision ?? 0
        let portion = Command.fillBack(
            BackfillPortion(
                schedule: "s", revision: revision, instants: [start - 5_000, start - 4_000],
                next: start - 3_000))
        #expect(try machine.run([portion, portion]) == [.done, .rejected(.wrongState)])
        #expect(occurrences(machine).count == 2)
    }

    @Test
    func goesOnFromASnapshot() throws {
        var machine = try machine()
        _ = try backfill(&machine, from: start - 7_000, to: start, isSequential: true)
        try fill(&machine)
        var other = machine
        other.scheduler = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        for _ in 0..<2 {
            try machine.run(.cancel(TaskID(1)))
            try fill(&machine)
            swap(&machine, &other)
        }
        #expect(machine.scheduler.stateHash() == other.scheduler.stateHash())
        #expect(machine.scheduler.schedule("s")?.backfill?.ran == 2)
    }
}
