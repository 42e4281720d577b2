import Testing

@testable import Scheduler

struct QueueTests {
    private func put(
        _ machine: inout Machine, _ name: String = "q", paused: Bool? = nil,
        isInitial: Bool = false, _ change: (inout QueueSpec) -> Void = { _ in }
    ) throws {
        var spec = QueueSpec()
        change(&spec)
        let outcome = try machine.run(
            .putQueue(name: name, spec, paused: paused, isInitial: isInitial))
        #expect(outcome == .done)
    }

    private func task(_ change: (inout TaskSpec) -> Void = { _ in }) -> TaskSpec {
        .h {
            $0.queue = "q"
            change(&$0)
        }
    }

    // MARK: What there is

    @Test
    func whatIsSaidOfAQueueCanBeTakenBack() throws {
        var machine = Machine()
        try machine.register("w", slots: 4)
        try put(&machine, paused: true) {
            $0.concurrency = 1
            $0.rate = RateLimit(count: 1, perMilliseconds: 60_000, burst: 1)
            $0.breaker = BreakerSpec(trip: .failures(1))
            $0.limits = [KeyLimit(key: "payload.a", concurrency: 1)]
        }
        let ids = try (0..<3).map { _ in
            try machine.submit(task { $0.payload = Array(#"{"a": 1}"#.utf8) })
        }
        #expect(ids.allSatisfy { machine.state($0) == .ready })
        #expect(try machine.run(.resetQueue(name: "q")) == .done)
        #expect(machine.assigned == ids, "nothing holds them any more")
        let view = try #require(machine.scheduler.queue("q"))
        #expect(view.spec == QueueSpec() && !view.isPaused && view.nextTokenAt == nil)
        #expect(!machine.scheduler.isQueueDeclared("q"))
        #expect(try machine.run(.resetQueue(name: "q")) == .done)
        // It goes with its last task, or at once if there is none.
        for id in ids { try machine.finish(id) }
        try machine.advance(by: Limits.finishedRetentionMilliseconds + 1_000)
        #expect(machine.scheduler.queue("q") == nil)
        #expect(try machine.run(.resetQueue(name: "q")) == .rejected(.notFound))
        try put(&machine, "empty") { $0.concurrency = 1 }
        #expect(try machine.run(.resetQueue(name: "empty")) == .done)
        #expect(machine.scheduler.queue("empty") == nil)
    }

    @Test
    func aQueueWhoseTasksExpireAsItIsTakenBackGoesOnce() throws {
        var machine = Machine()
        try machine.register("w")
        var retention = Retention()
        retention.maxFinished = 0
        try machine.run(.setRetention(retention))
        try put(&machine, paused: true)
        for _ in 0..<3 { _ = try machine.submit(task { $0.expiresMilliseconds = 10 }) }
        machine.time += 20
        #expect(try machine.run(.resetQueue(name: "q")) == .done)
        try machine.advance(by: 1)
        #expect(machine.scheduler.queue("q") == nil)
    }

    @Test
    func queueIsThereAsSoonAsItIsNamedAndWhileItIsNeeded() throws {
        var machine = Machine()
        let id = try machine.submit(task { $0.start = .after(milliseconds: 5) })
        let other = try machine.submit(.h())
        #expect(machine.scheduler.queues(after: nil, limit: 9).map(\.name) == ["default", "q"])
        #expect(machine.scheduler.queue("q")?.pending == 1)
        try machine.run(.cancel(id))
        #expect(machine.scheduler.queue("q")?.pending == 0)
        try machine.run(.pauseQueue(name: "kept"))
        #expect(machine.events.contains(.queueChanged(name: "kept")))
        try machine.run(.cancel(other))
        try machine.advance(by: Limits.finishedRetentionMilliseconds + 1_000)
        #expect(machine.scheduler.queues(after: nil, limit: 9).map(\.name) == ["kept"])
        #expect(machine.scheduler.queue("kept")?.isPaused == true)
    }

    @Test
    func listsGoOnBehindAName() throws {
        var machine = Machine()
        for name in ["b", "d", "a", "c"] { try put(&machine, name) }
        func names(_ after: String?, _ limit: Int) -> [String] {
            machine.scheduler.queues(after: after, limit: limit).map(\.name)
        }
        #expect(names(nil, 2) == ["a", "b"])
        #expect(names("b", 9) == ["c", "d"])
        #expect(names("bb", 1) == ["c"])
        #expect(names("d", 1) == [])
    }

    @Test
    func whatAConfigurationSaysCountsOnlyAtFirst() throws {
        var machine = Machine()
        try put(&machine, isInitial: true) { $0.concurrency = 3 }
        #expect(machine.scheduler.queue("q")?.spec.concurrency == 3)
        try put(&machine, isInitial: true) { $0.concurrency = 4 }
        #expect(machine.scheduler.queue("q")?.spec.concurrency == 3)
        try put(&machine) { $0.maxPending = 5 }
        let spec = machine.scheduler.queue("q")?.spec
        #expect(spec?.concurrency == nil && spec?.maxPending == 5)
    }

    @Test
    func numberOfQueuesIsBounded() throws {
        var capacity = Capacity()
        capacity.queues = 2
        var machine = Machine(capacity)
        _ = try machine.submit(.h())
        try put(&machine)
        #expect(try machine.run(.submit(.h { $0.queue = "third" })) == .rejected(.full))
        #expect(try machine.run(.pauseQueue(name: "third")) == .rejected(.full))
        _ = try machine.submit(task())
    }

    @Test
    func scheduleMakesNoQueueBeyondTheLimit() throws {
        var capacity = Capacity()
        capacity.queues = 1
        var machine = Machine(capacity)
        try put(&machine, "other")
        let spec = ScheduleSpec(timing: .every(milliseconds: 1_000), zone: "UTC", task: task())
        try machine.run(.putSchedule(name: "s", spec, paused: false, next: nil))
        #expect(try machine.run(.triggerSchedule(name: "s")) == .rejected(.full))
        #expect(machine.scheduler.queues(after: nil, limit: 9).map(\.name) == ["other"])
    }

    @Test
    func lanesComeAndGoInAnyOrder() throws {
        var machine = Machine()
        let ids = try (0..<6).map { number in
            try machine.submit(
                task {
                    $0.handler = "h\(number)"
                    $0.start = .after(milliseconds: 60_000)
                })
        }
        for place in [2, 0, 5, 3] {
            try machine.run(.cancel(ids[place]))
            try machine.run(.deleteTask(ids[place]))
        }
        try machine.advance(by: 60_000)
        try machine.register("w", slots: 9, handlers: (0..<6).map { "h\($0)" })
        #expect(Set(machine.assigned) == [ids[1], ids[4]])
    }

    // MARK: Pause

    @Test
    func pausedQueueStartsNothingAndOthersGoOn() throws {
        var machine = Machine()
        try machine.register("w", slots: 3)
        let running = try machine.submit(task())
        try machine.run(.pauseQueue(name: "q"))
        #expect(machine.state(running) == .running, "what runs goes on")
        let held = try machine.submit(task { $0.priority = 9 })
        let free = try machine.submit(.h { $0.priority = 0 })
        #expect(machine.state(held) == .ready && machine.state(free) == .running)
        try machine.finish(running)
        #expect(machine.assigned.isEmpty)
        try machine.run(.resumeQueue(name: "q"))
        #expect(machine.assigned == [held], "in the same command")
        #expect(try machine.run(.resumeQueue(name: "q")) == .done)
        #expect(machine.events.count == 1, "nothing has changed")
    }

    @Test
    func openedQueueStartsTasksInTheirOrderWithWhoeverCan() throws {
        var machine = Machine()
        try put(&machine, paused: true)
        try machine.register("w", slots: 2)
        try machine.register("v", slots: 1, handlers: ["i"])
        let low = try machine.submit(task { $0.priority = 1 })
        let other = try machine.submit(task { $0.handler = "i" })
        let high = try machine.submit(task { $0.priority = 9 })
        let middle = try machine.submit(task())
        try put(&machine, paused: false)
        #expect(machine.assigned == [high, other, middle])
        #expect(machine.state(low) == .ready)
    }

    // MARK: Concurrency

    @Test
    func concurrencyIsNeverExceededAndSlotsAreUsedByOthers() throws {
        var machine = Machine()
        try put(&machine) { $0.concurrency = 2 }
        try machine.register("w", slots: 4)
        let tasks = try (0..<5).map { _ in try machine.submit(task()) }
        let other = try machine.submit(.h())
        #expect(tasks.map { machine.state($0) } == [.running, .running, .ready, .ready, .ready])
        #expect(machine.state(other) == .running)
        try machine.finish(tasks[0])
        #expect(machine.assigned == [tasks[2]])
        try machine.run(.cancel(tasks[1]))
        #expect(machine.assigned == [tasks[3]])
        try machine.finish(tasks[2], .error(retryAfter: 50))
        #expect(machine.assigned == [tasks[4]])
        try machine.advance(by: 60)
        #expect(machine.state(tasks[2]) == .ready)
        #expect(machine.scheduler.queue("q")?.running == 2)
        try put(&machine) { $0.concurrency = 3 }
        #expect(machine.assigned == [tasks[2]])
        try put(&machine) { $0.concurrency = 1 }
        #expect(machine.revoked.isEmpty && machine.scheduler.queue("q")?.running == 3)
        try machine.finish(tasks[2])
        #expect(machine.assigned.isEmpty)
    }

    /// The slot that gets free is of no use to the queue, another one is.
    @Test
    func queueThatOpensByAnEndUsesTheSlotsOfOtherWorkers() throws {
        var machine = Machine()
        try put(&machine) { $0.concurrency = 1 }
        try machine.register("w", handlers: ["h"])
        try machine.register("v", handlers: ["i"])
        let first = try machine.submit(task())
        let second = try machine.submit(task { $0.handler = "i" })
        #expect(machine.state(second) == .ready)
        try machine.finish(first)
        #expect(machine.worker(of: second) == "v")
    }

    @Test
    func tasksOfALostWorkerMakeRoomForThoseBeforeThem() throws {
        var machine = Machine()
        try put(&machine) { $0.concurrency = 1 }
        try machine.register("w")
        try machine.register("v", slots: 2, tags: ["x"])
        try machine.run(.drainWorker(id: "v", incarnation: 1))
        let first = try machine.submit(task())
        let urgent = try machine.submit(task { $0.priority = 9 })
        try machine.run(.undrainWorker(id: "v", incarnation: 1))
        #expect(machine.worker(of: first) == "w" && machine.state(urgent) == .ready)
        try machine.run(.workerLost(id: "w", incarnation: 1))
        #expect(machine.assigned == [urgent])
        try machine.finish(urgent)
        #expect(machine.assigned == [first])
    }

    // MARK: Backlog

    @Test
    func fullQueueRefusesSubmissions() throws {
        var machine = Machine()
        try put(&machine) { $0.maxPending = 2 }
        try machine.register("w")
        let running = try machine.submit(task { $0.key = "k" })
        let waiting = try machine.submit(task { $0.start = .after(milliseconds: 90_000) })
        _ = try machine.submit(task())
        #expect(try machine.run(.submit(task())) == .rejected(.queueFull))
        let again = task { $0.key = "k" }
        #expect(try machine.run(.submit(again)) == .task(running, existed: true))
        try machine.run(.cancel(waiting))
        _ = try machine.submit(task())
        // What was taken is tried again.
        try machine.finish(running, .error())
        #expect(machine.scheduler.queue("q")?.pending == 2)
        #expect(machine.state(running) == .scheduled)
    }
}
