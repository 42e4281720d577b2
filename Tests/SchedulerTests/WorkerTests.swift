import Testing

@testable import Scheduler

struct WorkerTests {
    @Test
    func registrationIsIdempotentAndMayChangeSlots() throws {
        var machine = Machine()
        try machine.register("w")
        let tasks = try (0..<3).map { _ in try machine.submit(.h()) }
        #expect(try machine.register("w") == .done)
        #expect(machine.assigned.isEmpty && machine.revoked.isEmpty)
        #expect(machine.events.contains(.workerChanged(id: "w")))
        try machine.register("w", slots: 2)
        #expect(machine.assigned == [tasks[1]])
        try machine.register("w", slots: 1)
        #expect(machine.scheduler.worker("w")?.running == 2, "what runs goes on")
        try machine.finish(tasks[0])
        #expect(machine.assigned.isEmpty)
        try machine.finish(tasks[1])
        #expect(machine.assigned == [tasks[2]])
    }

    @Test
    func newIncarnationLosesWhatTheOldOneRan() throws {
        var machine = Machine()
        try machine.register("w", slots: 2)
        let first = try machine.submit(.h())
        let second = try machine.submit(.h { $0.priority = 9 })
        let old = try machine.report(first)
        try machine.register("w", incarnation: 2, slots: 1)
        #expect(machine.revoked == [first, second])
        #expect(machine.assigned == [second], "the better one, on the one slot left")
        #expect(machine.current(second)?.incarnation == 2)
        #expect(machine.state(first) == .ready)
        #expect(try machine.run(.finish(old)) == .rejected(.staleAttempt))
        #expect(try machine.register("w", incarnation: 1) == .rejected(.staleIncarnation))
    }

    @Test
    func lostWorkersTasksMoveOn() throws {
        var machine = Machine()
        for name in ["a", "b"] { try machine.register(name, slots: 4) }
        let tasks = try (0..<6).map { _ in try machine.submit(.h()) }
        let onA = tasks.filter { machine.worker(of: $0) == "a" }
        #expect(!onA.isEmpty)
        #expect(try machine.run(.workerLost(id: "a", incarnation: 1)) == .done)
        #expect(machine.revoked == onA)
        #expect(machine.scheduler.worker("b")?.running == 4)
        #expect(machine.scheduler.counts.tasksByState[2] == 2)
        for id in machine.assigned {
            #expect(machine.scheduler.task(id)?.attempts.map(\.outcome) == ["lost", "running"])
        }
        let view = try #require(machine.scheduler.worker("a"))
        #expect(view.state == .lost && view.running == 0)
        #expect(try machine.run(.workerLost(id: "a", incarnation: 1)) == .done)
        #expect(
            try machine.run(.workerLost(id: "a", incarnation: 3)) == .rejected(.staleIncarnation))
        #expect(try machine.run(.workerLost(id: "x", incarnation: 1)) == .rejected(.notFound))
        // Back with the same incarnation: live again, and its old attempts stay where they went.
        try machine.register("a", slots: 4)
        #expect(machine.scheduler.worker("a")?.state == .live)
        #expect(machine.scheduler.worker("a")?.running == 2)
    }

    @Test
    func losingWorkersSpendsNoAttemptsUpToABound() throws {
        var machine = Machine()
        let id = try machine.submit(.h { $0.retry.attempts = 1 })
        for incarnation in 1...UInt64(Limits.maxLosses) {
            try machine.register("w", incarnation: incarnation)
            try machine.run(.workerLost(id: "w", incarnation: incarnation))
            #expect(machine.state(id) == .ready)
        }
        try machine.register("w", incarnation: 1_000)
        try machine.run(.workerLost(id: "w", incarnation: 1_000))
        #expect(machine.state(id) == .dead)
        #expect(machine.scheduler.task(id)?.error?.kind == "lost")
    }

    @Test
    func drainingWorkerGetsNothingNew() throws {
        var machine = Machine()
        try machine.register("w", slots: 2)
        let first = try machine.submit(.h())
        #expect(try machine.run(.drainWorker(id: "w", incarnation: 1)) == .done)
        let second = try machine.submit(.h())
        #expect(machine.state(first) == .running && machine.state(second) == .ready)
        try machine.register("w", slots: 2)
        #expect(machine.scheduler.worker("w")?.state == .draining, "registering is no undrain")
        try machine.finish(first)
        #expect(machine.assigned.isEmpty)
        #expect(try machine.run(.undrainWorker(id: "w", incarnation: 1)) == .done)
        #expect(machine.assigned == [second])
    }

    @Test
    func drainIsRefusedForStrangers() throws {
        var machine = Machine()
        #expect(try machine.run(.drainWorker(id: "w", incarnation: 1)) == .rejected(.notFound))
        try machine.register("w", incarnation: 5)
        #expect(
            try machine.run(.drainWorker(id: "w", incarnation: 4)) == .rejected(.staleIncarnation))
        try machine.run(.workerLost(id: "w", incarnation: 5))
        #expect(try machine.run(.undrainWorker(id: "w", incarnation: 5)) == .rejected(.wrongState))
    }

    @Test
    func lostWorkerIsForgottenButNotByItsTasks() throws {
        var machine = Machine()
        try machine.register("w")
        let id = try machine.submit(.h())
        try machine.finish(id)
        try machine.run(.workerLost(id: "w", incarnation: 1))
        try machine.advance(by: Limits.lostWorkerMemoryMilliseconds - 1)
        #expect(machine.scheduler.worker("w") != nil)
        try machine.advance(by: Limits.housekeepingMilliseconds + 1)
        #expect(machine.scheduler.worker("w") == nil)
        #expect(machine.scheduler.task(id)?.worker == "w")
        // Forgotten means that its incarnations are forgotten as well.
        #expect(try machine.register("w", incarnation: 1) == .done)
    }

    @Test
    func workersHaveALimitAndAnOrder() throws {
        var capacity = Capacity()
        capacity.workers = 3
        var machine = Machine(capacity)
        for name in ["c", "a", "b"] { try machine.register(name) }
        #expect(try machine.register("d") == .rejected(.full))
        #expect(machine.scheduler.workers().map(\.spec.id) == ["a", "b", "c"])
        #expect(machine.scheduler.counts.workers == 3)
    }

    @Test
    func runningAttemptsAreThoseOfTheIncarnation() throws {
        var machine = Machine()
        try machine.register("w", slots: 3)
        let tasks = try (0..<3).map { _ in try machine.submit(.h()) }
        let attempts = machine.scheduler.runningAttempts(worker: "w", incarnation: 1)
        #expect(attempts.map(\.task) == tasks)
        #expect(machine.scheduler.runningAttempts(worker: "w", incarnation: 2).isEmpty)
        #expect(machine.scheduler.runningAttempts(worker: "x", incarnation: 1).isEmpty)
        let restored = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        #expect(restored.runningAttempts(worker: "w", incarnation: 1) == attempts)
    }
}
