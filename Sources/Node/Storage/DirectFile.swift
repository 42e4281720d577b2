import CLinux
import Glibc
import Synchronization

/// A file of this machine that is written mostly from front to back, past the page cache: what a log writes is not read again
/// before the next start, and in the cache it would take a copy, a fresh page for each 4 KiB, and the processor that the
/// system needs to find and write such pages.
///
/// What is written gathers in a buffer until that is full or `flush` is called, and leaves in whole blocks. The last block stays
/// in the buffer and is written again with what comes behind. Of a block whose rest is not known nothing but its own part may be
/// written: that goes through the page cache.
///
/// Crash cases are those of any file before `sync`: each sector of what was written may be missing. The sectors in front of it
/// that are written once more carry what they carried.
final class DirectFile: OpenFile {
    private struct State {
        var window: BlockWindow
        /// The file system does not take direct writes.
        var isRefused = false
        /// Not synced yet: what went directly, and what went through the page cache.
        var hasWrittenDirectly = false
        var hasWrittenAround = false
    }

    /// For what is read, and for what is no whole block.
    private let file: LocalFile
    private let path: String
    private let descriptor: Int32
    private let state: Mutex<State>

    /// nil: the file system has no such files.
    init?(_ file: LocalFile, path: String, zerosBefore: Int) {
        let opened = open(path, O_WRONLY | O_CLOEXEC | carillon_open_direct)
        guard opened >= 0 else { return nil }
        self.file = file
        self.path = path
        descriptor = opened
        state = Mutex(State(window: BlockWindow(buffer: .take(), zerosEnd: zerosBefore)))
    }

    deinit {
        _ = Glibc.close(descriptor)
        state.withLock { $0.window.buffer.giveBack() }
    }

    func write(_ bytes: [UInt8], range: Range<Int>, at offset: Int) throws(StorageError) {
        try state.withLock { state throws(StorageError) in
            if offset != state.window.end {
                try flush(&state)
                state.window.begin(at: offset)
            }
            try bytes.withUnsafeBufferPointer { all throws(StorageError) in
                var rest = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(all)[range])
                while true {
                    rest = UnsafeRawBufferPointer(rebasing: rest[state.window.take(rest)...])
                    if rest.isEmpty { break }
                    try flush(&state)
                }
            }
        }
    }

    func flush() throws(StorageError) {
        try state.withLock { state throws(StorageError) in try flush(&state) }
    }

    func sync() throws(StorageError) {
        try state.withLock { state throws(StorageError) in
            try flush(&state)
            // Through the descriptors that were written to: not every file system syncs the whole file by any of them.
            if state.hasWrittenDirectly { try syncDirectly() }
            if state.hasWrittenAround || !state.hasWrittenDirectly { try file.sync() }
            (state.hasWrittenDirectly, state.hasWrittenAround) = (false, false)
        }
    }

    func sizeBytes() throws(StorageError) -> Int {
        try flush()
        return try file.sizeBytes()
    }

    func read(count: Int, at offset: Int) throws(StorageError) -> [UInt8] {
        try flush()
        return try file.read(count: count, at: offset)
    }

    func truncate(toBytes count: Int) throws(StorageError) {
        try state.withLock { state throws(StorageError) in
            try flush(&state)
            state.window.forgetZeros()
            state.window.begin(at: count)
            state.hasWrittenAround = true
        }
        try file.truncate(toBytes: count)
    }

    func lock() throws(StorageError) -> Bool { try file.lock() }

    private func flush(_ state: inout State) throws(StorageError) {
        guard state.window.hasPending else { return }
        let (direct, around) = state.window.parts()
        for range in around {
            state.hasWrittenAround = true
            try file.write(state.window.bytes(range), at: range.lowerBound)
        }
        if !direct.isEmpty { try writeDirectly(direct, &state) }
        state.window.slide()
    }

    private func writeDirectly(_ range: Range<Int>, _ state: inout State) throws(StorageError) {
        var done = range.lowerBound
        while done < range.upperBound {
            let rest = state.window.bytes(done..<range.upperBound)
            guard !state.isRefused else {
                state.hasWrittenAround = true
                return try file.write(rest, at: done)
            }
            let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(done))
            if count > 0 {
                state.hasWrittenDirectly = true
                done += count
            } else if count < 0, errno == EINVAL || errno == EOPNOTSUPP {
                // Memory, offset or length do not suit this file system: it has looked at nothing else, and written nothing.
                state.isRefused = true
            } else if count == 0 || errno != EINTR {
                throw .system(operation: "write", path: path, errno: count == 0 ? EIO : errno)
            }
        }
    }

    /// As `LocalFile.sync`.
    private func syncDirectly() throws(StorageError) {
        var result: Int32
        repeat {
            result = fdatasync(descriptor)
        } while result != 0 && errno == EINTR
        guard result == 0 else { throw .system(operation: "sync", path: path, errno: errno) }
    }
}
