import Testing

@testable import Scheduler

/// Large workflows: what would take quadratic time, or a stack frame for each task, would not end here.
struct DependencyScaleTests {
    private static let count = 10_000
    private static let blocked = Int(TaskState.blocked.rawValue)

    /// Lets the leader's part happen until nothing is due. Returns how many entries that took.
    private func settle(_ machine: inout Machine) throws -> Int {
        var entries = 0
        while let wake = machine.scheduler.nextWake, wake <= machine.time {
            try machine.advance(by: 0)
            entries += 1
            #expect(machine.events.count <= 4 * Limits.maxSettlementsPerEntry)
        }
        return entries
    }

    private func chain(_ policy: TaskSpec.DependencyPolicy) throws -> (Machine, [TaskID]) {
        var machine = Machine()
        try machine.register("w")
        var tasks = [try machine.submit(.h { $0.retry.attempts = 1 })]
        for _ in 1..<Self.count {
            let last = tasks[tasks.count - 1]
            tasks.append(
                try machine.submit(
                    .h {
                        $0.after = [last]
                        $0.onDependencyFailure = policy
                    }))
        }
        return (machine, tasks)
    }

    @Test
    func longChainRunsInOrder() throws {
        var (machine, tasks) = try chain(.cancel)
        for (place, id) in tasks.enumerated() {
            try #require(machine.current(id)?.task == id, "task \(place) of the chain")
            try machine.finish(id)
            #expect(machine.events.count < 8)
        }
        #expect(machine.scheduler.counts.tasksByState[Self.blocked] == 0)
    }

    @Test
    func longChainFallsInPortions() throws {
        var (machine, tasks) = try chain(.cancel)
        try machine.finish(tasks[0], .error())
        let entries = try settle(&machine)
        #expect(entries == (Self.count - 2) / Limits.maxSettlementsPerEntry)
        #expect(tasks.dropFirst().allSatisfy { machine.state($0) == .cancelled })
    }

    @Test(arguments: [true, false])
    func wideFanIsToldInPortions(isSuccess: Bool) throws {
        var machine = Machine()
        try machine.register("w")
        let first = try machine.submit(.h { $0.retry.attempts = 1 })
        let spec = TaskSpec.h { $0.after = [first] }
        for _ in 0..<Self.count / 500 {
            try machine.run([Command](repeating: .submit(spec), count: 500))
        }
        #expect(machine.scheduler.counts.tasksByState[Self.blocked] == Self.count)
        try machine.finish(first, isSuccess ? .ok : .error())
        let budget = Limits.maxSettlementsPerEntry
        #expect(machine.scheduler.counts.tasksByState[Self.blocked] == Self.count - budget)
        #expect(try settle(&machine) == Self.count / budget - 1)
        let counts = machine.scheduler.counts.tasksByState
        #expect(counts[Self.blocked] == 0)
        #expect(counts[Int(TaskState.cancelled.rawValue)] == (isSuccess ? 0 : Self.count))
        #expect(counts[Int(TaskState.ready.rawValue)] == (isSuccess ? Self.count - 1 : 0))
    }

    @Test
    func fanInOfTheLargestSize() throws {
        var machine = Machine()
        try machine.register("w", slots: 2_000)
        let first = try (0..<Limits.maxDependencies).map { _ in try machine.submit(.h()) }
        let last = try (0..<20).map { _ in try machine.submit(.h { $0.after = first }) }
        for id in first.reversed() {
            #expect(machine.state(last[0]) == .blocked)
            try machine.finish(id)
        }
        #expect(last.allSatisfy { machine.state($0) == .running })
        let tooMany = TaskSpec.h { $0.after = first + [last[0]] }
        #expect(try machine.run(.submit(tooMany)) == .rejected(.malformed))
    }
}
