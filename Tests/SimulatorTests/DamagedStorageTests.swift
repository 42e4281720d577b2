import Node
import Raft
import Testing

@testable import Simulator

/// The real storage code on disks that changed while nobody looked.
struct DamagedStorageTests {
    private enum End: Hashable {
        case unharmed, entriesLost, stateLost, refused
    }

    private func storage(seed: UInt64) -> SimulatedStorage {
        SimulatedStorage(
            id: NodeID("n1", directory: 7), configuration: Configuration(voters: []),
            segmentBytes: 16 << 10, random: RandomSource(seed: seed))
    }

    /// A few segments, and a snapshot in the middle.
    private func fill(_ storage: SimulatedStorage) throws {
        var batch = Batch(ticket: 1, hardState: HardState(term: 1, vote: nil))
        for index in 1...40 as ClosedRange<Index> {
            batch.entries = [
                Entry(
                    index: index, term: 1,
                    payload: .command([UInt8](repeating: UInt8(index), count: 700)))
            ]
            if index == 20 {
                let mark = SnapshotMark(
                    index: 12, term: 1, configuration: Configuration(voters: []))
                try storage.writeSnapshot(mark, state: [UInt8](repeating: 9, count: 3_000))
                batch.snapshot = mark
            }
            try storage.persist(batch)
            _ = try storage.beginSync()
            _ = try storage.endSync()
            batch = Batch(ticket: index + 1)
        }
    }

    /// `open` itself compares what is found with what was written.
    private func reopen(_ storage: SimulatedStorage) throws -> End {
        do {
            let (recovered, state) = try storage.open()
            #expect(storage.isWhole == storage.synced.isWhole)
            #expect((state == nil) == recovered.isStateLost)
            if recovered.isStateLost { return .stateLost }
            return storage.isWhole ? .unharmed : .entriesLost
        } catch StorageStop.refused {
            return .refused
        }
    }

    @Test(arguments: DiskFault.damages)
    func damageIsFoundOrHarmless(fault: DiskFault) throws {
        var ends: Set<End> = []
        for seed in 1...120 as ClosedRange<UInt64> {
            let storage = storage(seed: seed)
            _ = try storage.open()
            try fill(storage)
            storage.crash(losesPower: seed % 2 == 0)
            guard storage.damage(fault) != nil else { continue }
            #expect(!storage.isWhole)
            ends.insert(try reopen(storage))
        }
        #expect(ends.isSuperset(of: [.unharmed, .entriesLost, .stateLost]))
    }

    /// Where nobody is known to have damaged the disk, damage that is found was done by the code that wrote it.
    @Test func damageToAnHonestDiskIsAMistakeOfTheCode() throws {
        let storage = storage(seed: 1)
        _ = try storage.open()
        try fill(storage)
        // Not every bit matters: one behind the log's end is zeroed again, one of two copies is read past.
        for _ in 0..<100 {
            storage.crash(losesPower: true)
            let place = storage.disk.damage(.bitRot) { $0.contains("/log/segment") }
            #expect(place != nil)
            do {
                _ = try storage.open()
            } catch StorageStop.broken {
                return
            }
        }
        Issue.record("it was taken for an honest disk's")
    }

    @Test func aPeerIsNotSentADamagedSnapshot() throws {
        let storage = storage(seed: 3)
        _ = try storage.open()
        try fill(storage)
        let mark = storage.synced.mark
        let place = storage.damage(.bitRot)
        #expect(place?.contains("/snapshots/") == true)
        guard case .damaged = try storage.readChunk(of: mark, at: 0, maxBytes: 10_000) else {
            Issue.record("it was sent")
            return
        }
        guard case .gone = try storage.readChunk(of: mark, at: 0, maxBytes: 10_000) else {
            Issue.record("it is still there")
            return
        }
        storage.crash(losesPower: false)
        #expect(try reopen(storage) == .stateLost)
    }
}
