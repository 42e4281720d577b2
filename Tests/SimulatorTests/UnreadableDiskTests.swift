import Node
import Raft
import Testing

@testable import Simulator

/// What the disk can't read any more is lost like what it has garbled: the rest goes on, or the node refuses.
struct UnreadableDiskTests {
    private static let initial = Configuration(voters: ["n1", "n2", "n3"])
    private static let pageBytes = 4 << 10

    private func open(_ disk: SimulatedDisk, life: UInt64) throws(StorageError) -> DirectStorage {
        try DirectStorage(
            root: "data", cluster: "demo", node: "n1", initial: Self.initial,
            settings: DirectStorage.Settings(
                segmentBytes: 32 << 10, nonceSeed: life, newDirectory: 1),
            system: disk)
    }

    /// Opens, and closes again when it returns.
    private func recover(_ disk: SimulatedDisk, life: UInt64) throws(StorageError) -> Recovered {
        try open(disk, life: life).recovered
    }

    private func write(
        _ batches: [Batch], to storage: DirectStorage
    ) throws(StorageError) {
        var done = 0
        while done < batches.count {
            done = try storage.write(batches, from: done)
            try storage.sync()
        }
    }

    private func entry(_ index: Index) -> Entry {
        let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: 700)
        return Entry(index: index, term: 1, payload: .command(bytes))
    }

    /// A log of several segments, each batch of three entries.
    private func filledDisk() throws -> (disk: SimulatedDisk, truth: Recovered) {
        let disk = SimulatedDisk(random: RandomSource(seed: 3))
        var batches = [Batch(ticket: 1, hardState: HardState(term: 1, vote: "n2"))]
        for ticket in 2...30 as ClosedRange<Ticket> {
            let first = 3 * (ticket - 2) + 1
            batches.append(
                Batch(ticket: ticket, entries: (first..<first + 3).map { entry($0) }))
        }
        try write(batches, to: open(disk, life: 1))
        return (disk, try recover(disk, life: 2))
    }

    private func names(_ disk: SimulatedDisk) throws -> [String] {
        try disk.names(in: "data/n1/log").filter { $0.hasPrefix("segment-") }.sorted()
    }

    @Test func aPageThatCannotBeReadIsLostAndNothingElse() throws {
        var (lost, refused) = (0, 0)
        let segments = try names(filledDisk().disk)
        #expect(segments.count > 2)
        for segment in segments {
            for page in 0..<8 {
                let (disk, truth) = try filledDisk()
                let start = page * Self.pageBytes
                disk.spoil("data/n1/log/\(segment)", start..<start + Self.pageBytes)
                let recovered: Recovered
                do throws(StorageError) {
                    recovered = try recover(disk, life: 3)
                } catch {
                    refused += 1
                    #expect(error.description.contains(segment))
                    continue
                }
                #expect(recovered.hardState == truth.hardState)
                #expect(recovered.entries.map(\.index) == truth.entries.map(\.index))
                #expect(recovered.entries.map(\.term) == truth.entries.map(\.term))
                let differing = zip(recovered.entries, truth.entries).filter { $0 != $1 }
                #expect(differing.allSatisfy { $0.0.payload == .lost })
                lost += differing.count
            }
        }
        #expect(lost > 50)
        // Only where the log ends: something may have been written there that nobody can read.
        #expect(refused <= 2)
    }

    /// The page stays unreadable; the entries stand elsewhere now.
    @Test func whatThePeersHadIsWrittenElsewhereAndFoundAgain() throws {
        let (disk, truth) = try filledDisk()
        let segment = try #require(try names(disk).first)
        disk.spoil("data/n1/log/\(segment)", 3 * Self.pageBytes..<4 * Self.pageBytes)
        let damaged = try recover(disk, life: 3)
        let first = try #require(damaged.entries.first { $0.payload == .lost }?.index)
        let rewritten = Batch(
            ticket: 1, truncateFrom: first, entries: truth.entries.filter { $0.index >= first })
        try write([rewritten], to: open(disk, life: 4))
        let again = try recover(disk, life: 5)
        #expect(again.entries == truth.entries && again.hardState == truth.hardState)
    }

    /// So much is no damage but a disk that is gone.
    @Test func aDiskThatCannotBeReadAtAllIsRefused() throws {
        let (disk, _) = try filledDisk()
        for segment in try names(disk) {
            disk.spoil("data/n1/log/\(segment)", 0..<32 << 10)
        }
        #expect(throws: StorageError.self) { try recover(disk, life: 3) }
    }

    /// The state is in memory and good: only this file is not, and the peer gets another one.
    @Test func aSnapshotThatCannotBeSentIsSetAside() throws {
        let disk = SimulatedDisk(random: RandomSource(seed: 3))
        let storage = try open(disk, life: 1)
        let mark = SnapshotMark(index: 3, term: 1, configuration: Self.initial)
        try write(
            [
                Batch(ticket: 1, hardState: HardState(term: 1)),
                Batch(ticket: 2, entries: (1...3).map { entry($0) }),
            ], to: storage)
        try storage.writeSnapshot(mark, state: [UInt8](repeating: 7, count: 20_000))
        disk.spoil("data/n1/snapshots/snapshot-3-1", 8_192..<8_193)
        #expect(throws: StorageError.self) {
            try storage.readChunk(of: mark, at: 0, maxBytes: 1_000)
        }
        let isThere = try storage.hasSnapshot(mark)
        #expect(!isThere)
    }
}
