import Raft
import Scheduler
import Testing

@testable import Node
@testable import Simulator

/// Restoring a backup on a disk that loses power at every one of its changes.
struct RestoreOnSimulatedDiskTests {
    private static let mark = SnapshotMark(
        index: 5, term: 2, configuration: Configuration(voters: ["n1", "n2"]))

    private func contents() throws -> BackupContents {
        let disk = SimulatedDisk(random: RandomSource(seed: 1))
        let folder = StorageFolder(path: "backups", system: disk)
        try folder.create()
        var state = Scheduler()
        state.noteApplied(index: Self.mark.index)
        let copy = state.snapshotCopy()
        _ = try SnapshotStore(folder: folder).write(Self.mark) { put throws(StorageError) in
            try copy.write { piece throws(StorageError) in try put(piece) }
        }
        return try BackupContents(SnapshotName(Self.mark).text, in: folder)
    }

    private var settings: SegmentedLog.Settings {
        var settings = SegmentedLog.Settings()
        settings.segmentBytes = 16 << 10
        settings.usesSpareThread = false
        settings.nonceSeed = 3
        return settings
    }

    private func restore(
        _ contents: BackupContents, to disk: SimulatedDisk
    ) throws(StorageError) -> RestoredDirectory {
        try RestoredDirectory(
            contents, root: "data", cluster: "demo", node: "n1",
            beginning: RestoredDirectory.Beginning(directory: 9, termDistance: 40),
            settings: settings, system: disk)
    }

    private func expectWhole(_ disk: SimulatedDisk, _ comment: String) throws {
        let files = try NodeFiles(
            root: "data", cluster: "demo", node: "n1", initial: Configuration(voters: []),
            settings: settings, system: disk)
        #expect(files.directory.id == NodeID("n1", directory: 9), "\(comment)")
        #expect(
            files.recovered
                == Recovered(
                    hardState: HardState(term: 42),
                    snapshot: SnapshotMark(
                        index: 5 + (1 << 32), term: 42, configuration: Configuration(voters: [])),
                    entries: []), "\(comment)")
        #expect(files.state != nil, "\(comment)")
    }

    /// The node's directory is there whole or not at all, and in the second case the restore can be done again.
    @Test(arguments: 1...3 as ClosedRange<UInt64>)
    func `a loss of power anywhere leaves all or nothing`(seed: UInt64) throws {
        let contents = try contents()
        var (changes, complete, absent) = (0, 0, 0)
        while true {
            let disk = SimulatedDisk(random: RandomSource(seed: seed &* 1_000 &+ UInt64(changes)))
            disk.cutPower(afterChanges: changes)
            var hasEnded = false
            do throws(StorageError) {
                _ = try restore(contents, to: disk)
                hasEnded = true
            } catch {
                try #require(disk.isPowerCut, "\(error)")
            }
            disk.losePower()
            if disk.exists("data/n1") {
                complete += 1
            } else {
                #expect(!hasEnded, "cut after \(changes) changes: it was said to be done")
                absent += 1
                _ = try restore(contents, to: disk)
            }
            try expectWhole(disk, "cut after \(changes) changes")
            guard !hasEnded else { break }
            changes += 1
        }
        #expect(absent > 20 && complete >= 1)
    }
}
