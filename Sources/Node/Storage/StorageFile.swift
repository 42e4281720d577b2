/// An open file, read and written at explicit offsets. Every error is thrown and no call repeated after it.
/// Closed when it is released. `StorageFolder.open` makes one.
package final class StorageFile: Sendable {
    package enum Mode: Equatable, Sendable {
        case read
        case readWrite
        /// Must not exist yet.
        case create
        /// As `create`; only the owner may read it.
        case createPrivate
        /// Opened if it exists, else created.
        case openOrCreate
        /// Emptied if it exists, else created.
        case replace
        /// As `readWrite`, for what is written mostly from front to back: past the page cache, where the system can do
        /// that. The owner promises that from the end of each write that goes on behind the one before up to
        /// `zerosBefore` there are only zeros. Until `flush` or `sync` nobody else sees what was written, and closing loses it.
        case append(zerosBefore: Int)

        package var mayCreate: Bool {
            switch self {
            case .read, .readWrite, .append: false
            case .create, .createPrivate, .openOrCreate, .replace: true
            }
        }
    }

    let path: String
    private let file: any OpenFile

    init(path: String, mode: Mode, system: any FileSystem) throws(StorageError) {
        file = try system.open(path, mode: mode)
        self.path = path
    }

    func sizeBytes() throws(StorageError) -> Int { try file.sizeBytes() }

    func write(_ bytes: [UInt8], at offset: Int) throws(StorageError) {
        try file.write(bytes, range: 0..<bytes.count, at: offset)
    }

    func write(_ bytes: [UInt8], range: Range<Int>, at offset: Int) throws(StorageError) {
        try file.write(bytes, range: range, at: offset)
    }

    /// Up to `count` bytes from `offset` on; fewer only at the end of the file.
    func read(count: Int, at offset: Int) throws(StorageError) -> [UInt8] {
        try file.read(count: count, at: offset)
    }

    /// The whole file. What the disk can't read is handed out as bytes that are nobody's, so that no checksum fits and
    /// nothing there looks untouched, together with where that was. Throws if it is so much that the disk is gone
    /// rather than damaged, and every other error.
    func readWhatCanBeRead() throws(StorageError) -> (bytes: [UInt8], unreadable: [Range<Int>]) {
        let count = try sizeBytes()
        do throws(StorageError) {
            return (try read(count: count, at: 0), [])
        } catch {
            guard error.isReadFailure else { throw error }
            return try readBlockByBlock(count, after: error)
        }
    }

    private func readBlockByBlock(
        _ count: Int, after failure: StorageError
    ) throws(StorageError) -> (bytes: [UInt8], unreadable: [Range<Int>]) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        var unreadable: [Range<Int>] = []
        while bytes.count < count {
            let block = bytes.count..<min(bytes.count + StorageLimits.readBlockBytes, count)
            do throws(StorageError) {
                let found = try read(count: block.count, at: block.lowerBound)
                guard found.count == block.count else { throw failure }
                bytes += found
            } catch {
                // Each attempt may take a dying disk seconds.
                guard error.isReadFailure, unreadable.count < StorageLimits.maxUnreadableBlocks
                else { throw error }
                bytes += repeatElement(StorageLimits.unreadableByte, count: block.count)
                unreadable.append(block)
            }
        }
        return (bytes, unreadable)
    }

    /// `goesOn` is asked between two steps. False: it said no, and the rest is as it was.
    @discardableResult
    func fillWithZeros(
        _ range: Range<Int>, syncEveryBytes: Int, goesOn: () -> Bool = { true }
    ) throws(StorageError) -> Bool {
        let zeros = [UInt8](repeating: 0, count: min(syncEveryBytes, range.count))
        var offset = range.lowerBound
        while offset < range.upperBound {
            if offset > range.lowerBound, !goesOn() { return false }
            let count = min(zeros.count, range.upperBound - offset)
            try write(zeros, range: 0..<count, at: offset)
            try sync()
            offset += count
        }
        return true
    }

    func truncate(toBytes count: Int) throws(StorageError) { try file.truncate(toBytes: count) }

    /// Hands to the system what was gathered (`Mode.append`).
    func flush() throws(StorageError) { try file.flush() }

    /// Makes the data durable, and of the metadata what is needed to read it back.
    func sync() throws(StorageError) { try file.sync() }

    /// Keeps every other opening of the file from locking it, until this one is released; false if
    /// another has done so.
    func lock() throws(StorageError) -> Bool { try file.lock() }
}
