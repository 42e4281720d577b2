import Glibc
import Scheduler
import Synchronization

/// A directory with a file for each result and log, under `StoredName`. Its calls block: see `DirectoryStore`.
///
/// A file appears by a rename, so that it is there as a whole or not at all; what a crash left of a file that was being
/// written (`….new`) is removed with the old ones. A result is synced, and so is its name, before its `put` is done: the log
/// is about to say that it is there. A log is not: it may go with a loss of power. The bytes are those that were put, and
/// nothing else: the state knows their SHA-256, by which damage is found.
final class ResultDirectory: Sendable {
    private let folder: StorageFolder
    private let maxBytes: UInt64
    /// Counted in blocks of 4 KiB, as they take room on a disk; nil: not counted yet.
    private let used = Mutex<UInt64?>(nil)

    init(path: String, maxBytes: UInt64, system: any FileSystem = LocalFileSystem()) {
        folder = StorageFolder(path: path, system: system)
        self.maxBytes = maxBytes
    }

    func put(
        _ name: StoredName, _ bytes: [UInt8], isDurable: Bool
    ) throws(StoreFailure) -> [UInt8] {
        let text = name.description
        let held = try usedBytes()
        let before = held - min(held, room(text))
        let after = before + Self.blocks(UInt64(bytes.count))
        guard after <= maxBytes else { throw .full(maxBytes: maxBytes) }
        do throws(StorageError) {
            let temporary = text + StorageFolder.temporarySuffix
            let file = try folder.open(temporary, mode: .replace)
            try file.write(bytes, at: 0)
            if isDurable { try file.sync() }
            try folder.rename(temporary, to: text)
            if isDurable { try folder.sync() }
        } catch {
            throw .failed(error.finding)
        }
        used.withLock { $0 = after }
        return SHA256.hash(bytes)
    }

    func get(_ name: StoredName, checksum: [UInt8]?) throws(StoreFailure) -> [UInt8] {
        let bytes: [UInt8]
        do throws(StorageError) {
            let file = try folder.open(name.description, mode: .read)
            bytes = try file.read(count: try file.sizeBytes(), at: 0)
        } catch {
            if case .system(_, _, ENOENT) = error { throw .missing }
            throw .failed(error.finding)
        }
        guard checksum == nil || SHA256.hash(bytes) == checksum else {
            throw .damaged("\(folder.path(of: name.description)) is not what was written there")
        }
        return bytes
    }

    /// All files of ours. Leftovers of writes that nobody is at any more are removed on the way.
    func list(wallMilliseconds now: Milliseconds) throws(StoreFailure) -> [StoredFile] {
        var files: [StoredFile] = []
        var total: UInt64 = 0
        for text in try names() {
            guard let status = status(text) else { continue }
            let modifiedAt =
                Milliseconds(status.st_mtim.tv_sec) * 1_000
                + Milliseconds(status.st_mtim.tv_nsec / 1_000_000)
            if text.hasSuffix(StorageFolder.temporarySuffix) {
                guard now - modifiedAt > ResultLimits.orphanMilliseconds else { continue }
                try remove(text)
            } else if let name = StoredName(text) {
                total += Self.blocks(UInt64(max(0, status.st_size)))
                files.append(StoredFile(name: name, modifiedAt: modifiedAt))
            }
        }
        let counted = total
        used.withLock { $0 = counted }
        return files
    }

    func remove(_ names: [StoredName]) throws(StoreFailure) {
        let before = try usedBytes()
        var freed: UInt64 = 0
        for name in names {
            let text = name.description
            let bytes = room(text)
            try remove(text)
            freed += bytes
        }
        let after = before - min(before, freed)
        used.withLock { $0 = after }
    }

    private func remove(_ text: String) throws(StoreFailure) {
        do throws(StorageError) {
            try folder.remove(text)
        } catch {
            if case .system(_, _, ENOENT) = error { return }
            throw .failed(error.finding)
        }
    }

    private func names() throws(StoreFailure) -> [String] {
        do throws(StorageError) {
            try folder.create()
            return try folder.names()
        } catch {
            throw .failed(error.finding)
        }
    }

    private func usedBytes() throws(StoreFailure) -> UInt64 {
        if let known = used.withLock({ $0 }) { return known }
        var total: UInt64 = 0
        for text in try names() where StoredName(text) != nil { total += room(text) }
        let counted = total
        used.withLock { $0 = counted }
        return counted
    }

    private func room(_ text: String) -> UInt64 {
        status(text).map { Self.blocks(UInt64(max(0, $0.st_size))) } ?? 0
    }

    private func status(_ text: String) -> stat? {
        var status = stat()
        return stat(folder.path(of: text), &status) == 0 ? status : nil
    }

    private static func blocks(_ bytes: UInt64) -> UInt64 { (bytes + 4_095) & ~4_095 }
}
