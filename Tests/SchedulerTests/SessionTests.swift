import Testing

@testable import Scheduler

/// One request is executed once, however often it comes.
struct SessionTests {
    private func group(
        _ sequence: UInt64, _ command: Command, incarnation: UInt64 = 1, below: UInt64 = 0,
        origin: String = "n1"
    ) -> CommandGroup {
        var group = CommandGroup(
            origin: origin, incarnation: incarnation, acknowledgedBelow: below)
        group.append(sequence: sequence, command: command.encoded())
        return group
    }

    @Test(arguments: [false, true])
    func secondTimeGetsTheFirstAnswer(viaSnapshot: Bool) throws {
        var machine = Machine()
        let request = group(5, .submit(.h()))
        try machine.apply([request])
        let first = machine.outcomes
        #expect(first == [.task(TaskID(1), existed: false)])
        if viaSnapshot {
            machine.scheduler = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        }
        try machine.apply([request])
        #expect(machine.outcomes == first)
        #expect(machine.events.count == 1, "it was only answered, nothing was done")
        #expect(machine.scheduler.counts.tasksByState.reduce(0, +) == 1)
    }

    @Test(arguments: [false, true])
    func theAnswerCanBeLookedUpUntilItIsAcknowledged(viaSnapshot: Bool) throws {
        var machine = Machine()
        try machine.apply([group(5, .submit(.h()))])
        if viaSnapshot {
            machine.scheduler = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        }
        func look(_ sequence: UInt64, incarnation: UInt64 = 1) -> Outcome? {
            machine.scheduler.rememberedOutcome(
                origin: "n1", incarnation: incarnation, sequence: sequence)
        }
        #expect(look(5) == .task(TaskID(1), existed: false))
        #expect(look(4) == nil && look(6) == nil && look(5, incarnation: 2) == nil)
        try machine.apply([group(6, .submit(.h()), below: 6)])
        #expect(look(5) == nil && look(6) != nil)
    }

    @Test
    func sameRequestTwiceInOneEntry() throws {
        var machine = Machine()
        try machine.apply([group(1, .submit(.h())), group(1, .submit(.h()))])
        #expect(machine.outcomes.count == 2 && Set(machine.outcomes.map { "\($0)" }).count == 1)
        #expect(machine.scheduler.counts.tasksByState.reduce(0, +) == 1)
    }

    @Test
    func acknowledgedRequestIsIgnored() throws {
        var machine = Machine()
        try machine.apply([group(1, .submit(.h()))])
        try machine.apply([group(2, .submit(.h()), below: 2)])
        try machine.apply([group(1, .submit(.h()))])
        #expect(machine.events.isEmpty)
        #expect(machine.scheduler.state.sessions[0].count == 1, "the first one is forgotten")
    }

    @Test
    func originsAreApart() throws {
        var machine = Machine()
        try machine.apply([
            group(1, .submit(.h()), origin: "b"), group(1, .submit(.h()), origin: "a"),
        ])
        #expect(machine.scheduler.counts.tasksByState.reduce(0, +) == 2)
        #expect(machine.scheduler.state.sessions.map(\.origin) == ["a", "b"])
    }

    @Test
    func newIncarnationStartsAfresh() throws {
        var machine = Machine()
        try machine.apply([group(9, .submit(.h()), below: 9)])
        try machine.apply([group(1, .submit(.h()), incarnation: 2)])
        #expect(machine.outcomes == [.task(TaskID(2), existed: false)])
        try machine.apply([group(10, .submit(.h()))])
        #expect(machine.outcomes == [.rejected(.staleIncarnation)])
        #expect(machine.scheduler.counts.tasksByState.reduce(0, +) == 2)
    }

    @Test
    func leadersOwnCommandsAreNotRemembered() throws {
        var machine = Machine()
        for _ in 0..<2 { try machine.apply([group(0, .submit(.h()), origin: "")]) }
        #expect(machine.outcomes.isEmpty)
        #expect(machine.scheduler.state.sessions.isEmpty)
        #expect(machine.scheduler.counts.tasksByState.reduce(0, +) == 2)
    }

    @Test
    func numbersOfOriginsAndOutcomesAreBounded() throws {
        var capacity = Capacity()
        capacity.origins = 2
        capacity.outcomesPerOrigin = 3
        var machine = Machine(capacity)
        try machine.apply(["a", "b", "c"].map { group(1, .submit(.h()), origin: $0) })
        #expect(machine.outcomes.last == .rejected(.full))
        for sequence in UInt64(2)...4 {
            try machine.apply([group(sequence, .submit(.h()), origin: "a")])
        }
        #expect(machine.outcomes == [.rejected(.full)])
        try machine.apply([group(4, .submit(.h()), below: 3, origin: "a")])
        #expect(machine.outcomes == [.task(TaskID(5), existed: false)])
    }

    /// Any order, with gaps and repetitions, against a dictionary.
    @Test
    func remembersLikeADictionary() {
        var random = Seeded(11)
        var session = Session(origin: "n", incarnation: 1)
        var model: [UInt64: Outcome] = [:]
        for step in UInt64(0)..<2_000 {
            let sequence = step / 2 + random.next() % 40
            guard sequence >= session.acknowledgedBelow else { continue }
            #expect(session.outcome(of: sequence) == model[sequence])
            if model[sequence] == nil {
                let outcome = Outcome.task(TaskID(step), existed: false)
                session.remember(sequence, outcome)
                model[sequence] = outcome
            }
            if random.next() % 10 == 0 {
                session.acknowledge(below: step / 2)
                model = model.filter { $0.key >= session.acknowledgedBelow }
            }
            #expect(session.count == model.count)
        }
        #expect(session.remembered.map(\.sequence) == model.keys.sorted())
    }
}
