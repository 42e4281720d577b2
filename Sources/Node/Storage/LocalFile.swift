import CLinux
import Glibc

/// A file of this machine. Short transfers are continued.
final class LocalFile: OpenFile {
    private let path: String
    private let descriptor: Int32

    init(path: String, mode: StorageFile.Mode) throws(StorageError) {
        let flags: Int32 =
            switch mode {
            case .read: O_RDONLY
            case .readWrite, .append: O_RDWR
            case .create, .createPrivate: O_RDWR | O_CREAT | O_EXCL
            case .openOrCreate: O_RDWR | O_CREAT
            case .replace: O_RDWR | O_CREAT | O_TRUNC
            }
        var opened: Int32
        repeat {
            opened = open(path, flags | O_CLOEXEC, mode == .createPrivate ? 0o600 : 0o640)
        } while opened < 0 && errno == EINTR
        guard opened >= 0 else { throw .system(operation: "open", path: path, errno: errno) }
        self.path = path
        descriptor = opened
    }

    deinit {
        // Whatever had to be durable was synced before; a failing close loses nothing.
        _ = Glibc.close(descriptor)
    }

    func sizeBytes() throws(StorageError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("examine") }
        return Int(status.st_size)
    }

    func write(_ bytes: [UInt8], range: Range<Int>, at offset: Int) throws(StorageError) {
        try bytes.withUnsafeBufferPointer { buffer throws(StorageError) in
            try write(
                UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[range]), at: offset)
        }
    }

    func read(count: Int, at offset: Int) throws(StorageError) -> [UInt8] {
        var failed: StorageError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            do throws(StorageError) {
                done = try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
            } catch {
                failed = error
            }
        }
        if let failed { throw failed }
        return bytes
    }

    func truncate(toBytes count: Int) throws(StorageError) {
        var result: Int32
        repeat {
            result = ftruncate(descriptor, off_t(count))
        } while result != 0 && errno == EINTR
        guard result == 0 else { throw failure("truncate") }
    }

    /// fdatasync. EINTR means that the wait was broken off, not that anything failed, so waiting again is
    /// no retry.
    func sync() throws(StorageError) {
        var result: Int32
        repeat {
            result = fdatasync(descriptor)
        } while result != 0 && errno == EINTR
        guard result == 0 else { throw failure("sync") }
    }

    /// Held by another process for a moment only: a command that a former process of the node was starting as it died
    /// has its descriptors, and with them its locks, until the command's own program takes its place.
    private static let lockAttempts = 20
    private static let lockPauseMicroseconds: UInt32 = 10_000

    func lock() throws(StorageError) -> Bool {
        for _ in 0..<Self.lockAttempts {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
            guard errno == EWOULDBLOCK || errno == EINTR else { throw failure("lock") }
            usleep(Self.lockPauseMicroseconds)
        }
        return false
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(StorageError) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
            if count > 0 {
                done += count
            } else if count == 0 {
                throw .system(operation: "write", path: path, errno: EIO)
            } else if errno != EINTR {
                throw failure("write")
            }
        }
    }

    /// Fills `buffer` up to the end of the file and returns how many bytes there were.
    private func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int
    ) throws(StorageError) -> Int {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
            if count > 0 {
                done += count
            } else if count == 0 {
                break
            } else if errno != EINTR {
                throw failure("read")
            }
        }
        return done
    }

    private func failure(_ operation: String) -> StorageError {
        .system(operation: operation, path: path, errno: errno)
    }
}
