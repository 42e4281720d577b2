import Raft

/// Everything a node has on disk, opened, verified and synced, with the threads that go on writing it.
final class NodeStorage: Sendable {
    let directory: DataDirectory
    let log: LogThread
    let snapshots: SnapshotThread
    let recovered: Recovered
    /// The state machine's bytes at `recovered.snapshot`; nil for an empty one.
    let state: [UInt8]?

    /// Opens or creates `<root>/<node>`. `initial` is the configuration of a log that was never there.
    /// Every error means that the node must not run; its description says what to do.
    init(
        root: String, cluster: String, node: NodeID, initial: Configuration,
        settings: SegmentedLog.Settings = SegmentedLog.Settings(),
        onLog: @escaping @Sendable (LogThread.Report) -> Void,
        onSnapshot: @escaping @Sendable (SnapshotThread.Report) -> Void
    ) throws(StorageError) {
        directory = try DataDirectory(root: root, cluster: cluster, node: node)
        let (opened, recovered) = try SegmentedLog.open(
            folder: directory.logFolder, initial: initial, mayCreate: !directory.hasLog,
            settings: settings)
        self.recovered = recovered
        try directory.noteLogCreated()
        let store = SnapshotStore(folder: directory.snapshotFolder)
        state = recovered.snapshot.index > 0 ? try store.load(recovered.snapshot) : nil
        try store.removeLeftOvers(recovered: recovered.snapshot)
        log = try LogThread(log: opened, report: onLog)
        snapshots = try SnapshotThread(store: store, report: onSnapshot)
    }

    /// Makes durable what was submitted, closes both and joins their threads. The directory stays locked
    /// until this object is released.
    func stop() {
        snapshots.stop()
        log.stop()
    }
}
