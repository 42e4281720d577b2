import Glibc
import Node
import Synchronization

/// A file of a simulated disk, opened.
final class SimulatedFile: OpenFile {
    private let disk: SimulatedDisk
    private let number: Int
    private let handle: Int
    private let path: String
    private let mode: StorageFile.Mode
    /// Of a file opened with `append`, not handed to the system yet: lost when it is closed.
    private let gathered = Mutex<[(offset: Int, bytes: [UInt8])]>([])

    private var isWritable: Bool { mode != .read }

    init(
        disk: SimulatedDisk, number: Int, handle: Int, path: String, mode: StorageFile.Mode
    ) {
        self.disk = disk
        self.number = number
        self.handle = handle
        self.path = path
        self.mode = mode
    }

    deinit { disk.close(number, handle: handle) }

    func sizeBytes() throws(StorageError) -> Int {
        try flush()
        return try disk.withState { state throws(StorageError) in
            try state.file(number, path, "examine").bytes.count
        }
    }

    func write(_ bytes: [UInt8], range: Range<Int>, at offset: Int) throws(StorageError) {
        guard isWritable else { throw .system(operation: "write", path: path, errno: EBADF) }
        if case .append = mode { return gather(Array(bytes[range]), at: offset) }
        try disk.withState { state throws(StorageError) in
            try state.write(number, path, bytes, range, at: offset)
        }
    }

    private func gather(_ bytes: [UInt8], at offset: Int) {
        gathered.withLock { gathered in
            if let last = gathered.last, last.offset + last.bytes.count == offset {
                gathered[gathered.count - 1].bytes += bytes
            } else {
                gathered.append((offset, bytes))
            }
        }
    }

    func flush() throws(StorageError) {
        let writes = gathered.withLock { gathered in
            defer { gathered = [] }
            return gathered
        }
        for (offset, bytes) in writes {
            try disk.withState { state throws(StorageError) in
                try state.write(number, path, bytes, 0..<bytes.count, at: offset)
            }
        }
    }

    func read(count: Int, at offset: Int) throws(StorageError) -> [UInt8] {
        try flush()
        return try disk.withState { state throws(StorageError) in
            try state.read(number, path, count: count, at: offset)
        }
    }

    func truncate(toBytes count: Int) throws(StorageError) {
        guard isWritable else { throw .system(operation: "truncate", path: path, errno: EINVAL) }
        try flush()
        try disk.withState { state throws(StorageError) in
            try state.truncate(number, path, toBytes: count)
        }
    }

    func sync() throws(StorageError) {
        try flush()
        try disk.withState { state throws(StorageError) in try state.sync(number, path) }
    }

    func lock() throws(StorageError) -> Bool {
        try disk.withState { state throws(StorageError) in
            try state.lock(number, path, handle: handle)
        }
    }
}
