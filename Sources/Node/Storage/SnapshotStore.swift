import Raft

/// The snapshot files of one node (`SnapshotFormat`, `SnapshotName`). The log's mark says which of them
/// counts; next to it at most one older is kept, because a peer may be half through receiving it.
struct SnapshotStore {
    private struct Sending {
        let name: SnapshotName
        var reader: SnapshotReader
        /// Newer snapshots since it was read.
        var age = 0
    }

    /// Hands out the state piece by piece, oldest byte first, through the closure it is given.
    typealias Producer =
        @Sendable (_ put: ([UInt8]) throws(StorageError) -> Void) throws(StorageError) -> Void

    let folder: StorageFolder
    private var receiver: SnapshotReceiver
    /// Kept open between chunks, so that files that are replaced by newer ones can still be sent; the one read last is
    /// the last. Peers may be receiving different ones: were only one open, each of them would find its own gone, and
    /// begin anew for ever.
    private var sending: [Sending] = []
    /// Held open for backups; see `SnapshotExport`.
    var exported: [(name: SnapshotName, reader: SnapshotReader)] = []

    init(folder: StorageFolder) {
        self.folder = folder
        receiver = SnapshotReceiver(folder: folder)
    }

    /// What became of the snapshot that a recovered log starts from.
    enum Recovery: Equatable, Sendable {
        case state([UInt8])
        /// Gone or damaged, and why. What is there of it has been set aside.
        case lost(StorageError)
    }

    /// Loads the state at the mark. Throws what has nothing to do with the file, such as a lack of rights.
    func recover(_ mark: SnapshotMark) throws(StorageError) -> Recovery {
        do throws(StorageError) {
            return .state(try load(mark))
        } catch {
            switch error {
            case .missing: break
            case _ where error.isDamage: try setAside(SnapshotName(mark))
            default: throw error
            }
            return .lost(error)
        }
    }

    /// Takes a damaged file out of use and keeps it for somebody to look at, instead of any before.
    func setAside(_ snapshot: SnapshotName) throws(StorageError) {
        let name = snapshot.text
        for old in try folder.names() where SnapshotName.isDamaged(old) { try folder.remove(old) }
        try folder.rename(name, to: name + SnapshotName.damagedSuffix)
        try folder.sync()
    }

    /// Removes what a crash left: unfinished files, and snapshots that the log does not know of. `mark` is
    /// where the recovered log starts. To be called before anything is written or received, and after
    /// `recover`: as long as that has not found the snapshot at `mark` good, nothing older goes.
    mutating func removeLeftOvers(
        recovered mark: SnapshotMark, isStateLost: Bool = false
    ) throws(StorageError) {
        var isChanged = false
        for name in try folder.names() {
            let isOrphan =
                SnapshotName(name).map { ($0.index, $0.term) > (mark.index, mark.term) } ?? false
            if SnapshotName.isUnfinished(name) || isOrphan {
                try folder.remove(name)
                isChanged = true
            }
        }
        if isChanged { try folder.sync() }
        if !isStateLost { try prune(durable: mark) }
    }

    /// Writes a snapshot; it is durable in its place when this returns the size of its file.
    func write(_ mark: SnapshotMark, from producer: Producer) throws(StorageError) -> Int {
        let name = SnapshotName(mark).text
        let temporary = name + StorageFolder.temporarySuffix
        if try folder.names().contains(SnapshotName.spare) {
            try folder.rename(SnapshotName.spare, to: temporary)
        }
        var writer = try SnapshotWriter(temporary, in: folder, mark: mark)
        try producer { bytes throws(StorageError) in try writer.put(bytes) }
        let fileBytes = try writer.finish()
        try folder.rename(temporary, to: name)
        try folder.sync()
        return fileBytes
    }

    /// The state at the mark, verified. Throws `missing`, or `corrupt`.
    func load(_ mark: SnapshotMark) throws(StorageError) -> [UInt8] {
        let name = SnapshotName(mark).text
        guard try folder.names().contains(name) else {
            throw .missing(
                path: folder.path(of: name), problem: "the snapshot that the log needs is gone")
        }
        let reader = try SnapshotReader(name, in: folder)
        guard reader.mark == mark else {
            throw .corrupt(
                path: folder.path(of: name), offset: 0,
                problem: "the snapshot's mark is not the log's")
        }
        return try reader.state()
    }

    /// A piece of the file for a peer; nil if that snapshot is no longer there. If it is no longer what was written,
    /// or can't be read, the error says so (`isDamage`); it is set aside then, and gone the next time.
    mutating func chunk(
        of mark: SnapshotMark, at offset: UInt64, maxBytes: Int
    ) throws(StorageError) -> (bytes: [UInt8], totalBytes: UInt64)? {
        do throws(StorageError) {
            return try intactChunk(of: mark, at: offset, maxBytes: maxBytes)
        } catch {
            let name = SnapshotName(mark)
            sending.removeAll { $0.name == name }
            if error.isDamage, try folder.names().contains(name.text) { try setAside(name) }
            throw error
        }
    }

    private mutating func intactChunk(
        of mark: SnapshotMark, at offset: UInt64, maxBytes: Int
    ) throws(StorageError) -> (bytes: [UInt8], totalBytes: UInt64)? {
        let name = SnapshotName(mark)
        if let place = sending.firstIndex(where: { $0.name == name }) {
            sending.append(sending.remove(at: place))
        } else {
            guard try folder.names().contains(name.text) else { return nil }
            sending.append(
                Sending(name: name, reader: try SnapshotReader(name.text, in: folder)))
            if sending.count > StorageLimits.maxSnapshotsSent { sending.removeFirst() }
        }
        let last = sending.count - 1
        guard sending[last].reader.mark == mark else { return nil }
        sending[last].age = 0
        let bytes = try sending[last].reader.chunk(at: offset, maxBytes: maxBytes)
        return (bytes, UInt64(sending[last].reader.fileBytes))
    }

    mutating func receive(
        _ chunk: Message.SnapshotChunk
    ) throws(StorageError) -> SnapshotReceiver.Progress {
        try receiver.receive(chunk)
    }

    /// Removes what is damaged or older than the snapshot at `mark`, but for the newest of the older ones. To be called
    /// when the batch with this mark is durable.
    ///
    /// A file without a name takes its room as long as it is open: one that nobody has read from for long is closed.
    mutating func prune(durable mark: SnapshotMark) throws(StorageError) {
        for place in sending.indices { sending[place].age += 1 }
        sending.removeAll { $0.age > StorageLimits.maxUnreadSnapshotAge }
        let kept = SnapshotName(mark)
        let names = try folder.names()
        for name in names where SnapshotName.isDamaged(name) && names.contains(kept.text) {
            try folder.remove(name)
        }
        let older = names.compactMap { SnapshotName($0) }
            .filter { $0 != kept && ($0.index, $0.term) < (kept.index, kept.term) }
            .sorted { ($0.index, $0.term) < ($1.index, $1.term) }
        guard older.count > 1 else { return }
        for name in older.dropLast() { try retire(name) }
        // Before the spare is written into: after a crash nothing else may have its old name.
        try folder.sync()
    }

    /// Who reads it goes on reading what it was: then it can't become a spare.
    private func retire(_ name: SnapshotName) throws(StorageError) {
        let isOpen =
            sending.contains { $0.name == name } || exported.contains { $0.name == name }
        let hasSpare = try folder.names().contains(SnapshotName.spare)
        if isOpen || hasSpare {
            try folder.remove(name.text)
        } else {
            try folder.rename(name.text, to: SnapshotName.spare)
        }
    }

    /// The finished snapshots, oldest first.
    func names() throws(StorageError) -> [SnapshotName] {
        try folder.names().compactMap { SnapshotName($0) }
            .sorted { ($0.index, $0.term) < ($1.index, $1.term) }
    }
}
