import Raft
import Scheduler

@testable import Node

/// A small backup: one member, one task under a key, up to entry 3 of term 6.
enum BackupSample {
    static let mark = SnapshotMark(
        index: 3, term: 6,
        configuration: Configuration(voters: [NodeID("n1", directory: 77)]))

    static func state(stateVersion: UInt32 = Scheduler.latestStateVersion) throws -> Scheduler {
        var scheduler = Scheduler()
        let member = Member(name: "n1", directory: 77, peer: "h:1", api: "h:2")
        var task = TaskSpec(handler: "echo")
        task.key = "once"
        let commands: [Command] = [
            .raiseStateVersion(stateVersion), .adoptMembers([member]), .submit(task),
        ]
        for (offset, command) in commands.enumerated() {
            var group = CommandGroup(origin: "", incarnation: 0, acknowledgedBelow: 0)
            group.append(sequence: 0, command: command.encoded())
            var events: [Event] = []
            try scheduler.apply(
                EntryPayload(time: 1_000, groups: [group]).encoded(), index: UInt64(offset) + 1,
                into: &events)
        }
        return scheduler
    }

    /// Writes it and returns its name.
    @discardableResult
    static func write(
        to folder: StorageFolder, stateVersion: UInt32 = Scheduler.latestStateVersion
    ) throws -> String {
        let copy = try state(stateVersion: stateVersion).snapshotCopy()
        _ = try SnapshotStore(folder: folder).write(mark) { put throws(StorageError) in
            try copy.write { piece throws(StorageError) in try put(piece) }
        }
        return SnapshotName(mark).text
    }
}
