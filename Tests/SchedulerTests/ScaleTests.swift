import Testing

@testable import Scheduler

/// Many tasks: what would take quadratic time would not end here.
struct ScaleTests {
    private static let count = 100_000

    private func submit(_ machine: inout Machine, _ make: (Int) -> TaskSpec) throws {
        for begin in stride(from: 0, to: Self.count, by: 500) {
            try machine.run((begin..<begin + 500).map { .submit(make($0)) })
        }
    }

    @Test
    func waitingTasksThatNobodyCanRunAreNotInTheWay() throws {
        var machine = Machine()
        try submit(&machine) { number in
            var spec = TaskSpec(handler: number % 2 == 0 ? "nobody" : "nobody\(number)")
            if number % 3 == 0 { spec.tags = ["t\(number)"] }
            return spec
        }
        try machine.register("w", slots: 4, handlers: ["h", "nobody"], tags: ["x"])
        for id in machine.assigned { try machine.run(.cancel(id)) }
        try machine.run(.drainWorker(id: "w", incarnation: 1))
        try machine.register("v", slots: 4, handlers: ["h"])
        for _ in 0..<500 {
            let id = try machine.submit(.h { $0.priority = 0 })
            #expect(machine.assigned == [id])
            try machine.finish(id)
        }
    }

    @Test
    func everyTaskIsRunOnceInOrder() throws {
        var machine = Machine()
        try submit(&machine) { number in .h { $0.priority = UInt8(number % 10) } }
        let before = machine.scheduler.snapshotCopy()
        try machine.register("w", slots: 500)
        var ran: [Assignment] = []
        while true {
            let assigned = machine.events.compactMap { event -> Assignment? in
                if case .assigned(let assignment) = event { assignment } else { nil }
            }
            guard !assigned.isEmpty else { break }
            ran += assigned
            try machine.run(
                assigned.map {
                    .finish(
                        Finish(
                            task: $0.task, attempt: $0.attempt, fence: $0.fence, result: .ok))
                })
        }
        #expect(ran.count == Self.count)
        #expect(Set(ran.map(\.task)).count == Self.count)
        let priorities = ran.map { (Int($0.task.number) - 1) % 10 }
        #expect(priorities == priorities.sorted(by: >))
        #expect(machine.scheduler.counts.tasksByState[4] == Self.count)
        #expect(before.state.tasks.count == Self.count, "the copy was taken before")
    }
}
