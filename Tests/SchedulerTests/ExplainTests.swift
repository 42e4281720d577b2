import Testing

@testable import Scheduler

struct ExplainTests {
    private func why(_ machine: Machine, _ id: TaskID) throws -> [Constraint] {
        try #require(machine.scheduler.explain(id)).constraints
    }

    private func put(
        _ machine: inout Machine, paused: Bool? = nil,
        _ change: (inout QueueSpec) -> Void = { _ in }
    ) throws {
        var spec = QueueSpec()
        change(&spec)
        try machine.run(.putQueue(name: "q", spec, paused: paused, isInitial: false))
    }

    private func task(_ change: (inout TaskSpec) -> Void = { _ in }) -> TaskSpec {
        .h {
            $0.queue = "q"
            change(&$0)
        }
    }

    // MARK: One constraint each

    @Test
    func unknownTask() {
        #expect(Scheduler().explain(TaskID(1)) == nil)
    }

    @Test
    func notDue() throws {
        var machine = Machine()
        try machine.register("w")
        let id = try machine.submit(.h { $0.start = .after(milliseconds: 500) })
        #expect(try why(machine, id) == [.notDue(until: machine.time + 500, isRetry: false)])
        try machine.advance(by: 500)
        try machine.finish(id, .error(retryAfter: 70))
        #expect(try why(machine, id) == [.notDue(until: machine.time + 70, isRetry: true)])
    }

    @Test
    func dependencies() throws {
        var machine = Machine()
        try machine.register("w", slots: 100)
        let all = try (0..<25).map { _ in try machine.submit(.h { $0.retry.attempts = 1 }) }
        let id = try machine.submit(
            .h {
                $0.after = all
                $0.onDependencyFailure = .hold
            })
        let many = try why(machine, id)
        #expect(many.count == 21 && many[0] == .dependency(all[0], .running))
        #expect(many[20] == .moreDependencies(5))
        for task in all.dropFirst() { try machine.finish(task) }
        try machine.finish(all[0], .error())
        #expect(try why(machine, id) == [.dependency(all[0], .dead)])
    }

    @Test
    func pausedQueue() throws {
        var machine = Machine()
        try machine.register("w")
        try put(&machine, paused: true)
        let id = try machine.submit(task())
        #expect(try why(machine, id) == [.queuePaused("q")])
        // Told before it is due, too.
        let later = try machine.submit(task { $0.start = .after(milliseconds: 9) })
        #expect(try why(machine, later).last == .queuePaused("q"))
    }

    @Test
    func concurrency() throws {
        var machine = Machine()
        try machine.register("w", slots: 5)
        try put(&machine) { $0.concurrency = 1 }
        _ = try machine.submit(task())
        let id = try machine.submit(task())
        #expect(try why(machine, id) == [.queueConcurrency("q", running: 1, limit: 1)])
    }

    @Test
    func rate() throws {
        var machine = Machine()
        try machine.register("w", slots: 5)
        try put(&machine) { $0.rate = RateLimit(count: 1, perMilliseconds: 1_000, burst: 1) }
        _ = try machine.submit(task())
        let id = try machine.submit(task())
        #expect(try why(machine, id) == [.queueRate("q", until: machine.time + 1_000)])
    }

    @Test
    func limitByKey() throws {
        var machine = Machine()
        try machine.register("w", slots: 5)
        try put(&machine) { $0.limits = [KeyLimit(key: "payload.c", concurrency: 1)] }
        let spec = task { $0.payload = Array(#"{"c":7}"#.utf8) }
        _ = try machine.submit(spec)
        let id = try machine.submit(spec)
        let hold = KeyHold(key: "payload.c", value: "7", running: 1, nextTokenAt: nil)
        #expect(try why(machine, id) == [.keyLimit(queue: "q", hold)])
    }

    @Test
    func breaker() throws {
        var machine = Machine()
        try machine.register("w", slots: 5)
        try put(&machine) { $0.breaker = BreakerSpec(trip: .failures(1), openMilliseconds: 400) }
        let first = try machine.submit(task())
        try machine.finish(first, .error(isRetryable: false))
        let tasks = try (0..<2).map { _ in try machine.submit(task()) }
        #expect(try why(machine, tasks[1]) == [.breakerOpen("q", until: machine.time + 400)])
        try machine.advance(by: 400)
        #expect(machine.state(tasks[0]) == .running)
        #expect(try why(machine, tasks[1]) == [.breakerHalfOpen("q", probes: 1)])
    }

    @Test
    func workers() throws {
        var machine = Machine()
        let id = try machine.submit(.h { $0.tags = ["gpu", "eu"] })
        #expect(try why(machine, id) == [.noWorker(handler: "h", draining: [], lost: [])])
        try machine.register("v", tags: ["gpu"])
        try machine.register("w", tags: ["eu", "gpu"])
        let running = try machine.submit(.h())
        try machine.run(.drainWorker(id: "w", incarnation: 1))
        #expect(machine.worker(of: id) == "w" && machine.worker(of: running) == "v")
        let next = try machine.submit(.h { $0.tags = ["eu"] })
        #expect(
            try why(machine, next) == [
                .noWorkerWithTags(handler: "h", tags: ["eu"], draining: ["w"], lost: [])
            ])
        try machine.run(.workerLost(id: "w", incarnation: 1))
        try machine.run(.drainWorker(id: "v", incarnation: 1))
        let plain = try machine.submit(.h())
        #expect(
            try why(machine, plain) == [.noWorker(handler: "h", draining: ["v"], lost: ["w"])])
    }

    @Test
    func busySlots() throws {
        var machine = Machine()
        try machine.register("w", slots: 2)
        for _ in 0..<2 { _ = try machine.submit(.h()) }
        let tasks = try (0..<3).map { _ in try machine.submit(.h()) }
        var busy = Constraint.Busy(workers: 1, slots: 2, waiting: 3, isFirst: true)
        #expect(try why(machine, tasks[0]) == [.slotsBusy(busy)])
        busy.isFirst = false
        #expect(try why(machine, tasks[2]) == [.slotsBusy(busy)])
    }

    @Test
    func everyConstraintIsNamed() throws {
        var machine = Machine()
        try put(&machine, paused: true) { $0.concurrency = 1 }
        let before = try machine.submit(.h())
        let id = try machine.submit(
            task {
                $0.after = [before]
                $0.start = .after(milliseconds: 50)
                $0.expiresMilliseconds = 10
            })
        #expect(
            try why(machine, id) == [
                .notDue(until: machine.time + 50, isRetry: false), .dependency(before, .ready),
                .queuePaused("q"), .noWorker(handler: "h", draining: [], lost: []),
            ])
        #expect(machine.scheduler.explain(id)?.expiresAt == machine.time + 61)
    }

    @Test
    func runningAndEnded() throws {
        var machine = Machine()
        try machine.register("w")
        let id = try machine.submit(.h { $0.timeoutMilliseconds = 1_000 })
        let until = machine.time + 1_000 + Limits.timeoutGraceMilliseconds
        #expect(
            try why(machine, id) == [
                .running(worker: "w", attempt: 1, since: machine.time, until: until)
            ])
        try machine.finish(id)
        #expect(try why(machine, id) == [.ended(.succeeded, at: machine.time)])
    }

    // MARK: All that there are

    /// What is said to hold a task does, and whatever waits is held by something: a ready task that nothing holds would
    /// have started.
    @Test(arguments: 0..<60)
    func nothingWaitsWithoutAReason(seed: UInt64) throws {
        var log = RandomLog(seed: 9_000 + seed)
        var machine = Machine()
        for _ in 0..<60 {
            try machine.apply(log.entry(for: &machine))
            let page = machine.scheduler.list(
                TaskFilter(), before: nil, limit: .max, scanBudget: .max)
            for task in page.items {
                let explanation = try #require(machine.scheduler.explain(task.id))
                #expect(!explanation.constraints.isEmpty, "\(task.id) is \(task.state)")
                #expect(explanation.state == task.state)
                for constraint in explanation.constraints { check(constraint, task, machine) }
            }
        }
    }

    private func check(_ constraint: Constraint, _ task: TaskView, _ machine: Machine) {
        let queue = machine.scheduler.queue(task.spec.queue)
        let able = machine.scheduler.workers().filter {
            $0.state == .live && $0.spec.handlers.contains(task.spec.handler)
                && task.spec.tags.allSatisfy($0.spec.tags.contains)
        }
        let holds: Bool? =
            switch constraint {
            case .notDue(let until, _): task.dueAt == until && task.state != .ready
            case .dependency(let id, let state):
                task.spec.after.contains(id) && machine.state(id) == state
            case .moreDependencies, .breakerOpen, .breakerHalfOpen: task.state != .running
            case .queuePaused: queue?.isPaused
            case .queueConcurrency(_, let running, let limit):
                queue?.running == running && running >= limit
            case .quota(let namespace, let running, let limit):
                machine.scheduler.namespace(namespace.name)?.running == running
                    && running >= limit && namespace.holds(task.spec.queue)
            case .queueRate(_, let until): queue?.nextTokenAt == until
            case .keyLimit(_, let hold):
                task.state == .ready && queue?.spec.limits.contains { $0.key == hold.key } == true
            case .noWorker, .noWorkerWithTags: able.isEmpty
            case .slotsBusy(let busy):
                able.count == busy.workers && able.allSatisfy { $0.running >= $0.spec.slots }
            case .running(let worker, _, _, _): task.worker == worker && task.state == .running
            case .ended(let state, _): state.isFinal && state == task.state
            }
        #expect(holds == true, "\(constraint) of \(task.id)")
    }
}
