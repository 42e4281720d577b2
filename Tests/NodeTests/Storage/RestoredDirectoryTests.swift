import Foundation
import Raft
import Scheduler
import Testing

@testable import Node

/// From a backup to the data directory of a founder. That a crash at any moment leaves nothing half done is proven
/// on a simulated disk (`RestoreOnSimulatedDiskTests`).
struct RestoredDirectoryTests {
    private func contents(_ scratch: ScratchFolder) throws -> BackupContents {
        let name = try BackupSample.write(to: scratch.folder)
        return try BackupContents(name, in: scratch.folder)
    }

    private func restore(
        _ contents: BackupContents, in root: ScratchFolder
    ) throws -> RestoredDirectory {
        try RestoredDirectory(contents, root: root.path, cluster: "demo", node: "n1")
    }

    private func open(_ root: ScratchFolder) throws -> NodeFiles {
        try NodeFiles(
            root: root.path, cluster: "demo", node: "n1", initial: Configuration(voters: []),
            settings: SegmentedLog.Settings(), system: LocalFileSystem())
    }

    @Test func `the founder has the state, no members, and a history of its own`() throws {
        let (backup, root) = (try ScratchFolder(), try ScratchFolder())
        let contents = try contents(backup)
        let restored = try restore(contents, in: root)
        let files = try open(root)
        #expect(files.directory.id == restored.id)
        #expect(restored.id.directory != 77)
        let recovered = files.recovered
        #expect(recovered.snapshot.index == BackupSample.mark.index + (1 << 32))
        #expect(recovered.snapshot.term > BackupSample.mark.term)
        #expect(recovered.snapshot.configuration == Configuration(voters: []))
        #expect(recovered.hardState == HardState(term: recovered.snapshot.term))
        #expect(recovered.entries.isEmpty && !recovered.isStateLost)
        let state = try Scheduler(snapshot: try #require(files.state))
        #expect(state.members.isEmpty && state.nodes.isEmpty)
        #expect(state.counts == contents.state.counts)
        #expect(state.time == contents.state.time)
        #expect(state.stateVersion == contents.state.stateVersion)
        let names = try root.folder.names()
        #expect(names == ["n1"])
    }

    @Test func `two restores of one backup are two histories`() throws {
        let (backup, first, second) = (
            try ScratchFolder(), try ScratchFolder(), try ScratchFolder()
        )
        let contents = try contents(backup)
        let ids = [try restore(contents, in: first).id, try restore(contents, in: second).id]
        #expect(ids[0] != ids[1])
        let terms = [try open(first), try open(second)].map { $0.recovered.snapshot.term }
        #expect(terms[0] != terms[1])
    }

    @Test func `a directory that holds anything is left alone`() throws {
        let (backup, root) = (try ScratchFolder(), try ScratchFolder())
        let contents = try contents(backup)
        try root.folder.folder("n1").create()
        try root.write([1], to: "n1/identity")
        #expect(
            throws: StorageError.occupied(path: root.folder.path(of: "n1"), names: ["identity"])
        ) {
            try restore(contents, in: root)
        }
        let bytes = try root.bytes(of: "n1/identity")
        #expect(bytes == [1])
        try root.remove("n1/identity")
        let restored = try restore(contents, in: root)
        #expect(try open(root).directory.id == restored.id)
    }

    @Test func `what an earlier attempt left is cleared`() throws {
        let (backup, root) = (try ScratchFolder(), try ScratchFolder())
        let contents = try contents(backup)
        let left = root.folder.folder(".restoring-n1")
        for part in ["log", "snapshots"] {
            try left.folder(part).create()
            try root.write([1, 2], to: ".restoring-n1/\(part)/something")
        }
        try root.write([3], to: ".restoring-n1/identity")
        _ = try restore(contents, in: root)
        let names = try root.folder.names()
        #expect(names == ["n1"])
        #expect(try open(root).recovered.snapshot.index > BackupSample.mark.index)
    }

    @Test func `a restore in progress is not disturbed by a second one`() throws {
        let (backup, root) = (try ScratchFolder(), try ScratchFolder())
        let contents = try contents(backup)
        let first = try DataDirectory(
            root: root.path, cluster: "demo", node: "n1", place: .restoring)
        #expect(throws: StorageError.self) { try restore(contents, in: root) }
        let names = try first.folder.names()
        #expect(names.contains("identity"))
    }

    // MARK: The file

    @Test func `every flipped bit of a backup is found, with its place`() throws {
        let scratch = try ScratchFolder()
        let name = try BackupSample.write(to: scratch.folder)
        let good = try scratch.bytes(of: name)
        for place in good.indices {
            var bytes = good
            bytes[place] ^= 1 << UInt8(place % 8)
            try scratch.write(bytes, to: name)
            do {
                _ = try BackupContents(name, in: scratch.folder)
                Issue.record("byte \(place) was flipped")
            } catch {
                guard case .corrupt(_, let offset, _) = error else {
                    Issue.record("byte \(place): \(error)")
                    continue
                }
                #expect(offset <= place)
            }
        }
        for count in good.indices {
            try scratch.write(Array(good[..<count]), to: name)
            #expect(throws: StorageError.self, "cut to \(count)") {
                try BackupContents(name, in: scratch.folder)
            }
        }
    }

    @Test func `the state of a newer program is refused`() throws {
        let scratch = try ScratchFolder()
        let name = try BackupSample.write(
            to: scratch.folder, stateVersion: Scheduler.latestStateVersion + 1)
        do {
            _ = try BackupContents(name, in: scratch.folder)
            Issue.record("it was taken")
        } catch {
            guard case .unsupportedVersion = error else {
                Issue.record("\(error)")
                return
            }
            #expect(error.description.contains("of the state"))
        }
    }
}
