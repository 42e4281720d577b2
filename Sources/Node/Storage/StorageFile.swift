/// An open file, read and written at explicit offsets. Every error is thrown and no call repeated after it.
/// Closed when it is released. `StorageFolder.open` makes one.
package final class StorageFile: Sendable {
    package enum Mode: Sendable {
        case read
        case readWrite
        /// Must not exist yet.
        case create
        /// Opened if it exists, else created.
        case openOrCreate
        /// Emptied if it exists, else created.
        case replace
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

    func fillWithZeros(_ range: Range<Int>, syncEveryBytes: Int) throws(StorageError) {
        let zeros = [UInt8](repeating: 0, count: min(syncEveryBytes, range.count))
        var offset = range.lowerBound
        while offset < range.upperBound {
            let count = min(zeros.count, range.upperBound - offset)
            try write(zeros, range: 0..<count, at: offset)
            try sync()
            offset += count
        }
    }

    func truncate(toBytes count: Int) throws(StorageError) { try file.truncate(toBytes: count) }

    /// Makes the data durable, and of the metadata what is needed to read it back.
    func sync() throws(StorageError) { try file.sync() }

    /// Keeps every other opening of the file from locking it, until this one is released; false if
    /// another has done so.
    func lock() throws(StorageError) -> Bool { try file.lock() }
}
