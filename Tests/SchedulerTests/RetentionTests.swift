import Testing

@testable import Scheduler

struct RetentionTests {
    private func ended(_ machine: inout Machine, _ states: [TaskState]) throws -> [TaskID] {
        try machine.register("w", slots: 99)
        return try states.map { state in
            let id = try machine.submit(
                .h {
                    $0.retry.attempts = 1
                    if state == .cancelled { $0.handler = "none" }
                })
            switch state {
            case .cancelled: try machine.run(.cancel(id))
            case .dead: try machine.finish(id, .error())
            default: try machine.finish(id)
            }
            #expect(machine.state(id) == state)
            return id
        }
    }

    @Test
    func eachEndHasATimeOfItsOwn() throws {
        var machine = Machine()
        var retention = Retention()
        retention.succeededMilliseconds = 10_000
        retention.cancelledMilliseconds = 2_000
        retention.deadMilliseconds = 20_000
        try machine.run(.setRetention(retention))
        let ids = try ended(&machine, [.succeeded, .cancelled, .dead])
        func kept() -> [Bool] { ids.map { machine.state($0) != nil } }
        try machine.advance(by: 3_000)
        #expect(kept() == [true, false, true])
        try machine.advance(by: 8_000)
        #expect(kept() == [false, false, true])
        try machine.advance(by: 10_000)
        #expect(kept() == [false, false, false])
    }

    @Test
    func holdsForWhatHasEndedBefore() throws {
        var machine = Machine()
        let ids = try ended(&machine, [.succeeded, .dead, .succeeded])
        var retention = Retention()
        retention.succeededMilliseconds = 5_000
        try machine.run(.setRetention(retention))
        #expect(machine.scheduler.nextWake ?? .max <= machine.time + 6_000)
        try machine.advance(by: 6_000)
        #expect(ids.map { machine.state($0) } == [nil, .dead, nil])
        retention.maxDead = 0
        try machine.run(.setRetention(retention))
        #expect(machine.scheduler.nextWake == machine.time)
        try machine.advance(by: 0)
        #expect(machine.state(ids[1]) == nil)
        #expect(machine.scheduler.nextWake ?? .max > machine.time)
    }

    @Test
    func longerIsKeptLonger() throws {
        var machine = Machine()
        let ids = try ended(&machine, [.succeeded])
        var retention = Retention()
        retention.succeededMilliseconds = 2 * Limits.finishedRetentionMilliseconds
        try machine.run(.setRetention(retention))
        try machine.advance(by: Limits.finishedRetentionMilliseconds + 2_000)
        #expect(machine.state(ids[0]) == .succeeded)
        var other = machine
        other.scheduler = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        #expect(other.scheduler.retention == retention)
        try other.advance(by: Limits.finishedRetentionMilliseconds)
        #expect(other.state(ids[0]) == nil)
    }

    private func end(_ machine: inout Machine, _ count: Int, in queue: String) throws -> [TaskID] {
        try (0..<count).map { _ in
            let id = try machine.submit(.h { $0.queue = queue })
            try machine.finish(id)
            return id
        }
    }

    @Test
    func aNamespaceHasTimesOfItsOwn() throws {
        var machine = Machine()
        try machine.register("w", slots: 9)
        let before = try end(&machine, 1, in: "shop:q")[0]
        var retention = NamespaceRetention()
        retention.succeededMilliseconds = 5_000
        try machine.run(.putNamespace(name: "shop", NamespaceQuota(), retention: retention))
        let after = try end(&machine, 1, in: "shop:q")[0]
        let other = try end(&machine, 1, in: "q")[0]
        try machine.advance(by: 4_000)
        #expect([before, after, other].allSatisfy { machine.state($0) == .succeeded })
        machine.scheduler = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        try machine.advance(by: 2_000)
        #expect([before, after, other].map { machine.state($0) } == [nil, nil, .succeeded])
        // Without it, what the cluster says holds again.
        let last = try end(&machine, 1, in: "shop:q")[0]
        try machine.run(.putNamespace(name: "shop", NamespaceQuota()))
        try machine.advance(by: 60_000)
        #expect(machine.state(last) == .succeeded)
    }

    @Test
    func aNamespaceHasANumberOfItsOwn() throws {
        var machine = Machine()
        try machine.register("w", slots: 9)
        let first = try end(&machine, 5, in: "shop:q")
        let others = try end(&machine, 5, in: "q")
        var retention = NamespaceRetention()
        retention.maxFinished = 3
        try machine.run(.putNamespace(name: "shop", NamespaceQuota(), retention: retention))
        #expect(machine.scheduler.nextWake == machine.time)
        try machine.advance(by: 0)
        #expect(first.map { machine.state($0) != nil } == [false, false, true, true, true])
        machine.scheduler = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        let second = try end(&machine, 2, in: "shop:other")
        #expect(first.map { machine.state($0) != nil } == [false, false, false, false, true])
        #expect((second + others).allSatisfy { machine.state($0) != nil })
        try machine.run(.putNamespace(name: "shop", NamespaceQuota()))
        _ = try end(&machine, 5, in: "shop:q")
        #expect(second.allSatisfy { machine.state($0) != nil })
    }

    @Test
    func aNamespaceKeepsWhatHasToBeOnRecordFirst() throws {
        var machine = Machine()
        try machine.register("w", slots: 9)
        var exported = Retention()
        exported.isExported = true
        try machine.run(.setRetention(exported))
        var retention = NamespaceRetention()
        retention.maxFinished = 1
        try machine.run(.putNamespace(name: "shop", NamespaceQuota(), retention: retention))
        let ids = try end(&machine, 3, in: "shop:q")
        let due = machine.scheduler.departures(at: machine.time, limit: 9, maxBytes: 1 << 20)
        #expect(due.map(\.id) == Array(ids.prefix(2)))
        try machine.run(.dropExported(due.compactMap(Departure.init)))
        #expect(ids.map { machine.state($0) != nil } == [false, false, true])
    }

    @Test
    func aSmallerNumberIsReachedInPortions() throws {
        var capacity = Capacity()
        capacity.wakesPerAdvance = 2
        var machine = Machine(capacity)
        let ids = try ended(&machine, Array(repeating: .succeeded, count: 7))
        var retention = Retention()
        retention.maxFinished = 2
        try machine.run(.setRetention(retention))
        for left in [5, 3, 2] {
            try machine.advance(by: 0)
            #expect(ids.count { machine.state($0) != nil } == left)
        }
        #expect(machine.state(ids[6]) == .succeeded)
    }
}
