import Raft
import Scheduler

/// What a backup holds. The file is a snapshot as nodes keep it (`SnapshotFormat`): the replicated state, and up to
/// which entry of which term it goes. Only a file is taken that is whole and understood to its last byte.
struct BackupContents {
    /// Far from what the codecs take, and from what any cluster reaches.
    private static let maxOrdinal: UInt64 = 1 << 60

    let path: String
    let mark: SnapshotMark
    let fileBytes: Int
    /// `SnapshotReader.checksum`.
    let checksum: UInt32
    let state: Scheduler

    /// Throws `corrupt`, with the byte; `unsupportedVersion` if a newer program wrote it; `system`.
    init(_ name: String, in folder: StorageFolder) throws(StorageError) {
        let reader = try SnapshotReader(name, in: folder)
        path = folder.path(of: name)
        mark = reader.mark
        fileBytes = reader.fileBytes
        let bytes = try reader.state()
        checksum = try reader.checksum()
        do throws(CodecError) {
            state = try Scheduler(snapshot: bytes)
        } catch {
            throw .corrupt(
                path: path, offset: 0, problem: "the state in it can't be read: \(error.reason)")
        }
        guard max(mark.index, mark.term) <= Self.maxOrdinal else {
            throw .corrupt(path: path, offset: 0, problem: "its index or term is not plausible")
        }
        guard state.appliedIndex == mark.index else {
            throw .corrupt(
                path: path, offset: 0,
                problem:
                    "it is marked \(mark.index), and the state in it goes to \(state.appliedIndex)")
        }
        guard state.stateVersion <= Scheduler.latestStateVersion else {
            throw .unsupportedVersion(
                path: path, found: "\(state.stateVersion) of the state",
                supported: "\(Scheduler.latestStateVersion)")
        }
    }
}
