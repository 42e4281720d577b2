import Testing

@testable import Scheduler

/// What is derived from the state, and what a snapshot brings back of it, in corners where the two came apart.
struct RestoreCornerTests {
    private func json(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test
    func namespaceDeletedWhileABucketOfAKeyIsNotFull() throws {
        var machine = Machine()
        try machine.register("w", slots: 4)
        var spec = QueueSpec()
        spec.limits = [
            KeyLimit(
                key: "payload.c", rate: RateLimit(count: 1, perMilliseconds: 86_400_000, burst: 1))
        ]
        try machine.run(.putQueue(name: "shop:q", spec, paused: nil, isInitial: false))
        let id = try machine.submit(
            .h {
                $0.queue = "shop:q"; $0.payload = Array("{\"c\":1}".utf8)
            })
        try machine.finish(id)
        try machine.run(.deleteTask(id))
        let outcome = try machine.run(.deleteNamespace(name: "shop"))
        #expect(outcome == .done)
        let bytes = machine.scheduler.encodeSnapshot()
        var problem = ""
        do { _ = try Scheduler(snapshot: bytes) } catch { problem = error.reason }
        #expect(problem == "")
    }

    @Test
    func groupsWaitAtTheSameGateAfterARestore() throws {
        var machine = Machine()
        var spec = QueueSpec()
        spec.limits = [
            KeyLimit(key: "payload.a", concurrency: 1), KeyLimit(key: "payload.b", concurrency: 1),
        ]
        try machine.run(.putQueue(name: "q", spec, paused: nil, isInitial: false))
        func task(_ text: String) -> TaskSpec {
            .h {
                $0.queue = "q"; $0.payload = Array(text.utf8)
            }
        }
        let r1 = try machine.submit(task("{\"b\":1}"))
        let g1 = try machine.submit(task("{\"a\":1,\"b\":1}"))
        let r2 = try machine.submit(task("{\"a\":1}"))
        let g2 = try machine.submit(task("{\"a\":1}"))
        var restored = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        #expect(restored.stateHash() == machine.scheduler.stateHash())
        try machine.run([.cancel(r2), .cancel(r1)])
        var events: [Event] = []
        try restored.apply(
            machine.log[machine.log.count - 1], index: restored.appliedIndex + 1, into: &events)
        #expect(restored.stateHash() == machine.scheduler.stateHash())
        // And who starts when a worker comes:
        try machine.register("w", slots: 4)
        var more: [Event] = []
        try restored.apply(
            machine.log[machine.log.count - 1], index: restored.appliedIndex + 1, into: &more)
        #expect(
            [machine.state(g1), machine.state(g2)] == [
                restored.state(of: g1), restored.state(of: g2),
            ])
        #expect(restored.digest == machine.scheduler.digest)
    }

    @Test
    func numbersThatNoTaskCanHaveAreNoIds() {
        for number in [UInt64.max, 1 << 62] {
            #expect(TaskID("t\(number)") == nil && WorkflowID("w\(number)") == nil)
        }
        let last = UInt64(1) << 62 - 1
        #expect(TaskID("t\(last)")?.number == last)
        let workflow = WorkflowID("w\(last)")
        #expect(workflow.map { Scheduler().workflow($0) == nil } == true)
        var filter = TaskFilter()
        filter.workflow = workflow
        #expect(
            Scheduler().list(filter, before: nil, limit: 9, scanBudget: 9).items.isEmpty)
    }

    @Test
    func whatIsReleasedAtTheVeryEndOfAnEntry() throws {
        var machine = Machine()
        try machine.register("w", slots: 4)
        var queue = QueueSpec()
        queue.limits = [KeyLimit(key: "payload.k", concurrency: 1)]
        try machine.run(.putQueue(name: "q", queue, paused: nil, isInitial: false))
        var other = TaskSpec(handler: "nobody")
        other.queue = "q"
        other.payload = json("{\"k\":1}")
        let x = try machine.submit(other)
        var policy = SchedulePolicy()
        policy.overlap = .buffer
        let first = (machine.time / 1_000 + 1) * 1_000
        let spec = ScheduleSpec(
            timing: .every(milliseconds: 1_000), zone: "UTC", policy: policy,
            task: .h {
                $0.queue = "q"
                $0.payload = Array("{\"k\":1}".utf8)
                $0.expiresMilliseconds = 5_000
            })
        let outcome = try machine.run(.putSchedule(name: "s", spec, paused: false, next: first))
        guard case .schedule(let revision, _) = outcome else { throw Unexpected(outcome: outcome) }
        for step in 0..<2 {
            let next = first + Milliseconds(step) * 1_000
            machine.time = next
            try machine.run(
                .advance([
                    Firing(
                        schedule: "s", revision: revision, expectedNext: next, nominal: next,
                        missed: 0,
                        next: next + (step == 1 ? 1_000_000 : 1_000))
                ]))
        }
        let before = try #require(machine.scheduler.schedule("s"))
        #expect(before.buffered == first + 1_000)
        machine.time += 10_000
        try machine.run(.cancel(x))
        let view = try #require(machine.scheduler.schedule("s"))
        // It expired in this entry, and the one that waited for it was started, and expired as well.
        #expect(view.expired == 2 && view.buffered == nil)
        var restored = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        try machine.run(.pauseQueue(name: "z"))
        var events: [Event] = []
        try restored.apply(
            machine.log[machine.log.count - 1], index: restored.appliedIndex + 1, into: &events)
        #expect(restored.stateHash() == machine.scheduler.stateHash())
        #expect(restored.digest == machine.scheduler.digest)
    }

    @Test
    func occurrenceHashesAfterADrop() throws {
        var machine = Machine()
        try machine.register("w", slots: 4)
        let due = machine.time + 1_000
        let spec = ScheduleSpec(timing: .every(milliseconds: 1_000), zone: "UTC", task: .h())
        var ids: [TaskID] = []
        for _ in 0..<2 {
            let outcome = try machine.run(.putSchedule(name: "s", spec, paused: false, next: due))
            guard case .schedule(let revision, _) = outcome else {
                throw Unexpected(outcome: outcome)
            }
            machine.time = due + 3
            try machine.run(
                .advance([
                    Firing(
                        schedule: "s", revision: revision, expectedNext: due, nominal: due,
                        missed: 0, next: due + 1_000)
                ]))
            ids.append(try #require(machine.scheduler.schedule("s")?.lastTask))
            try machine.run(.deleteSchedule(name: "s"))
        }
        try machine.finish(ids[0])
        try machine.run(.deleteTask(ids[0]))
        let restored = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        let left = machine.scheduler.index.occurrences
        #expect(Set(restored.index.occurrences.keys) == Set(left.keys) && left.count == 1)
    }

    @Test
    func queuesOfADeletedNamespaceAreFreedInOneOrder() throws {
        var machine = Machine()
        try machine.register("w", slots: 4)
        let x = try machine.submit(.h { $0.queue = "x" })
        try machine.run(.pauseQueue(name: "shop:a"))
        try machine.finish(x)
        try machine.run(.deleteTask(x))
        try machine.run(.pauseQueue(name: "shop:b"))
        var restored = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        #expect(restored.stateHash() == machine.scheduler.stateHash())
        let outcome = try machine.run(.deleteNamespace(name: "shop"))
        #expect(outcome == .done)
        var events: [Event] = []
        try restored.apply(
            machine.log[machine.log.count - 1], index: restored.appliedIndex + 1, into: &events)
        #expect(restored.stateHash() == machine.scheduler.stateHash())
    }

    /// Applies the machine's last entry to the other replica as well.
    private func follow(_ machine: Machine, _ replica: inout Scheduler) throws {
        var events: [Event] = []
        try replica.apply(
            machine.log[machine.log.count - 1], index: replica.appliedIndex + 1, into: &events)
        #expect(replica.stateHash() == machine.scheduler.stateHash())
    }

    @Test
    func aSuccessorThatWaitsNoMoreCostsNothing() throws {
        var capacity = Capacity()
        capacity.settlementsPerEntry = 2
        var machine = Machine(capacity)
        try machine.register("w", slots: 9)
        let first = try machine.submit(.h())
        let successors = try (0..<3).map { _ in try machine.submit(.h { $0.after = [first] }) }
        try machine.run(.cancel(successors[0]))
        var restored = try Scheduler(
            snapshot: machine.scheduler.encodeSnapshot(), capacity: capacity)
        try machine.finish(first)
        try follow(machine, &restored)
        #expect(successors.map { machine.state($0) } == [.cancelled, .running, .running])
    }

    @Test
    func whatWasDeletedSaysNothingOfWhenOthersWereCreated() throws {
        var capacity = Capacity()
        capacity.bulkLooksPerEntry = 40
        capacity.bulkActionsPerEntry = 1_000
        var machine = Machine(capacity)
        for _ in 0..<30 { _ = try machine.submit(.h { $0.meta = [Label(name: "a", value: "b")] }) }
        machine.time += 1_000
        let since = machine.time
        let late = try (0..<10).map { _ in try machine.submit(.h()) }
        for id in late { try machine.run([.cancel(id), .deleteTask(id)]) }
        var restored = try Scheduler(
            snapshot: machine.scheduler.encodeSnapshot(), capacity: capacity)
        var ofLate = TaskFilter()
        ofLate.since = since
        var byLabel = TaskFilter()
        byLabel.meta = [Label(name: "a", value: "b")]
        try machine.run([
            .beginBulkJob(BulkSpec(.cancel, ofLate)), .beginBulkJob(BulkSpec(.cancel, byLabel)),
        ])
        try follow(machine, &restored)
        for _ in 0..<4 {
            try machine.advance(by: 0)
            try follow(machine, &restored)
        }
    }
}
