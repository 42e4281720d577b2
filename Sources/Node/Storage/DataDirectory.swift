import Raft
import Synchronization

/// A node's place on disk, `<root>/<node>/`:
///
///     lock         held (flock) by the process that runs the node; its text is that process's id
///     identity     see `Identity`
///     log/         see `SegmentedLog`
///     snapshots/   see `SnapshotStore`
///
/// The lock is let go when this object is released or the process ends, however it ends. The lock file
/// itself is never removed: a second process could otherwise lock a file that no longer has a name.
final class DataDirectory: Sendable {
    let folder: StorageFolder
    /// The node's name and this directory's number.
    let id: NodeID
    /// Of this start; another one than in any earlier run of this node, with whatever directory. Durable before
    /// `init` returns.
    let incarnation: UInt64
    private let lock: StorageFile
    private let identity: Mutex<Identity>

    var logFolder: StorageFolder { folder.folder("log") }
    var snapshotFolder: StorageFolder { folder.folder("snapshots") }

    /// Whether a log was ever made durable here.
    var hasLog: Bool { identity.withLock { $0.hasLog } }

    /// The number of a new directory.
    static func drawNumber() -> UInt64 { UInt64.random(in: 1 ... .max) }

    /// Under which name the directory stands.
    enum Place: Sendable {
        /// The node's own.
        case own
        /// One that no node opens, while it is filled from a backup. What an earlier attempt left there is removed.
        case restoring
    }

    /// A node's name does not begin with a dot.
    static func restoringName(of node: String) -> String { ".restoring-" + node }

    /// Creates the directory, or opens it. Of `node` only the name counts: the directory says which it is.
    ///
    /// - Parameter newNumber: what a directory that is created gets; not 0.
    ///
    /// Throws `inUse` if another process has it, `foreign` if it holds another node's or cluster's data,
    /// `unsupportedVersion`, `corrupt` for a damaged identity, `missing` if there is data without an
    /// identity, `invalidName`, and `system`.
    init(
        root: String, cluster: String, node: NodeID, newNumber: UInt64 = drawNumber(),
        place: Place = .own, system: any FileSystem = LocalFileSystem()
    ) throws(StorageError) {
        try Self.check(cluster, what: "the cluster's name")
        try Self.check(node.name, what: "the node's id")
        let name = place == .own ? node.name : Self.restoringName(of: node.name)
        folder = StorageFolder(path: root + "/" + name, system: system)
        try folder.create()
        lock = try Self.takeLock(in: folder)
        if place == .restoring { try Self.clear(folder) }

        let names = try folder.names()
        let temporary = Self.identityName + StorageFolder.temporarySuffix
        if names.contains(temporary) { try folder.remove(temporary) }

        var identity =
            try Self.readIdentity(in: folder, names: names)
            ?? Identity(
                cluster: cluster, node: node.name, directory: newNumber, starts: 0, hasLog: false)
        guard identity.cluster == cluster, identity.node == node.name else {
            throw .foreign(
                path: folder.path,
                found: "node \(identity.node) of cluster \(identity.cluster)",
                expected: "node \(node.name) of cluster \(cluster)")
        }
        identity.starts += 1
        try folder.replace(Self.identityName, with: identity.encoded())
        id = NodeID(identity.node, directory: identity.directory)
        incarnation = identity.incarnation
        self.identity = Mutex(identity)
        try logFolder.create()
        try snapshotFolder.create()
    }

    /// Called when the first segment of the log is durable: from now on an empty log is a lost one.
    func noteLogCreated() throws(StorageError) {
        try identity.withLock { identity throws(StorageError) in
            guard !identity.hasLog else { return }
            identity.hasLog = true
            try folder.replace(Self.identityName, with: identity.encoded())
        }
    }

    private static func clear(_ folder: StorageFolder) throws(StorageError) {
        let names = try folder.names()
        for part in ["log", "snapshots"] where names.contains(part) {
            let inner = folder.folder(part)
            for name in try inner.names() { try inner.remove(name) }
            try inner.sync()
        }
        for name in names where !["log", "snapshots", lockName].contains(name) {
            try folder.remove(name)
        }
        try folder.sync()
    }

    private static let identityName = "identity"
    private static let lockName = "lock"

    private static func readIdentity(
        in folder: StorageFolder, names: [String]
    ) throws(StorageError) -> Identity? {
        let path = folder.path(of: identityName)
        guard names.contains(identityName) else {
            // The identity is written before the first segment or snapshot. If one of those is there
            // without it, making up a new identity could let a node vote twice in one term.
            for part in ["log", "snapshots"] where names.contains(part) {
                guard try folder.folder(part).names().isEmpty else {
                    throw .missing(path: path, problem: "there is data, but the identity is gone")
                }
            }
            return nil
        }
        let file = try folder.open(identityName, mode: .read)
        let bytes = try file.read(count: StorageLimits.maxIdentityBytes, at: 0)
        return try Identity(decoding: bytes, path: path)
    }

    private static func takeLock(in folder: StorageFolder) throws(StorageError) -> StorageFile {
        let file = try folder.open(lockName, mode: .openOrCreate)
        guard try file.lock() else {
            let text = String(decoding: try file.read(count: 32, at: 0), as: UTF8.self)
            let digits = text.prefix { $0.isNumber }
            throw .inUse(path: folder.path, processID: Int32(digits))
        }
        try file.truncate(toBytes: 0)
        try file.write(Array("\(folder.system.processID)\n".utf8), at: 0)
        return file
    }

    private static func check(_ name: String, what: String) throws(StorageError) {
        let isUsable =
            !name.isEmpty && name.utf8.count <= 255 && name.utf8.first != UInt8(ascii: ".")
            && name.utf8.allSatisfy { $0 >= 32 && $0 != 127 && $0 != UInt8(ascii: "/") }
        guard isUsable else { throw .invalidName(what: what, name: name) }
    }
}
