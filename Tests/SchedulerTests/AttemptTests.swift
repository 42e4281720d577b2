import Testing

@testable import Scheduler

struct AttemptTests {
    @Test
    func dueTaskStartsInTheSameEntry() throws {
        var machine = Machine()
        try machine.register("w")
        let id = try machine.submit(
            CommandCodecTests.full.with { $0.tags = [] }.with { $0.handler = "h" })
        #expect(machine.assigned == [id])
        let assignment = try #require(machine.current(id))
        #expect(assignment.worker == "w" && assignment.incarnation == 1 && assignment.attempt == 1)
        #expect(assignment.fence == machine.scheduler.appliedIndex)
        #expect(assignment.payload == CommandCodecTests.full.payload)
        #expect(assignment.timeoutMilliseconds == 123 && assignment.assignedAt == machine.time)
        let view = try #require(machine.scheduler.task(id))
        #expect(view.state == .running && view.worker == "w" && view.startedAt == machine.time)
        #expect(view.attempts.map(\.outcome) == ["running"])
    }

    @Test
    func waitsForAWorkerWithHandlerTagsAndSlot() throws {
        var machine = Machine()
        let id = try machine.submit(.h { $0.tags = ["gpu"] })
        try machine.register("other", handlers: ["x"], tags: ["gpu"])
        try machine.register("plain", slots: 5)
        try machine.register("none", slots: 0, tags: ["gpu"])
        #expect(machine.state(id) == .ready)
        try machine.register("right", tags: ["gpu", "more"])
        #expect(machine.worker(of: id) == "right")
        let second = try machine.submit(.h { $0.tags = ["gpu"] })
        #expect(machine.state(second) == .ready)
        try machine.finish(id)
        #expect(machine.worker(of: second) == "right")
    }

    @Test
    func freeSlotGoesToTheBestWaitingTask() throws {
        var machine = Machine()
        func submit(_ priority: UInt8, _ handler: String = "h") throws -> TaskID {
            machine.time += 1
            var spec = TaskSpec(handler: handler)
            spec.priority = priority
            return try machine.submit(spec)
        }
        let low = try submit(1)
        let middle = try submit(5)
        let high = try submit(9)
        let alsoHigh = try submit(9, "i")
        let foreign = try submit(9, "j")
        try machine.register("w", handlers: ["h", "i"])
        var order: [TaskID] = []
        while let id = machine.assigned.first {
            order.append(id)
            try machine.finish(id)
        }
        #expect(order == [high, alsoHigh, middle, low])
        #expect(machine.state(foreign) == .ready)
    }

    @Test
    func earlierDueGoesFirstAmongEqualPriorities() throws {
        var machine = Machine()
        let late = try machine.submit(.h { $0.start = .after(milliseconds: 20) })
        let early = try machine.submit(.h { $0.start = .after(milliseconds: 10) })
        try machine.advance(by: 50)
        try machine.register("w")
        #expect(machine.assigned == [early])
        try machine.finish(early)
        #expect(machine.assigned == [late])
    }

    /// Bounded loads: no worker gets more than 5/4 of its share, rounded up, at any moment.
    @Test(arguments: [[8, 8, 8], [16, 4, 4], [1, 1, 1, 1, 1], [40, 2]] as [[UInt32]])
    func loadsAreBounded(slots: [UInt32]) throws {
        var machine = Machine()
        for (place, count) in slots.enumerated() {
            try machine.register("n\(place)", slots: count)
        }
        let total = Int(slots.reduce(0, +))
        for running in 1...total {
            _ = try machine.submit(.h())
            for worker in machine.scheduler.workers() {
                let bound =
                    (5 * running * Int(worker.spec.slots) + 4 * total - 1) / (4 * total)
                #expect(Int(worker.running) <= min(bound, Int(worker.spec.slots)))
            }
        }
        #expect(machine.scheduler.counts.tasksByState[3] == total)
        let one = try machine.submit(.h())
        #expect(machine.state(one) == .ready)
    }

    @Test
    func routingKeySticksToItsWorkerWhileThatLives() throws {
        var machine = Machine()
        for number in 1...5 { try machine.register("n\(number)", slots: 4) }
        var homes: [String: String] = [:]
        for round in 0..<4 {
            for number in 0..<30 {
                let key = "user-\(number)"
                let id = try machine.submit(.h { $0.routingKey = key })
                let worker = try #require(machine.worker(of: id))
                #expect(homes[key] ?? worker == worker, "round \(round)")
                homes[key] = worker
                try machine.finish(id)
            }
        }
        #expect(Set(homes.values).count == 5)
        // Only what lived on the lost worker moves, and it moves back when the worker is back.
        try machine.run(.workerLost(id: "n3", incarnation: 1))
        var moved = 0
        for (key, home) in homes.sorted(by: { $0.key < $1.key }) {
            let id = try machine.submit(.h { $0.routingKey = key })
            let worker = try #require(machine.worker(of: id))
            if worker != home { moved += 1 }
            #expect(worker == home || home == "n3")
            try machine.finish(id)
        }
        #expect(moved == homes.values.filter { $0 == "n3" }.count)
        try machine.register("n3", incarnation: 2, slots: 4)
        for (key, home) in homes {
            let id = try machine.submit(.h { $0.routingKey = key })
            #expect(machine.worker(of: id) == home)
            try machine.finish(id)
        }
    }

    /// A key is not held back by the load bound; only a full worker passes it on.
    @Test
    func routingKeyLeavesItsWorkerOnlyWhenThatIsFull() throws {
        var machine = Machine()
        for number in 1...3 { try machine.register("n\(number)", slots: 3) }
        var workers: [String?] = []
        for _ in 0..<4 {
            let id = try machine.submit(.h { $0.routingKey = "hot" })
            workers.append(machine.worker(of: id))
        }
        #expect(Set(workers[0..<3]).count == 1)
        #expect(workers[3] != workers[0] && workers[3] != nil)
    }

    @Test
    func attemptNumbersAndFencesRiseEvenWithinOneEntry() throws {
        var machine = Machine()
        try machine.register("w", slots: 2)
        let id = try machine.submit(.h())
        let first = try #require(machine.current(id))
        // Handed back and assigned again, twice, in one entry.
        let again = Finish(
            task: id, attempt: 2, fence: machine.scheduler.appliedIndex + 1, result: .returned)
        let outcomes = try machine.run([.finish(try machine.report(id, .returned)), .finish(again)])
        #expect(outcomes == [.done, .done])
        let third = try #require(machine.current(id))
        #expect(third.attempt == 3)
        #expect(third.fence > machine.scheduler.appliedIndex && third.fence > first.fence)
    }
}

extension TaskSpec {
    func with(_ change: (inout TaskSpec) -> Void) -> TaskSpec {
        var copy = self
        change(&copy)
        return copy
    }
}
