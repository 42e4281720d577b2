import Testing

@testable import Scheduler

struct EntryTests {
    private func group(_ commands: [[UInt8]], origin: String = "n1") -> CommandGroup {
        var group = CommandGroup(origin: origin, incarnation: 1, acknowledgedBelow: 1)
        for (place, command) in commands.enumerated() {
            group.append(sequence: UInt64(place + 1), command: command)
        }
        return group
    }

    @Test
    func damagedCommandLeavesTheOthersAlone() throws {
        var machine = Machine()
        let good = Command.submit(.h()).encoded()
        try machine.apply([group([good, [1, 200, 3], [], [9, 1], good.dropLast(), good])])
        #expect(
            machine.outcomes == [
                .task(TaskID(1), existed: false), .rejected(.malformed), .rejected(.malformed),
                .rejected(.malformed), .rejected(.malformed), .task(TaskID(2), existed: false),
            ])
    }

    @Test
    func undecodableEntryThrowsAndChangesNothing() throws {
        var machine = Machine()
        try machine.run(.submit(.h()))
        let before = machine.scheduler.encodeSnapshot()
        let good = EntryPayload(
            time: machine.time, groups: [group([Command.submit(.h()).encoded()], origin: "x")]
        ).encoded()
        var unknown = good
        unknown[0] = 2
        for entry in [unknown, good + [0]] + (0..<good.count).map({ Array(good[..<$0]) }) {
            var events: [Event] = []
            #expect(throws: CodecError.self) {
                try machine.scheduler.apply(entry, index: 99, into: &events)
            }
            #expect(events.isEmpty)
        }
        #expect(machine.scheduler.encodeSnapshot() == before)
    }

    @Test
    func randomBytesNeverTrap() throws {
        var random = Seeded(1)
        var machine = Machine()
        let good = EntryPayload(
            time: machine.time, groups: [group(CommandCodecTests.commands.map { $0.encoded() })]
        ).encoded()
        for _ in 0..<3_000 {
            var bytes = good
            for _ in 0..<1 + random.next() % 4 {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(
                    truncatingIfNeeded: random.next())
            }
            _ = try? machine.apply(bytes)
        }
        _ = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
    }

    @Test
    func timeNeverGoesBack() throws {
        var machine = Machine()
        machine.time = 5_000
        try machine.run(.advance([]))
        machine.time = 4_000
        let id = try machine.submit(.h())
        #expect(machine.scheduler.time == 5_000)
        #expect(machine.scheduler.task(id)?.createdAt == 5_000)
        machine.time = .max
        try machine.run(.submit(.h { $0.start = .after(milliseconds: 1_000) }))
        #expect(machine.scheduler.time == Limits.maxTime)
    }

    @Test
    func entriesWithoutCommandsCountAsApplied() throws {
        var machine = Machine()
        machine.scheduler.noteApplied(index: 7)
        #expect(machine.scheduler.appliedIndex == 7)
        try machine.register("w")
        let id = try machine.submit(.h())
        #expect(machine.current(id)?.fence == 9, "the fence is the log index")
    }

    @Test
    func layoutAgreesWithThePayload() throws {
        let payload = EntryPayload(
            time: 12, groups: [group([[1, 2], []]), group([[3]], origin: "")])
        let layout = try EntryLayout(payload.encoded())
        #expect(layout.time == 12)
        #expect(layout.groups.map(\.origin) == ["n1", ""])
        #expect(layout.groups[0].commands.map(\.sequence) == [1, 2])
        let bytes = payload.encoded()
        #expect(layout.groups[0].commands.map { Array(bytes[$0.range]) } == [[1, 2], []])
        #expect(try EntryPayload(decoding: bytes) == payload)
    }
}
