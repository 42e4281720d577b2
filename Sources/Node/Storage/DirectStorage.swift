import Raft

/// What a node has on disk, in the hands of a caller that decides itself when something is written and when
/// it is synced: no thread, no clock and no randomness but the seed. The simulator runs nodes on it; a
/// process has `NodeStorage`, which is made of the same parts.
///
/// After an error nothing more may be asked of it, as of `NodeStorage`.
package final class DirectStorage {
    package struct Settings: Sendable {
        package var segmentBytes: Int
        /// Another number at each opening.
        package var nonceSeed: UInt64
        /// What a new directory gets for its number; not 0.
        package var newDirectory: UInt64

        package init(segmentBytes: Int, nonceSeed: UInt64, newDirectory: UInt64) {
            self.segmentBytes = segmentBytes
            self.nonceSeed = nonceSeed
            self.newDirectory = newDirectory
        }
    }

    /// The node's name and its directory's number.
    package let id: NodeID
    package let incarnation: UInt64
    package let recovered: Recovered
    /// The state machine's bytes at `recovered.snapshot`; nil for an empty one.
    package let state: [UInt8]?
    /// Keeps the directory locked.
    private let directory: DataDirectory
    private let log: SegmentedLog
    private var snapshots: SnapshotStore

    /// Opens or creates `<root>/<node>`; see `NodeStorage.open`.
    package init(
        root: String, cluster: String, node: NodeID, initial: Configuration, settings: Settings,
        system: any FileSystem
    ) throws(StorageError) {
        var logSettings = SegmentedLog.Settings()
        logSettings.segmentBytes = settings.segmentBytes
        logSettings.nonceSeed = settings.nonceSeed
        logSettings.usesSpareThread = false
        let files = try NodeFiles(
            root: root, cluster: cluster, node: node, initial: initial, settings: logSettings,
            newNumber: settings.newDirectory, system: system)
        directory = files.directory
        id = directory.id
        incarnation = directory.incarnation
        log = files.log
        snapshots = files.snapshots
        recovered = files.recovered
        state = files.state
    }

    /// Writes as many of the batches, from `first` on, as one sync may cover, and returns the position
    /// behind the last of them. What was written before must have been synced.
    package func write(_ batches: [Batch], from first: Int) throws(StorageError) -> Int {
        try log.write(batches, from: first)
    }

    package func sync() throws(StorageError) { try log.sync() }

    /// Durable in its place when this returns.
    package func writeSnapshot(_ mark: SnapshotMark, state: [UInt8]) throws(StorageError) {
        _ = try snapshots.write(mark) { put throws(StorageError) in try put(state) }
    }

    /// Whether a finished file of that mark is there.
    package func hasSnapshot(_ mark: SnapshotMark) throws(StorageError) -> Bool {
        try snapshots.names().contains(SnapshotName(mark))
    }

    /// The state at the mark, verified.
    package func loadSnapshot(_ mark: SnapshotMark) throws(StorageError) -> [UInt8] {
        try snapshots.load(mark)
    }

    /// A piece of the file for a peer; nil if that snapshot is no longer there.
    package func readChunk(
        of mark: SnapshotMark, at offset: UInt64, maxBytes: Int
    ) throws(StorageError) -> (bytes: [UInt8], totalBytes: UInt64)? {
        try snapshots.chunk(of: mark, at: offset, maxBytes: maxBytes)
    }

    /// What became of a chunk from a peer.
    package enum Stored {
        case wants(offset: UInt64)
        case complete(fileBytes: UInt64)
        case refused(reason: String)
    }

    package func storeChunk(_ chunk: Message.SnapshotChunk) throws(StorageError) -> Stored {
        switch try snapshots.receive(chunk) {
        case .wants(let offset): .wants(offset: offset)
        case .complete(let fileBytes): .complete(fileBytes: fileBytes)
        case .refused(let reason): .refused(reason: reason)
        }
    }

    /// The log's batch with this mark is durable: older snapshots may go.
    package func prune(durable mark: SnapshotMark) throws(StorageError) {
        try snapshots.prune(durable: mark)
    }
}
