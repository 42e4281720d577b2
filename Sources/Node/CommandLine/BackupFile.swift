import Scheduler

/// A backup on its way into its file. It stands under `FILE.partial` until all of it is there, verified and synced;
/// each part is verified as its last byte arrives.
struct BackupFile {
    static let partialSuffix = ".partial"

    /// Nothing before this byte is wanted again.
    private(set) var nextOffset = 0
    private let folder: StorageFolder
    private let name: String
    private let totalBytes: Int
    private let file: StorageFile
    private var verifier: SnapshotVerifier
    private var syncedBytes = 0

    private var partialName: String { name + Self.partialSuffix }

    var isComplete: Bool { verifier.isComplete && nextOffset == totalBytes }

    /// Where FILE lies, and its name there.
    static func place(of path: String) -> (folder: StorageFolder, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (StorageFolder(path: "."), path) }
        let parent = slash == path.startIndex ? "/" : String(path[..<slash])
        return (StorageFolder(path: parent), String(path[path.index(after: slash)...]))
    }

    /// What an earlier attempt left is removed. Throws `inUse` if another process is at it: each would spoil the
    /// other's file.
    init(
        _ name: String, in folder: StorageFolder, snapshot: SnapshotName, totalBytes: Int
    ) throws(StorageError) {
        self.folder = folder
        self.name = name
        self.totalBytes = totalBytes
        verifier = SnapshotVerifier(name: snapshot, totalBytes: totalBytes)
        let partial = name + Self.partialSuffix
        if folder.system.exists(folder.path(of: partial)) {
            try Self.lock(folder.open(partial, mode: .readWrite))
            try folder.remove(partial)
        }
        file = try folder.open(partial, mode: .createPrivate)
        try Self.lock(file)
    }

    private static func lock(_ file: StorageFile) throws(StorageError) {
        guard try file.lock() else { throw .inUse(path: file.path, processID: nil) }
    }

    /// Takes what follows the bytes it has. Returns what is wrong with it, if anything: then it is wanted again from
    /// `nextOffset` on.
    mutating func take(_ bytes: [UInt8]) throws(StorageError) -> String? {
        guard !bytes.isEmpty, bytes.count <= totalBytes - nextOffset else {
            return "\(bytes.count) bytes came where \(totalBytes - nextOffset) are missing"
        }
        // First: of what is refused, the parts before the bad one are kept.
        try file.write(bytes, at: nextOffset)
        do throws(CodecError) {
            try verifier.take(bytes)
        } catch {
            nextOffset = verifier.verifiedOffset
            syncedBytes = min(syncedBytes, nextOffset)
            return error.reason
        }
        nextOffset += bytes.count
        if nextOffset - syncedBytes >= StorageLimits.snapshotSyncStepBytes {
            try file.sync()
            syncedBytes = nextOffset
        }
        return nil
    }

    /// Reads it all once more, from the file, and gives it its name. Returns what it holds. Throws `corrupt` also if
    /// the file is whole and not the one of this checksum.
    func finish(checksum: String) throws(StorageError) -> BackupContents {
        precondition(isComplete)
        try file.sync()
        let contents = try BackupContents(partialName, in: folder)
        let found = ChecksumText.text(contents.checksum)
        guard found == checksum else {
            throw .corrupt(
                path: file.path, offset: UInt64(totalBytes - 8),
                problem: "the file's checksum is \(found), the node announced \(checksum)")
        }
        try folder.rename(partialName, to: name)
        try folder.sync()
        return contents
    }

    func discard() throws(StorageError) { try folder.remove(partialName) }
}
