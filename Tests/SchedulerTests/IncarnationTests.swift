import Testing

@testable import Scheduler

/// Lives of one name: starts with a data directory, and a newcomer that takes the name with another directory.
struct IncarnationTests {
    /// By its number the newcomer's first start comes before all starts of the old node.
    private static let old: UInt64 = 9
    private static let new: UInt64 = 2

    private func life(_ directory: UInt64, _ start: UInt64) -> UInt64 {
        Incarnation.number(directory: directory, start: start)
    }

    private func founded() throws -> Machine {
        var machine = Machine()
        try machine.run(.raiseStateVersion(2))
        try machine.run(
            .adoptMembers([.named("a", directory: Self.old), .named("b", directory: 1)]))
        return machine
    }

    /// What a node of that life is answered.
    private func send(
        _ sequence: UInt64, _ command: Command, as incarnation: UInt64, to machine: inout Machine
    ) throws -> Outcome? {
        var group = CommandGroup(origin: "a", incarnation: incarnation, acknowledgedBelow: 0)
        group.append(sequence: sequence, command: command.encoded())
        try machine.apply([group])
        return machine.outcomes.first
    }

    private func register(_ incarnation: UInt64) -> Command {
        .registerWorker(
            WorkerSpec(id: "a", incarnation: incarnation, slots: 1, handlers: ["h"], tags: []))
    }

    @Test
    func noTwoLivesHaveOneNumber() {
        #expect(life(7, 1) != life(8, 1) && life(7, 1) < life(7, 2))
        // It is written down as a signed number, too.
        #expect(Int64(exactly: life(.max, .max)) != nil)
    }

    @Test(arguments: [false, true])
    func aNewcomerIsServedAndWhatItReplacedIsNot(viaSnapshot: Bool) throws {
        var machine = try founded()
        let first = try send(1, .submit(.h()), as: life(Self.old, 5), to: &machine)
        #expect(first == .task(TaskID(1), existed: false))
        // Before it is taken in it is nobody, though nobody else has the name.
        try machine.run(.removeMember(name: "a", directory: Self.old))
        let early = try send(1, .submit(.h()), as: life(Self.new, 1), to: &machine)
        #expect(early == .rejected(.staleIncarnation))
        // The one on its way out may still send again what it is not sure of.
        let again = try send(1, .submit(.h()), as: life(Self.old, 5), to: &machine)
        #expect(again == first)
        try machine.run(.addMember(.named("a", directory: Self.new)))
        if viaSnapshot {
            machine.scheduler = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        }
        // The same sequence, and yet another request.
        let newcomers = try send(1, .submit(.h()), as: life(Self.new, 1), to: &machine)
        #expect(newcomers == .task(TaskID(2), existed: false))
        let late = try send(2, .submit(.h()), as: life(Self.old, 5), to: &machine)
        #expect(late == .rejected(.staleIncarnation))
        let later = try send(1, .submit(.h()), as: life(Self.old, 6), to: &machine)
        #expect(later == .rejected(.staleIncarnation))
        let restarted = try send(1, .submit(.h()), as: life(Self.new, 2), to: &machine)
        #expect(restarted == .task(TaskID(3), existed: false))
        let former = try send(3, .submit(.h()), as: life(Self.new, 1), to: &machine)
        #expect(former == .rejected(.staleIncarnation))
    }

    @Test
    func aNewcomersWorkerTakesThePlaceOfTheFormerOne() throws {
        var machine = try founded()
        _ = try send(1, register(life(Self.old, 5)), as: life(Self.old, 5), to: &machine)
        let task = try machine.submit(.h())
        #expect(machine.current(task)?.incarnation == life(Self.old, 5))
        try machine.run(.removeMember(name: "a", directory: Self.old))
        try machine.run(.addMember(.named("a", directory: Self.new)))
        let outcome = try send(
            1, register(life(Self.new, 1)), as: life(Self.new, 1), to: &machine)
        #expect(outcome == .done)
        #expect(machine.current(task)?.incarnation == life(Self.new, 1))
        // A registration from before, that comes in somebody else's group.
        let late = try machine.run(register(life(Self.old, 6)))
        #expect(late == .rejected(.staleIncarnation))
    }

    /// The state of one cluster begins another, whose founders have the same names.
    @Test
    func theFoundersOfARestoredClusterAreServed() throws {
        var machine = try founded()
        _ = try send(1, register(life(Self.old, 5)), as: life(Self.old, 5), to: &machine)
        machine.scheduler.forgetMembers()
        let outcome = try send(
            1, register(life(Self.new, 1)), as: life(Self.new, 1), to: &machine)
        #expect(outcome == .done)
    }

    /// Rules of a cluster that still has nodes of an earlier version: all have to agree.
    @Test
    func beforeMembersWereKnownTheHigherNumberIsTheLaterLife() throws {
        var machine = Machine()
        let first = try send(1, .submit(.h()), as: life(Self.old, 1), to: &machine)
        #expect(first == .task(TaskID(1), existed: false))
        let lower = try send(1, .submit(.h()), as: life(Self.new, 1), to: &machine)
        #expect(lower == .rejected(.staleIncarnation))
    }
}
