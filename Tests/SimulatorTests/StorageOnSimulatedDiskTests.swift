import Node
import Raft
import Testing

@testable import Simulator

/// The real storage code on a disk that loses power at every one of its changes, one after the other.
struct StorageOnSimulatedDiskTests {
    private static let initial = Configuration(voters: ["n1", "n2", "n3"])

    private func open(_ disk: SimulatedDisk, life: UInt64) throws(StorageError) -> DirectStorage {
        try DirectStorage(
            root: "data", cluster: "demo", node: "n1", initial: Self.initial,
            settings: DirectStorage.Settings(
                segmentBytes: 16 << 10, nonceSeed: life, newDirectory: 1),
            system: disk)
    }

    /// Terms, entries, truncations, snapshots, several segments.
    private func batches() -> [Batch] {
        var batches = [Batch(ticket: 1, hardState: HardState(term: 1, vote: "n1"))]
        var index: Index = 0
        var terms: [Term] = [0]
        for ticket in 2...24 as ClosedRange<Ticket> {
            var batch = Batch(ticket: ticket)
            if ticket == 12 {
                batch.hardState = HardState(term: 2, vote: "n2")
                batch.truncateFrom = index
                index -= 1
                terms.removeLast()
            }
            if ticket % 9 == 0 {
                batch.snapshot = SnapshotMark(
                    index: index - 2, term: terms[Int(index) - 2], configuration: Self.initial)
            }
            for _ in 0..<2 {
                index += 1
                terms.append(ticket < 12 ? 1 : 2)
                batch.entries.append(
                    Entry(
                        index: index, term: terms[Int(index)],
                        payload: .command([UInt8](repeating: UInt8(ticket), count: 900))))
            }
            batches.append(batch)
        }
        return batches
    }

    /// Until the power fails. Returns how many batches are surely durable, and how many are written.
    private func run(
        _ disk: SimulatedDisk, _ batches: [Batch]
    ) throws -> (synced: Int, written: Int) {
        var (synced, written) = (0, 0)
        do {
            let storage = try open(disk, life: 1)
            while synced < batches.count {
                let end = min(synced + 1 + synced % 3, batches.count)
                for mark in batches[synced..<end].compactMap(\.snapshot) {
                    try storage.writeSnapshot(mark, state: [1, 2, 3])
                }
                written = end
                written = try storage.write(Array(batches[..<end]), from: synced)
                try storage.sync()
                synced = written
                if let mark = batches[..<synced].last(where: { $0.snapshot != nil })?.snapshot {
                    try storage.prune(durable: mark)
                }
            }
        } catch {
            guard disk.isPowerCut else { throw error }
        }
        return (synced, written)
    }

    @Test(arguments: 1...2 as ClosedRange<UInt64>)
    func aLossOfPowerAnywhereLosesNothingThatWasSynced(seed: UInt64) throws {
        let batches = batches()
        var images = [LogImage(configuration: Self.initial)]
        for batch in batches {
            var image = images[images.count - 1]
            try image.write(batch)
            images.append(image)
        }
        var changes = 0
        while true {
            let disk = SimulatedDisk(random: RandomSource(seed: seed &* 1_000 &+ UInt64(changes)))
            disk.cutPower(afterChanges: changes)
            let (synced, written) = try run(disk, batches)
            let isComplete = !disk.isPowerCut
            disk.losePower()
            // Opening may lose power as well, at each of its own changes.
            for step in 0..<3 {
                disk.cutPower(afterChanges: changes % 7 + step)
                _ = try? open(disk, life: 2)
                disk.losePower()
            }
            let storage = try open(disk, life: 3)
            let found = images[synced...written].contains { $0.equals(storage.recovered) }
            #expect(found, "cut after \(changes) changes, \(synced) batches were synced")
            if storage.recovered.snapshot.index > 0 { #expect(storage.state == [1, 2, 3]) }
            guard !isComplete else { break }
            changes += 1
        }
        #expect(changes > 100)
    }

    @Test func anIncarnationIsNeverUsedTwice() throws {
        let disk = SimulatedDisk(random: RandomSource(seed: 5))
        var last: UInt64 = 0
        for round in 0..<60 {
            if round % 2 == 1 { disk.cutPower(afterChanges: round % 13) }
            if let storage = try? open(disk, life: UInt64(round)) {
                #expect(storage.incarnation > last)
                last = storage.incarnation
            }
            disk.losePower()
        }
        #expect(last >= 30)
    }
    /// A directory that exists need not have a name on the platter: the start that made it may have been killed before
    /// it had synced that. The next one has to, or a loss of power takes all that was synced below.
    @Test func whatAKilledStartHasMadeIsMadeDurableByTheNext() throws {
        for changes in 0..<12 {
            for seed in 1...8 as ClosedRange<UInt64> {
                let disk = SimulatedDisk(random: RandomSource(seed: seed))
                disk.cutPower(afterChanges: changes)
                _ = try? open(disk, life: 1)
                disk.endProcess()
                let before = try open(disk, life: 2).incarnation
                disk.losePower()
                let after = try open(disk, life: 3).incarnation
                #expect(after > before, "killed after \(changes) changes, seed \(seed)")
            }
        }
    }
}
