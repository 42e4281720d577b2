import Testing

@testable import Scheduler

struct BreakerTests {
    private func machine(_ breaker: BreakerSpec) throws -> Machine {
        var machine = Machine()
        try machine.register("w", slots: 9)
        var spec = QueueSpec()
        spec.breaker = breaker
        _ = try machine.run(.putQueue(name: "default", spec, paused: nil, isInitial: false))
        return machine
    }

    private func phase(_ machine: Machine) -> BreakerPhase? {
        machine.scheduler.queue("default")?.breaker
    }

    private func fail(_ machine: inout Machine, _ count: Int) throws {
        for _ in 0..<count {
            let id = try machine.submit(.h { $0.retry.attempts = 1 })
            try machine.finish(id, .error())
        }
    }

    @Test
    func opensAfterFailuresInARowAndSaysSo() throws {
        var machine = try machine(BreakerSpec(trip: .failures(3), openMilliseconds: 5_000))
        try fail(&machine, 2)
        let good = try machine.submit(.h())
        try machine.finish(good)
        try fail(&machine, 2)
        #expect(phase(machine) == .closed)
        let other = try machine.submit(.h())
        try fail(&machine, 1)
        #expect(phase(machine) == .open(until: machine.time + 5_000))
        #expect(machine.events.contains(.queueChanged(name: "default")))
        let held = try machine.submit(.h())
        #expect(machine.state(held) == .ready)
        #expect(machine.scheduler.nextWake == machine.time + 5_000)
        // It began before; its end tells nothing new.
        try machine.finish(other)
        #expect(machine.assigned.isEmpty && machine.state(held) == .ready)
    }

    @Test
    func probesDecideHowItGoesOn() throws {
        var machine = try machine(
            BreakerSpec(trip: .failures(1), openMilliseconds: 5_000, probes: 2))
        let old = try machine.submit(.h())
        try fail(&machine, 1)
        let held = try (0..<4).map { _ in try machine.submit(.h()) }
        try machine.advance(by: 5_000)
        #expect(phase(machine) == .halfOpen)
        #expect(
            machine.assigned == [held[0], held[1]], "no more than probes, though a slot is free")
        try machine.finish(old)
        #expect(phase(machine) == .halfOpen && machine.assigned.isEmpty)
        try machine.finish(held[0])
        #expect(phase(machine) == .halfOpen && machine.assigned.isEmpty)
        try machine.finish(held[1], .returned)
        #expect(machine.assigned == [held[1]], "which says nothing, and makes room for another")
        try machine.finish(held[1])
        #expect(phase(machine) == .closed)
        #expect(machine.assigned == [held[2], held[3]])
    }

    @Test
    func probeThatFailsOpensItAgain() throws {
        var machine = try machine(BreakerSpec(trip: .failures(1), openMilliseconds: 5_000))
        try fail(&machine, 1)
        let held = try machine.submit(.h { $0.retry.attempts = 1 })
        try machine.advance(by: 5_000)
        machine.scheduler = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        try machine.finish(held, .error(kind: "timeout"))
        #expect(phase(machine) == .open(until: machine.time + 5_000))
        machine.scheduler = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        #expect(machine.scheduler.nextWake == machine.time + 5_000)
    }

    @Test
    func ratioCountsOnlyWhatEndedWithinTheWindow() throws {
        var machine = try machine(
            BreakerSpec(trip: .ratio(permille: 500, minimum: 4, windowMilliseconds: 10_000)))
        try fail(&machine, 3)
        #expect(phase(machine) == .closed, "too few")
        machine.time += 20_000
        try fail(&machine, 1)
        #expect(phase(machine) == .closed, "too old")
        for _ in 0..<3 {
            let id = try machine.submit(.h())
            try machine.finish(id)
        }
        try fail(&machine, 1)
        #expect(phase(machine) == .closed, "two of five")
        try fail(&machine, 1)
        #expect(phase(machine) == .open(until: machine.time + 30_000), "three of six")
    }

    @Test
    func anotherRuleBeginsWithAClosedBreaker() throws {
        var machine = try machine(BreakerSpec(trip: .failures(1)))
        try fail(&machine, 1)
        let held = try machine.submit(.h())
        var spec = QueueSpec()
        spec.breaker = BreakerSpec(trip: .failures(2))
        _ = try machine.run(.putQueue(name: "default", spec, paused: nil, isInitial: false))
        #expect(machine.assigned == [held])
        #expect(phase(machine) == .closed)
    }
}
