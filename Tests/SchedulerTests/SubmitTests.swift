import Testing

@testable import Scheduler

struct SubmitTests {
    @Test
    func viewShowsWhatWasSubmitted() throws {
        var machine = Machine()
        machine.time = 50
        let id = try machine.submit(CommandCodecTests.full)
        let view = try #require(machine.scheduler.task(id))
        #expect(view.spec == CommandCodecTests.full)
        #expect(view.id.description == "t1")
        #expect(view.state == .scheduled && view.dueAt == 77 && view.createdAt == 50)
        #expect(view.attempt == 0 && view.worker == nil && view.startedAt == nil)
        #expect(view.attempts.isEmpty && view.finishedAt == nil && view.error == nil)
        #expect(machine.scheduler.task(TaskID(2)) == nil)
    }

    @Test
    func payloadIsKeptByteForByte() throws {
        var machine = Machine()
        let payload = Array("{ \"a\" :\t1.50e2 }\n".utf8)
        let id = try machine.submit(.h { $0.payload = payload })
        #expect(machine.scheduler.task(id)?.spec.payload == payload)
    }

    @Test
    func startIsResolvedAgainstLogTime() throws {
        var machine = Machine()
        machine.time = 10_000
        let now = try machine.submit(.h())
        let past = try machine.submit(.h { $0.start = .at(500) })
        let later = try machine.submit(.h { $0.start = .at(10_500) })
        let delayed = try machine.submit(.h { $0.start = .after(milliseconds: 700) })
        let dues = [now, past, later, delayed].map { machine.scheduler.task($0)?.dueAt }
        #expect(dues == [10_000, 10_000, 10_500, 10_700])
        #expect([now, past].allSatisfy { machine.state($0) == .ready })
        #expect([later, delayed].allSatisfy { machine.state($0) == .scheduled })
        let tooFar = TaskSpec.h { $0.start = .at(10_001 + Limits.maxDelayMilliseconds) }
        #expect(try machine.run(.submit(tooFar)) == .rejected(.malformed))
    }

    @Test
    func tableHasALimit() throws {
        var capacity = Capacity()
        capacity.tasks = 2
        var machine = Machine(capacity)
        for _ in 0..<2 { _ = try machine.submit(.h()) }
        #expect(try machine.run(.submit(.h { $0.key = "k" })) == .rejected(.full))
        #expect(machine.scheduler.counts.rememberedKeys == 0)
    }

    @Test
    func equalTasksShareTheirProfile() throws {
        var machine = Machine()
        for number in 0..<20 {
            _ = try machine.submit(.h { $0.queue = number % 2 == 0 ? "a" : "b" })
        }
        #expect(machine.scheduler.state.profiles.slots.count == 2)
        for number in UInt64(1)...20 { try machine.run(.cancel(TaskID(number))) }
        try machine.advance(by: 2 * Limits.finishedRetentionMilliseconds)
        #expect(machine.scheduler.state.profiles.free.count == 2)
        _ = try machine.submit(.h { $0.queue = "c" })
        #expect(machine.scheduler.state.profiles.slots.count == 2, "numbers are used again")
    }

    // MARK: Keys

    @Test
    func sameKeyNamesTheFirstTask() throws {
        var machine = Machine()
        try machine.register("w")
        let spec = TaskSpec.h { $0.key = "k" }
        let first = try machine.submit(spec)
        #expect(try machine.run(.submit(spec)) == .task(first, existed: true))
        try machine.finish(first)
        // Other fields may differ: handler and payload are what the task does.
        let changed = TaskSpec.h {
            $0.key = "k"
            $0.priority = 9
        }
        #expect(try machine.run(.submit(changed)) == .task(first, existed: true))
        #expect(machine.scheduler.counts.tasksByState.reduce(0, +) == 1)
    }

    @Test
    func sameKeyWithOtherWorkIsAConflict() throws {
        var machine = Machine()
        _ = try machine.submit(.h { $0.key = "k" })
        let other = TaskSpec.h {
            $0.key = "k"
            $0.payload = [1]
        }
        #expect(try machine.run(.submit(other)) == .rejected(.keyConflict))
        var handler = TaskSpec(handler: "other")
        handler.key = "k"
        #expect(try machine.run(.submit(handler)) == .rejected(.keyConflict))
        #expect(machine.scheduler.counts.tasksByState.reduce(0, +) == 1)
    }

    @Test(arguments: [false, true])
    func keyOutlivesItsTaskAndIsForgottenInTheEnd(viaSnapshot: Bool) throws {
        var capacity = Capacity()
        capacity.finishedTasks = 1
        var machine = Machine(capacity)
        let spec = TaskSpec.h { $0.key = "k" }
        let first = try machine.submit(spec)
        try machine.run(.cancel(first))
        let second = try machine.submit(.h())
        try machine.run(.cancel(second))
        #expect(machine.scheduler.task(first) == nil)
        if viaSnapshot {
            machine.scheduler = try Scheduler(
                snapshot: machine.scheduler.encodeSnapshot(), capacity: capacity)
        }
        #expect(try machine.run(.submit(spec)) == .task(first, existed: true))
        try machine.advance(by: Limits.keyMemoryMilliseconds - 1)
        #expect(try machine.run(.submit(spec)) == .task(first, existed: true))
        try machine.advance(by: Limits.housekeepingMilliseconds + 1)
        #expect(machine.scheduler.counts.rememberedKeys == 0)
        #expect(try machine.run(.submit(spec)) == .task(TaskID(3), existed: false))
    }

    @Test
    func rememberedKeysHaveALimit() throws {
        var capacity = Capacity()
        capacity.keys = 1
        var machine = Machine(capacity)
        let spec = TaskSpec.h { $0.key = "k" }
        let first = try machine.submit(spec)
        #expect(try machine.run(.submit(.h { $0.key = "l" })) == .rejected(.full))
        #expect(try machine.run(.submit(spec)) == .task(first, existed: true))
        #expect(try machine.run(.submit(.h())) == .task(TaskID(2), existed: false))
    }
}
