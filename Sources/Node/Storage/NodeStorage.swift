import Raft

/// Everything a node has on disk, with the threads that go on writing it.
final class NodeStorage: Sendable {
    let directory: DataDirectory
    let log: LogThread
    let snapshots: SnapshotThread

    /// What was on disk: verified, synced, and not kept here, because it may be large.
    struct Opened: Sendable {
        var storage: NodeStorage
        var recovered: Recovered
        /// The state machine's bytes at `recovered.snapshot`; nil for an empty one, or if it is lost.
        var state: [UInt8]?
        /// Damage the node goes on in spite of, and what a crash tore; for its log.
        var findings: LogFindings
    }

    /// Opens or creates `<root>/<node>`. `initial` is the configuration of a log that was never there;
    /// `onLog` and `onSnapshot` are called on the threads that do the work.
    ///
    /// Every error means that the node must not run; its description says what to do.
    static func open(
        root: String, cluster: String, node: NodeID, initial: Configuration,
        settings: SegmentedLog.Settings = SegmentedLog.Settings(),
        system: any FileSystem = LocalFileSystem(),
        onLog: @escaping @Sendable (LogThread.Report) -> Void,
        onSnapshot: @escaping @Sendable (SnapshotThread.Report) -> Void
    ) throws(StorageError) -> Opened {
        let files = try NodeFiles(
            root: root, cluster: cluster, node: node, initial: initial, settings: settings,
            system: system)
        let (directory, store) = (files.directory, files.snapshots)
        let (recovered, state, findings) = (files.recovered, files.state, files.findings)
        let storage = NodeStorage(
            directory: directory,
            log: try LogThread(log: files.log, report: onLog),
            snapshots: try SnapshotThread(store: store, report: onSnapshot))
        return Opened(
            storage: storage, recovered: recovered, state: state, findings: findings)
    }

    /// Makes durable what was submitted, closes both and joins their threads. The directory stays locked
    /// until this object is released.
    func stop() {
        snapshots.stop()
        log.stop()
    }

    private init(directory: DataDirectory, log: LogThread, snapshots: SnapshotThread) {
        self.directory = directory
        self.log = log
        self.snapshots = snapshots
    }
}
