import Raft
import Scheduler

/// Makes the data directory of a node that is to found a cluster with the state of a backup.
///
///     <root>/.restoring-<node>/    filled, every file and name in it synced
///     <root>/<node>/               the same, after one rename and a sync of <root>
///
/// Crash cases: before the rename there is no directory of the node, and the next attempt clears what this one left;
/// after it, the directory is complete. So a node never opens one that is half filled.
///
/// What stands in it: an identity with a number of its own, the snapshot, and a log that begins behind it. The state
/// is that of the backup but for its members, and the configuration is empty, so the node founds (`Raft.found`). The
/// mark is further than the backup's in both numbers:
/// - the index by more than any cluster writes between two backups. Fencing tokens are indexes, and those that the lost
///   cluster gave out after the backup must not come again.
/// - the term by a random distance, so that no entry of the cluster the backup is from, nor of one that was restored
///   from the same file, continues this log.
struct RestoredDirectory {
    /// What has to differ between two attempts.
    struct Beginning: Sendable {
        var directory = DataDirectory.drawNumber()
        var termDistance = UInt64.random(in: 1...RestoredDirectory.maxTermDistance)
    }

    static let maxTermDistance: UInt64 = 1 << 32
    static let indexDistance: UInt64 = 1 << 32

    let id: NodeID
    let path: String

    /// Throws `occupied` unless the node has no directory, or an empty one.
    init(
        _ contents: BackupContents, root: String, cluster: String, node: String,
        beginning: Beginning = Beginning(),
        settings: SegmentedLog.Settings = SegmentedLog.Settings(),
        system: any FileSystem = LocalFileSystem()
    ) throws(StorageError) {
        try Self.checkVacancy(root: root, node: node, system: system)
        id = try Self.fill(
            contents, root: root, cluster: cluster, node: node, beginning: beginning,
            settings: settings, system: system)
        let parent = StorageFolder(path: root, system: system)
        try parent.rename(DataDirectory.restoringName(of: node), to: node)
        try parent.sync()
        path = parent.path(of: node)
    }

    static func checkVacancy(
        root: String, node: String, system: any FileSystem
    ) throws(StorageError) {
        let folder = StorageFolder(path: root + "/" + node, system: system)
        guard system.exists(folder.path) else { return }
        let names = try folder.names()
        guard names.isEmpty else { throw .occupied(path: folder.path, names: names) }
    }

    private static func fill(
        _ contents: BackupContents, root: String, cluster: String, node: String,
        beginning: Beginning, settings: SegmentedLog.Settings, system: any FileSystem
    ) throws(StorageError) -> NodeID {
        let mark = SnapshotMark(
            index: contents.mark.index + indexDistance,
            term: contents.mark.term + beginning.termDistance,
            configuration: Configuration(voters: []))
        var state = contents.state
        state.forgetMembers()
        state.noteApplied(index: mark.index)
        let copy = state.snapshotCopy()
        // Held until everything is in place: a second attempt would clear it.
        let directory = try DataDirectory(
            root: root, cluster: cluster, node: NodeID(node), newNumber: beginning.directory,
            place: .restoring, system: system)
        _ = try SnapshotStore(folder: directory.snapshotFolder).write(mark) {
            put throws(StorageError) in
            try copy.write { piece throws(StorageError) in try put(piece) }
        }
        let (log, _, _) = try SegmentedLog.open(
            folder: directory.logFolder, initial: mark.configuration, mayCreate: true,
            settings: settings)
        do throws(StorageError) {
            let batch = Batch(
                ticket: 1, hardState: HardState(term: mark.term), snapshot: mark, resetsLog: true)
            _ = try log.write([batch], from: 0)
            try log.sync()
        } catch {
            log.abandon()
            throw error
        }
        try log.close()
        try directory.noteLogCreated()
        return directory.id
    }
}
