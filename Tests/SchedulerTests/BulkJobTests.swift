import Testing

@testable import Scheduler

struct BulkJobTests {
    private func begin(
        _ machine: inout Machine, _ action: BulkSpec.Action, limit: UInt64? = nil,
        key: String? = nil, _ change: (inout TaskFilter) -> Void = { _ in }
    ) throws -> BulkJobID {
        var filter = TaskFilter()
        change(&filter)
        let outcome = try machine.run(
            .beginBulkJob(BulkSpec(action, filter, limit: limit, key: key)))
        guard case .bulkJob(let id, false) = outcome else { throw Unexpected(outcome: outcome) }
        return id
    }

    /// As the leader does: an advance whenever something is due.
    private func settle(_ machine: inout Machine) throws -> Int {
        var entries = 0
        while let wake = machine.scheduler.nextWake, wake <= machine.time {
            try machine.advance(by: 0)
            entries += 1
        }
        return entries
    }

    private func small(looks: Int = 1_000, actions: Int = 1_000) -> Capacity {
        var capacity = Capacity()
        capacity.bulkLooksPerEntry = looks
        capacity.bulkActionsPerEntry = actions
        return capacity
    }

    @Test
    func allThatMatchIsDoneInPortions() throws {
        var machine = Machine(small(actions: 10))
        for number in 0..<95 {
            _ = try machine.submit(.h { $0.queue = number % 5 == 0 ? "keep" : "drop" })
        }
        let id = try begin(&machine, .cancel) { $0.queue = "drop" }
        #expect(machine.scheduler.bulkJob(id)?.state == .running)
        #expect(machine.scheduler.nextWake == machine.time)
        try machine.advance(by: 0)
        let half = try #require(machine.scheduler.bulkJob(id))
        #expect(half.met == 10 && half.state == .running && (1..<50).contains(half.progress))
        #expect(machine.state(TaskID(95)) == .cancelled && machine.state(TaskID(80)) == .ready)
        #expect(try settle(&machine) < 12)
        let done = try #require(machine.scheduler.bulkJob(id))
        #expect(done.met == 76 && done.state == .done && done.progress == 100 && !done.hasMore)
        #expect(done.finishedAt == machine.time)
        #expect(machine.scheduler.counts.tasksByState[Int(TaskState.cancelled.rawValue)] == 76)
        #expect(machine.scheduler.counts.tasksByState[Int(TaskState.ready.rawValue)] == 19)
    }

    @Test
    func itStaysWithinItsNamespace() throws {
        var machine = Machine()
        let own = try machine.submit(.h { $0.queue = "shop:q" })
        let other = try machine.submit(.h { $0.queue = "q" })
        let shop = Namespace(name: "shop")
        let job = try begin(&machine, .cancel, key: "k") { $0.namespace = shop }
        // The same key means another job elsewhere.
        _ = try begin(&machine, .cancel, key: "k") {
            $0.namespace = .standard
            $0.queue = "none"
        }
        _ = try settle(&machine)
        #expect(machine.state(own) == .cancelled && machine.state(other) == .ready)
        #expect(machine.scheduler.bulkJobs(in: shop).map(\.id) == [job])
        #expect(machine.scheduler.bulkJobs().count == 2)
    }

    @Test
    func whatOneEntryLooksThroughIsBounded() throws {
        var machine = Machine(small(looks: 50))
        for _ in 0..<1_000 { _ = try machine.submit(.h()) }
        _ = try begin(&machine, .cancel) { $0.handler = "other" }
        // Two passes over 1000 tasks.
        let entries = try settle(&machine)
        #expect((40...44).contains(entries))
    }

    @Test
    func tasksSubmittedLaterAreLeftAlone() throws {
        var machine = Machine(small(actions: 1))
        let first = try machine.submit(.h())
        let second = try machine.submit(.h())
        _ = try begin(&machine, .cancel)
        let later = try machine.submit(.h())
        _ = try settle(&machine)
        #expect(machine.state(first) == .cancelled && machine.state(second) == .cancelled)
        #expect(machine.state(later) == .ready)
    }

    /// Each once: what fails again while the job goes on is not tried again.
    @Test
    func aTaskThatDiesAgainIsMetOnce() throws {
        var machine = Machine(small(actions: 1))
        try machine.register("w", slots: 9)
        let tasks = try (0..<3).map { _ in try machine.submit(.h { $0.retry.attempts = 1 }) }
        for task in tasks { try machine.finish(task, .error()) }
        let id = try begin(&machine, .retry)
        while machine.scheduler.bulkJob(id)?.state == .running {
            try machine.advance(by: 1)
            for task in machine.assigned { try machine.finish(task, .error()) }
        }
        #expect(machine.scheduler.bulkJob(id)?.met == 3)
        #expect(tasks.allSatisfy { machine.state($0) == .dead })
        #expect(machine.scheduler.task(tasks[0])?.attempt == 2)
    }

    /// Whoever cancels everything does not want it to start just before.
    @Test
    func cancellingStartsNothing() throws {
        var machine = Machine(small(actions: 2))
        try machine.register("w", slots: 2)
        for _ in 0..<20 { _ = try machine.submit(.h()) }
        _ = try begin(&machine, .cancel)
        while machine.scheduler.bulkJobs()[0].state == .running {
            try machine.advance(by: 0)
            #expect(machine.assigned.isEmpty)
        }
        #expect(machine.scheduler.counts.tasksByState[Int(TaskState.cancelled.rawValue)] == 20)
    }

    @Test
    func aLimitEndsTheJob() throws {
        var machine = Machine(small(actions: 3))
        for _ in 0..<10 { _ = try machine.submit(.h()) }
        let id = try begin(&machine, .cancel, limit: 4)
        _ = try settle(&machine)
        let job = try #require(machine.scheduler.bulkJob(id))
        #expect(job.met == 4 && job.state == .done && job.hasMore)
        #expect(machine.state(TaskID(7)) == .cancelled && machine.state(TaskID(6)) == .ready)
    }

    @Test
    func aStoppedJobLeavesTheRest() throws {
        var machine = Machine(small(actions: 2))
        for _ in 0..<10 { _ = try machine.submit(.h()) }
        let id = try begin(&machine, .cancel)
        try machine.advance(by: 0)
        #expect(try machine.run(.stopBulkJob(id)) == .done)
        #expect(try machine.run(.stopBulkJob(id)) == .rejected(.wrongState))
        #expect(try machine.run(.stopBulkJob(BulkJobID(99))) == .rejected(.notFound))
        #expect(try settle(&machine) == 0)
        #expect(machine.scheduler.bulkJob(id)?.state == .stopped)
        #expect(machine.scheduler.bulkJob(id)?.met == 2)
    }

    @Test
    func onlyWhatIsPossibleIsDone() throws {
        var machine = Machine()
        try machine.register("w")
        let done = try machine.submit(.h())
        try machine.finish(done)
        let waiting = try machine.submit(.h { $0.start = .after(milliseconds: 1_000) })
        let id = try begin(&machine, .delete) { $0.states = [.succeeded, .scheduled] }
        _ = try settle(&machine)
        #expect(machine.state(done) == nil && machine.state(waiting) == .scheduled)
        #expect(machine.scheduler.bulkJob(id)?.met == 1)
        let none = try begin(&machine, .retry) { $0.states = [.scheduled] }
        _ = try settle(&machine)
        #expect(machine.scheduler.bulkJob(none)?.state == .done)
    }

    @Test
    func oneAfterTheOtherAndNotTooMany() throws {
        var machine = Machine(small(actions: 1))
        for _ in 0..<5 { _ = try machine.submit(.h()) }
        let jobs = try (0..<Limits.maxRunningBulkJobs).map { _ in try begin(&machine, .cancel) }
        let spec = BulkSpec(.cancel, TaskFilter())
        #expect(try machine.run(.beginBulkJob(spec)) == .rejected(.tooManyBulkJobs))
        _ = try settle(&machine)
        #expect(machine.scheduler.bulkJob(jobs[0])?.met == 5)
        #expect(machine.scheduler.bulkJobs().allSatisfy { $0.state == .done })
        for _ in 0..<Limits.maxEndedBulkJobs {
            _ = try begin(&machine, .delete) { $0.queue = "none" }
            _ = try settle(&machine)
        }
        #expect(machine.scheduler.bulkJobs().count == Limits.maxEndedBulkJobs)
        #expect(machine.scheduler.bulkJob(jobs[0]) == nil)
    }

    @Test
    func theSameKeyIsTheSameJob() throws {
        var machine = Machine()
        let id = try begin(&machine, .cancel, key: "k")
        _ = try settle(&machine)
        let again = BulkSpec(.cancel, TaskFilter(), key: "k")
        #expect(try machine.run(.beginBulkJob(again)) == .bulkJob(id, existed: true))
        let other = BulkSpec(.delete, TaskFilter(), key: "k")
        #expect(try machine.run(.beginBulkJob(other)) == .rejected(.keyConflict))
    }

    /// The random logs of other tests would prove little if their jobs did nothing.
    @Test
    func randomLogsHaveJobsThatDoSomething() throws {
        var met: UInt64 = 0
        for seed in 0..<12 {
            var log = RandomLog(seed: UInt64(5_000 + seed))
            var machine = Machine(small(looks: 30, actions: 3))
            for _ in 0..<80 { try machine.apply(log.entry(for: &machine)) }
            met += machine.scheduler.bulkJobs().reduce(0) { $0 + $1.met }
        }
        #expect(met > 50)
    }
}
