import Testing

@testable import Scheduler

/// Tasks that wait for others.
struct DependencyTests {
    private func working(slots: UInt32 = 9) throws -> Machine {
        var machine = Machine()
        try machine.register("w", slots: slots)
        return machine
    }

    private func after(
        _ tasks: TaskID..., policy: TaskSpec.DependencyPolicy = .cancel,
        _ change: (inout TaskSpec) -> Void = { _ in }
    ) -> TaskSpec {
        .h {
            $0.after = tasks
            $0.onDependencyFailure = policy
            change(&$0)
        }
    }

    private func results(of id: TaskID, _ machine: Machine) -> [String] {
        let position = machine.scheduler.state.tasks.position(of: id)
        let record = position.map { machine.scheduler.state.tasks[$0] }
        return record?.extra?.fields.dependencies?.edges.map {
            String(decoding: $0.result, as: UTF8.self)
        } ?? []
    }

    @Test
    func startsWhenAllHaveSucceededAndHasTheirResults() throws {
        var machine = try working()
        let first = try machine.submit(.h())
        let second = try machine.submit(.h())
        let last = try machine.submit(after(second, first, second))
        #expect(machine.state(last) == .blocked)
        #expect(machine.scheduler.task(last)?.spec.after == [first, second])
        try machine.finish(second, .succeeded(Array("{\"b\":2}".utf8)))
        #expect(machine.state(last) == .blocked)
        try machine.finish(first, .succeeded(Array("1".utf8)))
        #expect(machine.assigned == [last] && machine.state(last) == .running)
        #expect(results(of: last, machine) == ["1", "{\"b\":2}"])
        try machine.finish(last)
        #expect(results(of: last, machine) == ["", ""], "they are of no use any more")
        #expect(machine.scheduler.state.endings.isEmpty)
    }

    @Test
    func endedPredecessorsAreNotWaitedFor() throws {
        var machine = try working()
        let good = try machine.submit(.h())
        try machine.finish(good)
        let bad = try machine.submit(.h { $0.retry.attempts = 1 })
        try machine.finish(bad, .error())
        let next = try machine.submit(after(good))
        let run = try machine.submit(after(good, bad, policy: .run))
        let held = try machine.submit(after(good, bad, policy: .hold))
        #expect([next, run, held].map { machine.state($0) } == [.running, .running, .blocked])
        let cancelled = try machine.submit(after(good, bad))
        let view = try #require(machine.scheduler.task(cancelled))
        #expect(view.state == .cancelled && view.attempt == 0)
        #expect(view.error?.kind == "dependency")
        #expect(view.error?.message == "\(bad) is dead, which it was to wait for")
    }

    @Test
    func unknownAndForgottenPredecessorsAreRefused() throws {
        var machine = try working()
        let id = try machine.submit(.h())
        let itself = TaskID(machine.scheduler.state.nextTask)
        #expect(try machine.run(.submit(after(itself))) == .rejected(.missingDependency))
        #expect(
            try machine.run(.submit(after(id, TaskID(77)))) == .rejected(.missingDependency))
        #expect(machine.scheduler.task(itself) == nil, "a refused task leaves no trace")
        #expect(machine.scheduler.state.profiles.slots[0].references == 1)
        try machine.finish(id)
        try machine.advance(by: Limits.finishedRetentionMilliseconds + 1_000)
        #expect(machine.state(id) == nil)
        #expect(try machine.run(.submit(after(id))) == .rejected(.missingDependency))
        let keyed = after(id) { $0.key = "k" }
        #expect(try machine.run(.submit(keyed)) == .rejected(.missingDependency))
        #expect(machine.scheduler.counts.rememberedKeys == 0)
    }

    @Test
    func policiesDecideWhatAFailureMeans() throws {
        var machine = try working()
        let bad = try machine.submit(.h { $0.retry.attempts = 1 })
        let open = try machine.submit(.h())
        let cancelled = try machine.submit(after(bad, open))
        let run = try machine.submit(after(bad, open, policy: .run))
        let held = try machine.submit(after(bad, open, policy: .hold))
        try machine.finish(bad, .error())
        #expect(machine.state(cancelled) == .cancelled)
        #expect(machine.state(run) == .blocked && machine.state(held) == .blocked)
        try machine.finish(open)
        #expect(machine.state(run) == .running && machine.state(held) == .blocked)
        #expect(results(of: run, machine) == ["", "1"])
        // Only the one who was held hears of it.
        try machine.run(.retry(bad))
        try machine.finish(bad)
        #expect(machine.state(held) == .running && machine.state(cancelled) == .cancelled)
    }

    @Test
    func everyKindOfFailureCounts() throws {
        var machine = try working()
        let late = try machine.submit(
            .h {
                $0.tags = ["nowhere"]
                $0.expiresMilliseconds = 10
            })
        let cancelled = try machine.submit(.h { $0.tags = ["nowhere"] })
        let one = try machine.submit(after(late))
        let other = try machine.submit(after(cancelled))
        try machine.run(.cancel(cancelled))
        #expect(machine.state(other) == .cancelled && machine.state(one) == .blocked)
        try machine.advance(by: 11)
        #expect(machine.state(late) == .expired && machine.state(one) == .cancelled)
    }

    @Test
    func heldTaskIsCancelledWhenItsPredecessorIsForgotten() throws {
        var machine = try working()
        let bad = try machine.submit(.h())
        let held = try machine.submit(after(bad, policy: .hold))
        try machine.run(.cancel(bad))
        try machine.advance(by: Limits.finishedRetentionMilliseconds)
        try machine.advance(by: 1_000)
        #expect(machine.state(bad) == nil && machine.state(held) == .cancelled)
        #expect(machine.scheduler.task(held)?.error?.message.contains("is gone") == true)
    }

    @Test
    func retriedSuccessorWaitsForThoseThatHaveYetToEnd() throws {
        var machine = try working()
        let bad = try machine.submit(.h { $0.retry.attempts = 1 })
        let next = try machine.submit(after(bad))
        try machine.finish(bad, .error())
        #expect(machine.state(next) == .cancelled)
        try machine.run(.retry(bad))
        try machine.run(.retry(next))
        #expect(machine.state(next) == .blocked && machine.scheduler.task(next)?.error != nil)
        try machine.finish(bad, .error())
        #expect(machine.state(next) == .cancelled, "it failed again")
        // Now the user wants it without.
        try machine.run(.retry(next))
        #expect(machine.state(next) == .running)
    }

    @Test
    func blockedTaskCanBeCancelledAndExpires() throws {
        var machine = try working()
        let first = try machine.submit(.h())
        let cancelled = try machine.submit(after(first))
        let late = try machine.submit(after(first) { $0.expiresMilliseconds = 100 })
        let afterLate = try machine.submit(after(late, policy: .run))
        #expect(try machine.run(.retry(cancelled)) == .rejected(.wrongState))
        #expect(try machine.run(.cancel(cancelled)) == .done)
        #expect(machine.scheduler.nextWake == machine.time + 101)
        try machine.advance(by: 101)
        #expect(machine.state(late) == .expired && machine.state(afterLate) == .running)
        try machine.finish(first)
        #expect(machine.state(cancelled) == .cancelled && machine.state(late) == .expired)
        #expect(machine.scheduler.counts.tasksByState[Int(TaskState.blocked.rawValue)] == 0)
    }

    @Test
    func dueTimeHoldsBesidePredecessors() throws {
        var machine = try working()
        let first = try machine.submit(.h())
        let next = try machine.submit(after(first) { $0.start = .after(milliseconds: 500) })
        try machine.finish(first)
        #expect(machine.state(next) == .scheduled && machine.assigned.isEmpty)
        try machine.advance(by: 500)
        #expect(machine.state(next) == .running)
    }

    @Test
    func predecessorMayBeForgottenWhileItsResultIsNeeded() throws {
        var capacity = Capacity()
        capacity.finishedTasks = 1
        var machine = Machine(capacity)
        try machine.register("w", slots: 9)
        let first = try machine.submit(.h())
        let open = try machine.submit(.h())
        let last = try machine.submit(after(first, open))
        try machine.finish(first, .succeeded(Array("7".utf8)))
        try machine.finish(try machine.submit(.h()))
        #expect(machine.state(first) == nil)
        machine.scheduler = try Scheduler(
            snapshot: machine.scheduler.encodeSnapshot(), capacity: capacity)
        try machine.finish(open)
        #expect(machine.state(last) == .running && results(of: last, machine) == ["7", "1"])
    }

    @Test
    func sharedResultsAreInASnapshotOnce() throws {
        var machine = try working()
        let first = try machine.submit(.h())
        let open = try machine.submit(.h())
        for _ in 0..<50 { _ = try machine.submit(after(first, open)) }
        let result = [UInt8](repeating: UInt8(ascii: "1"), count: 60_000)
        try machine.finish(first, .succeeded(result))
        let snapshot = machine.scheduler.encodeSnapshot()
        #expect(snapshot.count < 2 * result.count)
        let restored = try Scheduler(snapshot: snapshot)
        #expect(restored.encodeSnapshot() == snapshot)
        machine.scheduler = restored
        try machine.finish(open)
        #expect(machine.scheduler.counts.tasksByState[Int(TaskState.blocked.rawValue)] == 0)
    }

    @Test
    func retryTakesBackAnEndThatNotAllHaveHeardOf() throws {
        var capacity = Capacity()
        capacity.settlementsPerEntry = 1
        var machine = Machine(capacity)
        try machine.register("w", slots: 9)
        let first = try machine.submit(.h { $0.retry.attempts = 1 })
        let successors = try (0..<3).map { _ in try machine.submit(after(first)) }
        try machine.finish(first, .error())
        #expect(successors.map { machine.state($0) } == [.cancelled, .blocked, .blocked])
        #expect(machine.scheduler.nextWake == machine.time)
        machine.scheduler = try Scheduler(
            snapshot: machine.scheduler.encodeSnapshot(), capacity: capacity)
        #expect(machine.scheduler.nextWake == machine.time)
        try machine.run(.retry(first))
        #expect(successors.map { machine.state($0) } == [.cancelled, .blocked, .blocked])
        try machine.finish(first)
        try machine.advance(by: 0)
        #expect(successors.map { machine.state($0) } == [.cancelled, .running, .running])
    }
}
