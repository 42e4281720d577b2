import Raft

/// Snapshot files that leave the cluster: a backup fetches one in pieces. It is held open meanwhile, so that it
/// stays whole when newer snapshots replace it and its name is gone. Who asks bounds how many are open.
enum SnapshotExport {
    enum Job: Equatable, Sendable {
        case open(SnapshotName)
        case read(SnapshotName, offset: UInt64, maxBytes: Int, token: UInt64)
        case close(SnapshotName)
    }

    enum Reply: Equatable, Sendable {
        /// `checksum` is that of `SnapshotReader.checksum`.
        case opened(SnapshotName, totalBytes: UInt64, checksum: UInt32)
        /// There is no such file any more.
        case gone(SnapshotName)
        case read(token: UInt64, bytes: [UInt8])
        /// That file is not open.
        case notOpen(token: UInt64)
        /// The file is no longer what was written; it has been closed and set aside. `token` nil: it was to be opened.
        case damaged(SnapshotName, token: UInt64?, StorageError)
    }
}

extension SnapshotStore {
    /// A `close` is not answered.
    mutating func perform(
        _ job: SnapshotExport.Job
    ) throws(StorageError) -> SnapshotExport.Reply? {
        switch job {
        case .open(let name):
            return try guarding(name, token: nil) { (store) throws(StorageError) in
                try store.open(name)
            }
        case .read(let name, let offset, let maxBytes, let token):
            return try guarding(name, token: token) { (store) throws(StorageError) in
                try store.read(name, at: offset, maxBytes: maxBytes, token: token)
            }
        case .close(let name):
            exported.removeAll { $0.name == name }
            return nil
        }
    }

    private mutating func guarding(
        _ name: SnapshotName, token: UInt64?,
        _ body: (inout SnapshotStore) throws(StorageError) -> SnapshotExport.Reply
    ) throws(StorageError) -> SnapshotExport.Reply {
        do throws(StorageError) {
            return try body(&self)
        } catch {
            // The node's own state is in memory and good: only this file is not.
            guard error.isDamage else { throw error }
            exported.removeAll { $0.name == name }
            if try folder.names().contains(name.text) { try setAside(name) }
            return .damaged(name, token: token, error)
        }
    }

    private mutating func open(_ name: SnapshotName) throws(StorageError) -> SnapshotExport.Reply {
        if !exported.contains(where: { $0.name == name }) {
            guard try folder.names().contains(name.text) else { return .gone(name) }
            exported.append((name, try SnapshotReader(name.text, in: folder)))
        }
        guard let reader = exported.last(where: { $0.name == name })?.reader else {
            preconditionFailure("it was opened just now")
        }
        return .opened(
            name, totalBytes: UInt64(reader.fileBytes), checksum: try reader.checksum())
    }

    private mutating func read(
        _ name: SnapshotName, at offset: UInt64, maxBytes: Int, token: UInt64
    ) throws(StorageError) -> SnapshotExport.Reply {
        guard let place = exported.firstIndex(where: { $0.name == name }) else {
            return .notOpen(token: token)
        }
        return .read(
            token: token,
            bytes: try exported[place].reader.chunk(at: offset, maxBytes: maxBytes))
    }
}
