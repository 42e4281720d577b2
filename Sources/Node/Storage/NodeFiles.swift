import Raft

/// Everything a node has on disk, opened and verified, before any thread writes it.
struct NodeFiles {
    let directory: DataDirectory
    let log: SegmentedLog
    let snapshots: SnapshotStore
    let recovered: Recovered
    /// The state machine's bytes at `recovered.snapshot`; nil for an empty one, or if they are lost.
    let state: [UInt8]?
    let findings: LogFindings

    /// Opens or creates `<root>/<node>`. `initial` is the configuration of a log that was never there.
    init(
        root: String, cluster: String, node: NodeID, initial: Configuration,
        settings: SegmentedLog.Settings, newNumber: UInt64 = DataDirectory.drawNumber(),
        system: any FileSystem
    ) throws(StorageError) {
        directory = try DataDirectory(
            root: root, cluster: cluster, node: node, newNumber: newNumber, system: system)
        var (log, recovered, findings) = try SegmentedLog.open(
            folder: directory.logFolder, initial: initial, mayCreate: !directory.hasLog,
            settings: settings)
        try directory.noteLogCreated()
        var snapshots = SnapshotStore(folder: directory.snapshotFolder)
        var state: [UInt8]?
        if recovered.snapshot.index > 0 {
            switch try snapshots.recover(recovered.snapshot) {
            case .state(let bytes): state = bytes
            case .lost(let error):
                recovered.isStateLost = true
                findings.snapshotProblem = error
            }
        }
        try snapshots.removeLeftOvers(
            recovered: recovered.snapshot, isStateLost: recovered.isStateLost)
        (self.log, self.snapshots, self.recovered, self.state) = (log, snapshots, recovered, state)
        self.findings = findings
    }
}
