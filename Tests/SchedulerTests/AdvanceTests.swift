import Testing

@testable import Scheduler

struct AdvanceTests {
    @Test
    func dueTasksGetReadyInOrder() throws {
        var machine = Machine()
        try machine.register("w", slots: 9)
        let late = try machine.submit(.h { $0.start = .after(milliseconds: 30) })
        let early = try machine.submit(.h { $0.start = .after(milliseconds: 10) })
        let same = try machine.submit(.h { $0.start = .after(milliseconds: 10) })
        #expect(machine.scheduler.nextWake == machine.time + 10)
        try machine.advance(by: 9)
        #expect(machine.assigned.isEmpty)
        try machine.advance(by: 21)
        #expect(machine.assigned == [early, same, late])
    }

    @Test
    func workOfOneAdvanceIsBounded() throws {
        var capacity = Capacity()
        capacity.wakesPerAdvance = 10
        var machine = Machine(capacity)
        for _ in 0..<25 { _ = try machine.submit(.h { $0.start = .after(milliseconds: 5) }) }
        for ready in [10, 20, 25] {
            try machine.advance(by: 5)
            #expect(machine.scheduler.counts.tasksByState[2] == ready)
            #expect((machine.scheduler.nextWake != nil) == (ready < 25))
        }
    }

    @Test
    func taskMayStartUpToItsExpiryAndNotLater() throws {
        var machine = Machine()
        let spec = TaskSpec.h {
            $0.start = .after(milliseconds: 100)
            $0.expiresMilliseconds = 50
        }
        let first = try machine.submit(spec)
        let second = try machine.submit(spec)
        try machine.advance(by: 150)
        try machine.register("w")
        #expect(machine.state(first) == .running, "the last millisecond counts")
        #expect(machine.scheduler.nextWake == machine.time + 1)
        // Its slot gets free too late, before any advance said so.
        machine.time += 1
        try machine.finish(first)
        #expect(machine.state(second) == .expired)
        #expect(machine.assigned.isEmpty)
    }

    @Test
    func waitingTaskExpiresByItself() throws {
        var machine = Machine()
        let id = try machine.submit(.h { $0.expiresMilliseconds = 0 })
        #expect(machine.scheduler.nextWake == machine.time + 1)
        try machine.advance(by: 1)
        #expect(machine.state(id) == .expired)
        #expect(try machine.run(.retry(id)) == .done)
        #expect(machine.state(id) == .ready)
    }

    @Test
    func startedTaskDoesNotExpire() throws {
        var machine = Machine()
        try machine.register("w")
        let id = try machine.submit(.h { $0.expiresMilliseconds = 10 })
        try machine.run(.workerLost(id: "w", incarnation: 1))
        try machine.advance(by: 1_000)
        #expect(machine.state(id) == .ready)
    }

    @Test
    func logEndsAnAttemptWhoseWorkerKeepsSilent() throws {
        var machine = Machine()
        try machine.register("w")
        let id = try machine.submit(
            .h {
                $0.timeoutMilliseconds = 500
                $0.retry.initialMilliseconds = 100
            })
        let report = try machine.report(id)
        let wake = machine.time + 500 + Limits.timeoutGraceMilliseconds
        #expect(machine.scheduler.nextWake == wake)
        try machine.advance(by: wake - machine.time)
        #expect(machine.revoked == [id] && machine.state(id) == .scheduled)
        let view = try #require(machine.scheduler.task(id))
        #expect(view.error?.kind == "timeout" && view.attempts.map(\.outcome) == ["timeout"])
        #expect(try machine.run(.finish(report)) == .rejected(.staleAttempt))
    }

    @Test
    func finishedAttemptLeavesNoTimeout() throws {
        var machine = Machine()
        try machine.register("w")
        let id = try machine.submit(.h())
        try machine.finish(id)
        let retention = machine.time + Limits.finishedRetentionMilliseconds
        #expect(machine.scheduler.nextWake == retention)
    }

    // MARK: Retention

    @Test
    func finishedTasksAreDroppedByAgeAndDeadOnesLater() throws {
        var machine = Machine()
        try machine.register("w")
        let done = try machine.submit(.h())
        try machine.finish(done)
        let dead = try machine.submit(.h())
        try machine.finish(dead, .error(isRetryable: false))
        try machine.advance(by: Limits.finishedRetentionMilliseconds - 1)
        #expect(machine.state(done) == .succeeded)
        try machine.advance(by: Limits.housekeepingMilliseconds)
        #expect(machine.state(done) == nil && machine.state(dead) == .dead)
        try machine.advance(by: Limits.deadRetentionMilliseconds)
        #expect(machine.state(dead) == nil)
        #expect(machine.scheduler.state.tasks.count == 0)
        #expect(machine.scheduler.nextWake == nil)
    }

    @Test
    func finishedTasksAreDroppedByCountOldestFirst() throws {
        var capacity = Capacity()
        capacity.finishedTasks = 3
        capacity.deadTasks = 1
        var machine = Machine(capacity)
        try machine.register("w")
        var tasks: [TaskID] = []
        for _ in 0..<5 {
            machine.time += 1_000
            tasks.append(try machine.submit(.h()))
            try machine.finish(tasks[tasks.count - 1])
        }
        #expect(
            tasks.map { machine.state($0) } == [nil, nil] + Array(repeating: .succeeded, count: 3))
        for _ in 0..<2 {
            machine.time += 1_000
            tasks.append(try machine.submit(.h()))
            try machine.finish(tasks[tasks.count - 1], .error(isRetryable: false))
        }
        #expect(tasks.suffix(2).map { machine.state($0) } == [nil, .dead])
        #expect(machine.scheduler.counts.tasksByState[4] == 3)
    }
}
