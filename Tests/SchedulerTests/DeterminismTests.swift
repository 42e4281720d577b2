import Testing

@testable import Scheduler

/// A replica that was restored from a snapshot goes on exactly like one that never stopped.
struct DeterminismTests {
    private static let small: Capacity = {
        var capacity = Capacity()
        capacity.finishedTasks = 40
        capacity.deadTasks = 10
        capacity.wakesPerAdvance = 7
        capacity.bulkLooksPerEntry = 9
        capacity.bulkActionsPerEntry = 2
        capacity.settlementsPerEntry = 3
        return capacity
    }()

    @Test(arguments: 0..<80)
    func replicasAgreeWhateverTheirHistory(seed: UInt64) throws {
        var log = RandomLog(seed: seed)
        var first = Machine(Self.small)
        var second = Machine(Self.small)
        for step in 0..<60 {
            let entry = log.entry(for: &first)
            try first.apply(entry)
            if log.random.next() % 8 == 0 {
                let bytes = second.scheduler.encodeSnapshot()
                second.scheduler = try Scheduler(snapshot: bytes, capacity: Self.small)
                #expect(second.scheduler.encodeSnapshot() == bytes)
            }
            try second.apply(entry)
            #expect(first.events == second.events, "entry \(step)")
            #expect(first.scheduler.digest == second.scheduler.digest)
            #expect(first.scheduler.nextWake == second.scheduler.nextWake)
            #expect(first.scheduler.counts == second.scheduler.counts)
            #expect(first.scheduler.workers() == second.scheduler.workers())
            guard first.events == second.events else { return }
        }
        #expect(first.scheduler.stateHash() == second.scheduler.stateHash())
    }

    /// A copy shares memory with the state it was taken from; later changes must not show in it.
    @Test(arguments: 0..<10)
    func snapshotCopyStaysAsItWas(seed: UInt64) throws {
        var log = RandomLog(seed: 1_000 + seed)
        var machine = Machine()
        for _ in 0..<80 { try machine.apply(log.entry(for: &machine)) }
        let copy = machine.scheduler.snapshotCopy()
        let bytes = copy.encoded()
        for _ in 0..<80 { try machine.apply(log.entry(for: &machine)) }
        #expect(copy.encoded() == bytes)
        #expect(machine.scheduler.encodeSnapshot() != bytes)
    }

    /// As in a node: the copy is written on another thread while the state machine goes on.
    @Test
    func snapshotIsWrittenWhileTheStateChanges() async throws {
        var log = RandomLog(seed: 77)
        var machine = Machine()
        for _ in 0..<60 { try machine.apply(log.entry(for: &machine)) }
        for _ in 0..<20 {
            let expected = machine.scheduler.encodeSnapshot()
            let copy = machine.scheduler.snapshotCopy()
            async let written = copy.encoded()
            for _ in 0..<5 { try machine.apply(log.entry(for: &machine)) }
            #expect(await written == expected)
        }
    }

    @Test
    func digestTellsEntriesApart() throws {
        var one = Machine()
        var other = Machine()
        try one.run(.submit(.h { $0.priority = 4 }))
        try other.run(.submit(.h { $0.priority = 6 }))
        #expect(one.scheduler.digest != other.scheduler.digest)
        #expect(one.scheduler.stateHash() != other.scheduler.stateHash())
    }
}
