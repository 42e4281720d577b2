import Testing

@testable import Scheduler

/// Who goes first among those that wait.
struct FairnessTests {
    private func submit(
        _ count: Int, _ machine: inout Machine, _ change: (inout TaskSpec) -> Void
    ) throws -> [TaskID] {
        var ids: [TaskID] = []
        for begin in stride(from: 0, to: count, by: 1_000) {
            let portion = min(1_000, count - begin)
            let outcomes = try machine.run((0..<portion).map { _ in .submit(.h(change)) })
            for case .task(let id, _) in outcomes { ids.append(id) }
        }
        return ids
    }

    /// Runs tasks one after the other and returns them in their order.
    private func drain(_ machine: inout Machine, _ count: Int) throws -> [TaskID] {
        var order: [TaskID] = []
        while order.count < count, let id = machine.assigned.first {
            order.append(id)
            try machine.finish(id)
        }
        return order
    }

    @Test
    func floodOfOneKeyDoesNotStarveAnother() throws {
        var machine = Machine()
        _ = try submit(100_000, &machine) { $0.routingKey = "flood" }
        let few = try submit(10, &machine) { $0.routingKey = "few" }
        try machine.register("w")
        let order = try drain(&machine, 100)
        #expect(Set(few).isSubset(of: order), "all ten are among the first hundred")
        #expect(order.prefix(20).filter(few.contains).count == 10, "they take turns")
    }

    @Test
    func tasksWithoutAKeyAreOneFlowInTheirOrder() throws {
        var machine = Machine()
        let plain = try submit(30, &machine) { _ in }
        let keyed = try submit(3, &machine) { $0.routingKey = "k" }
        for id in plain.prefix(10) { try machine.run(.cancel(id)) }
        let late = try submit(2, &machine) { _ in }
        try machine.register("w")
        let order = try drain(&machine, 99)
        #expect(order.filter { !keyed.contains($0) } == plain.dropFirst(10) + late)
        #expect(order.firstIndex(of: keyed[2]) ?? 99 < 15)
    }

    /// What a flow remembers is in pieces, and most of it goes.
    @Test(arguments: [false, true])
    func turnsAreKeptWhenMostOfAFloodIsCancelled(newestFirst: Bool) throws {
        var machine = Machine()
        let flood = try submit(5_000, &machine) { _ in }
        let cancelled = flood.enumerated().filter { $0.offset % 8 != 0 }.map(\.element)
        let inOrder = newestFirst ? Array(cancelled.reversed()) : cancelled
        for begin in stride(from: 0, to: inOrder.count, by: 500) {
            try machine.run(
                inOrder[begin..<min(inOrder.count, begin + 500)].map { .cancel($0) })
        }
        let late = try submit(2, &machine) { _ in }
        let other = try submit(10, &machine) { $0.routingKey = "other" }
        try machine.register("w")
        let order = try drain(&machine, 5_000)
        let left = flood.enumerated().filter { $0.offset % 8 == 0 }.map(\.element)
        #expect(order.filter { !other.contains($0) } == left + late)
        #expect(order.count == left.count + late.count + other.count)
        #expect(
            order.prefix(20).filter(other.contains).count == 10, "what was cancelled counts no more"
        )
    }

    /// A flow that was silent has no credit, and no debt.
    @Test
    func newcomerBeginsWhereTheOthersAre() throws {
        var machine = Machine()
        try machine.register("w")
        let old = try submit(50, &machine) { $0.routingKey = "old" }
        for id in old.prefix(20) { try machine.finish(id) }
        let new = try submit(20, &machine) { $0.routingKey = "new" }
        try machine.finish(old[20])
        let order = try drain(&machine, 20)
        let share = order.filter(new.contains).count
        #expect((9...11).contains(share))
    }

    @Test
    func taskThatComesBackWithoutFaultKeepsItsTurn() throws {
        var machine = Machine()
        try machine.register("w")
        let ids = try submit(3, &machine) { _ in }
        try machine.finish(ids[0], .returned)
        #expect(machine.assigned == [ids[0]])
        try machine.finish(ids[0], .error(retryAfter: 0))
        #expect(machine.assigned == [ids[1]], "it had its turn")
        try machine.run(.workerLost(id: "w", incarnation: 1))
        try machine.register("w", incarnation: 2)
        #expect(machine.assigned == [ids[1]])
    }

    @Test
    func lowPriorityIsNotStarved() throws {
        var machine = Machine()
        try machine.register("w")
        let first = try machine.submit(.h { $0.priority = 9 })
        let low = try machine.submit(.h { $0.priority = 0 })
        var running = first
        var waited: Milliseconds = 0
        // One of the highest priority always waits.
        while machine.state(low) == .ready {
            machine.time += 1_000
            waited += 1_000
            _ = try machine.submit(.h { $0.priority = 9 })
            try machine.finish(running)
            running = try #require(machine.assigned.first)
        }
        let headStart = 9 * Limits.ageingMilliseconds
        #expect((headStart...headStart + 2_000).contains(waited))
    }

    /// The order is the same for a replica that was restored between any two steps.
    @Test
    func restoredReplicaGoesOnInTheSameOrder() throws {
        var machine = Machine()
        for key in ["a", "b", "c"] {
            _ = try submit(12, &machine) { $0.routingKey = key }
        }
        for number: UInt64 in stride(from: 1, to: 30, by: 4) {
            try machine.run(.cancel(TaskID(number)))
        }
        try machine.register("w")
        var random = Seeded(7)
        while let id = machine.assigned.first {
            var other = machine
            other.scheduler = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
            let key = ["a", "b", "c"][Int(random.next() % 3)]
            if random.next() % 4 == 0 {
                _ = try machine.submit(.h { $0.routingKey = key })
                _ = try other.submit(.h { $0.routingKey = key })
            }
            try machine.finish(id)
            try other.finish(id)
            #expect(machine.events == other.events)
            #expect(machine.scheduler.stateHash() == other.scheduler.stateHash())
        }
    }
}
