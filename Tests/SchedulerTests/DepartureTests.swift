import Testing

@testable import Scheduler

struct DepartureTests {
    private func machine(_ change: (inout Retention) -> Void = { _ in }) throws -> Machine {
        var machine = Machine()
        var retention = Retention()
        retention.succeededMilliseconds = 5_000
        retention.deadMilliseconds = 5_000
        retention.isExported = true
        change(&retention)
        try machine.run(.setRetention(retention))
        try machine.register("w", slots: 99)
        return machine
    }

    private func ended(
        _ machine: inout Machine, _ result: AttemptResult = .ok, count: Int = 1
    ) throws -> [TaskID] {
        try (0..<count).map { _ in
            let id = try machine.submit(.h { $0.retry.attempts = 1 })
            try machine.finish(id, result)
            return id
        }
    }

    private func due(
        _ machine: Machine, limit: Int = 100, maxBytes: Int = 1 << 20
    ) -> [TaskView] {
        machine.scheduler.departures(at: machine.time, limit: limit, maxBytes: maxBytes)
    }

    private func marks(_ views: [TaskView]) -> [Departure] { views.compactMap { Departure($0) } }

    @Test
    func whatIsToBeOnRecordStaysUntilItIs() throws {
        var machine = try machine()
        let ids = try ended(&machine, count: 2) + ended(&machine, .error())
        #expect(due(machine).isEmpty)
        try machine.advance(by: 10_000)
        #expect(ids.allSatisfy { machine.state($0) != nil })
        #expect(machine.scheduler.nextWake ?? .max > machine.time)
        let found = due(machine)
        #expect(found.map(\.id) == ids)
        try machine.run(.dropExported(marks([found[0], found[2]])))
        #expect(ids.map { machine.state($0) } == [nil, .succeeded, nil])
        #expect(due(machine).map(\.id) == [ids[1]])
    }

    @Test
    func whatWasBroughtBackMeanwhileStays() throws {
        var machine = try machine()
        let ids = try ended(&machine, .error(), count: 2)
        try machine.advance(by: 10_000)
        let read = marks(due(machine))
        try machine.run(.retry(ids[0]))
        try machine.run(.dropExported(read))
        #expect(ids.map { machine.state($0) } == [.running, nil])
        try machine.finish(ids[0], .error())
        try machine.run(.dropExported(read))
        #expect(machine.state(ids[0]) == .dead)
        try machine.advance(by: 10_000)
        try machine.run(.dropExported(marks(due(machine))))
        #expect(machine.state(ids[0]) == nil)
    }

    @Test
    func thoseThatAreTooManyAreDueAtOnceTheOldestFirst() throws {
        var machine = try machine { $0.maxFinished = 2 }
        let ids = try ended(&machine, count: 7)
        #expect(ids.allSatisfy { machine.state($0) != nil })
        #expect(due(machine).map(\.id) == Array(ids[..<5]))
        #expect(due(machine, limit: 3).map(\.id) == Array(ids[..<3]))
        #expect(due(machine, maxBytes: 0).map(\.id) == Array(ids[..<1]))
        try machine.run(.dropExported(marks(due(machine))))
        #expect(due(machine).isEmpty)
        #expect(machine.state(ids[5]) == .succeeded)
    }

    @Test
    func thoseThatAreGoneAreNotLookedAtAgain() throws {
        var machine = try machine { $0.succeededMilliseconds = 90_000_000 }
        var retention = NamespaceRetention()
        retention.maxFinished = 1
        try machine.run(
            .putNamespace(name: "shop", NamespaceQuota(), retention: retention))
        func end(_ count: Int) throws {
            for _ in 0..<count { try machine.finish(machine.submit(.h { $0.queue = "shop:q" })) }
        }
        func due() -> [TaskView] {
            machine.scheduler.departures(
                at: machine.time, limit: 100, maxBytes: 1 << 20, looks: 5)
        }
        for _ in 0..<4 {
            try end(5)
            let found = due()
            #expect(found.count >= 4)
            try machine.run(.dropExported(marks(found)))
        }
    }

    @Test
    func otherwiseTheyGoByThemselves() throws {
        var machine = try machine { $0.maxFinished = 1 }
        let ids = try ended(&machine, count: 3)
        try machine.advance(by: 10_000)
        var retention = machine.scheduler.retention
        retention.isExported = false
        try machine.run(.setRetention(retention))
        #expect(due(machine).isEmpty)
        #expect(machine.scheduler.nextWake ?? .max <= machine.time)
        try machine.advance(by: 0)
        #expect(ids.allSatisfy { machine.state($0) == nil })
    }

    @Test
    func aRestoredStateKnowsThem() throws {
        var machine = try machine()
        let ids = try ended(&machine, .error(), count: 3)
        try machine.run(.retry(ids[1]))
        try machine.finish(ids[1], .error())
        try machine.advance(by: 10_000)
        let restored = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        #expect(restored.retention.isExported)
        #expect(Set(due(machine).map(\.id)) == Set(ids))
        let found = restored.departures(at: machine.time, limit: 100, maxBytes: 1 << 20)
        #expect(Set(found.map(\.id)) == Set(ids))
    }
}
