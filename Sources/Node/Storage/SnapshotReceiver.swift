import Raft
import Scheduler

/// Takes a snapshot file from a peer chunk by chunk. A chunk that comes again, or too early, is answered
/// with the offset that is wanted, so the sender goes on from there however messages were lost, repeated
/// or overtaken. Each part of the file is verified when its last byte is there, and wanted again if it is
/// bad. The file gets its name only when all of it has been synced and verified once more.
struct SnapshotReceiver {
    /// What became of a chunk.
    enum Progress: Equatable, Sendable {
        /// The next byte that is wanted.
        case wants(offset: UInt64)
        /// The snapshot is durable in its place.
        case complete(fileBytes: UInt64)
        /// What was received is no valid snapshot of that mark. It is dropped and begins anew at 0: a
        /// peer's damage is not ours, so this is no storage error.
        case refused(reason: String)
    }

    private struct Incoming {
        var mark: SnapshotMark
        var name: String
        var file: StorageFile
        var nextOffset: UInt64
        var totalBytes: UInt64
        var syncedBytes: UInt64 = 0
        var verifier: SnapshotVerifier
        /// How often the part that is wanted now was bad.
        var badParts = 0
    }

    /// A part that is bad so often is not bad on its way but where it comes from.
    private static let maxBadParts = 3

    private let folder: StorageFolder
    private var incoming: Incoming?

    init(folder: StorageFolder) {
        self.folder = folder
    }

    mutating func receive(_ chunk: Message.SnapshotChunk) throws(StorageError) -> Progress {
        let count = UInt64(chunk.bytes.count)
        guard chunk.totalBytes > 0, chunk.totalBytes <= StorageLimits.maxSnapshotBytes,
            chunk.bytes.count <= StorageLimits.maxSnapshotChunkBytes,
            chunk.offset <= chunk.totalBytes, count <= chunk.totalBytes - chunk.offset
        else { return .refused(reason: "the chunk reaches beyond the snapshot or a limit") }
        if chunk.offset == 0 { try begin(chunk) }
        guard var current = incoming, current.mark == chunk.mark,
            current.totalBytes == chunk.totalBytes
        else { return .wants(offset: 0) }
        guard chunk.offset == current.nextOffset else {
            return .wants(offset: current.nextOffset)
        }
        try current.file.write(chunk.bytes, at: Int(chunk.offset))
        let verified = current.verifier.verifiedOffset
        do throws(CodecError) {
            defer { if current.verifier.verifiedOffset > verified { current.badParts = 0 } }
            try current.verifier.take(chunk.bytes)
        } catch {
            return try refuse(current, reason: error.reason)
        }
        current.nextOffset += count
        if current.nextOffset - current.syncedBytes >= StorageLimits.snapshotSyncStepBytes {
            try current.file.sync()
            current.syncedBytes = current.nextOffset
        }
        incoming = current
        guard current.nextOffset == current.totalBytes else {
            return .wants(offset: current.nextOffset)
        }
        return try finish(current)
    }

    private mutating func begin(_ chunk: Message.SnapshotChunk) throws(StorageError) {
        try drop()
        // The room is needed: a disk need not hold one snapshot more than are of use.
        if try folder.names().contains(SnapshotName.spare) { try folder.remove(SnapshotName.spare) }
        let name = SnapshotName(chunk.mark).text + SnapshotName.incomingSuffix
        incoming = Incoming(
            mark: chunk.mark, name: name,
            file: try folder.open(name, mode: .replace), nextOffset: 0,
            totalBytes: chunk.totalBytes,
            verifier: SnapshotVerifier(
                mark: chunk.mark, totalBytes: Int(chunk.totalBytes)))
    }

    /// The part that the verifier waits for is bad. A bad header says nothing about the rest.
    private mutating func refuse(
        _ bad: Incoming, reason: String
    ) throws(StorageError) -> Progress {
        var current = bad
        current.badParts += 1
        guard current.badParts < Self.maxBadParts, current.verifier.verifiedOffset > 0 else {
            try drop()
            return .refused(
                reason: "at byte \(current.verifier.verifiedOffset): \(reason)")
        }
        current.nextOffset = UInt64(current.verifier.verifiedOffset)
        current.syncedBytes = min(current.syncedBytes, current.nextOffset)
        incoming = current
        return .wants(offset: current.nextOffset)
    }

    private mutating func finish(_ done: Incoming) throws(StorageError) -> Progress {
        // Before verifying, so that what is verified is also what is on disk.
        try done.file.sync()
        do throws(StorageError) {
            let reader = try SnapshotReader(done.name, in: folder)
            guard reader.mark == done.mark else {
                try drop()
                return .refused(reason: "the file is a snapshot of index \(reader.mark.index)")
            }
            try reader.verify()
        } catch {
            guard case .corrupt(_, let offset, let problem) = error else { throw error }
            try drop()
            return .refused(reason: "at byte \(offset): \(problem)")
        }
        try folder.rename(done.name, to: SnapshotName(done.mark).text)
        try folder.sync()
        incoming = nil
        return .complete(fileBytes: done.totalBytes)
    }

    private mutating func drop() throws(StorageError) {
        guard let old = incoming else { return }
        incoming = nil
        try folder.remove(old.name)
    }
}
