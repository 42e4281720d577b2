import Testing

@testable import Scheduler

struct SnapshotTests {
    private func lived(seed: UInt64) throws -> Machine {
        var log = RandomLog(seed: seed)
        var machine = Machine()
        for _ in 0..<60 { try machine.apply(log.entry(for: &machine)) }
        return machine
    }

    @Test
    func emptyStateComesBack() throws {
        let restored = try Scheduler(snapshot: Scheduler().encodeSnapshot())
        #expect(restored.stateHash() == Scheduler().stateHash())
        #expect(restored.nextWake == nil)
    }

    @Test
    func readsAreTheSameAfterwards() throws {
        let machine = try lived(seed: 42)
        let restored = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        for number in 0...machine.scheduler.state.nextTask {
            #expect(restored.task(TaskID(number)) == machine.scheduler.task(TaskID(number)))
        }
        #expect(restored.workers() == machine.scheduler.workers())
        #expect(
            restored.schedules(after: nil, limit: 99)
                == machine.scheduler.schedules(after: nil, limit: 99))
        #expect(restored.state.sessions == machine.scheduler.state.sessions)
        #expect(restored.counts == machine.scheduler.counts)
        #expect(restored.time == machine.scheduler.time)
        #expect(restored.appliedIndex == machine.scheduler.appliedIndex)
        #expect(restored.digest == machine.scheduler.digest)
    }

    @Test
    func piecesJoinToTheWhole() throws {
        var machine = Machine()
        for _ in 0..<40 {
            _ = try machine.submit(.h { $0.payload = Array(repeating: 1, count: 100_000) })
        }
        var pieces: [[UInt8]] = []
        machine.scheduler.snapshotCopy().write { pieces.append($0) }
        #expect(pieces.count > 3)
        #expect(pieces.flatMap { $0 } == machine.scheduler.encodeSnapshot())
    }

    @Test
    func everyTruncationIsRefused() throws {
        let bytes = try lived(seed: 1).scheduler.encodeSnapshot()
        for count in stride(from: 0, to: bytes.count, by: 13) {
            #expect(throws: CodecError.self) { try Scheduler(snapshot: Array(bytes[..<count])) }
        }
        #expect(throws: CodecError.self) { try Scheduler(snapshot: bytes + [0]) }
    }

    /// Damaged bytes are refused or give some state that works; they never trap.
    @Test(arguments: 0..<8)
    func damagedBytesNeverTrap(seed: UInt64) throws {
        let machine = try lived(seed: seed)
        let bytes = machine.scheduler.encodeSnapshot()
        var random = Seeded(seed)
        var refused = 0
        for _ in 0..<60 {
            var damaged = bytes
            for _ in 0..<1 + random.next() % 3 {
                damaged[Int(random.next() % UInt64(bytes.count))] ^= UInt8(1 + random.next() % 255)
            }
            do {
                var other = machine
                other.scheduler = try Scheduler(snapshot: damaged)
                other.time = max(other.time, other.scheduler.time)
                var log = RandomLog(seed: seed)
                for _ in 0..<6 { try other.apply(log.entry(for: &other)) }
                _ = try Scheduler(snapshot: other.scheduler.encodeSnapshot())
            } catch is CodecError {
                refused += 1
            }
        }
        #expect(refused > 10)
    }

    @Test
    func unknownVersionIsRefusedWithAReason() throws {
        var bytes = Scheduler().encodeSnapshot()
        bytes[0] = 9
        let error = #expect(throws: CodecError.self) { try Scheduler(snapshot: bytes) }
        #expect(error?.reason.contains("version 9") ?? false)
    }
}
