import Glibc

/// A file that the user names, or standard input for `-`.
///
/// Unsafe code: `read` is handed a buffer that outlives the call.
final class InputFile {
    let name: String
    private let descriptor: Int32
    private var received: [UInt8] = []
    private var position = 0
    private var isAtEnd = false
    /// Bytes that the lines read so far took.
    private(set) var consumedBytes: Int64 = 0

    private static let readBytes = 64 << 10
    static let maxLineBytes = 4 << 20

    init(_ path: String) throws(CommandFailure) {
        name = path == "-" ? "standard input" : path
        guard path != "-" else {
            descriptor = STDIN_FILENO
            return
        }
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .failed("cannot read \(path): \(String(cString: strerror(errno)).lowercased())")
        }
    }

    deinit {
        if descriptor != STDIN_FILENO { close(descriptor) }
    }

    /// The size of a regular file; nil for a pipe.
    var sizeBytes: Int64? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return nil
        }
        return Int64(status.st_size)
    }

    /// All of it.
    static func contents(of path: String, maxBytes: Int) throws(CommandFailure) -> [UInt8] {
        let file = try InputFile(path)
        while try file.readMore() {
            guard file.received.count <= maxBytes else {
                throw .failed("\(file.name) is longer than \(maxBytes) bytes")
            }
        }
        return file.received
    }

    /// The next line without its end; nil after the last one.
    func nextLine() throws(CommandFailure) -> [UInt8]? {
        var searched = position
        while true {
            if let end = received[searched...].firstIndex(of: 0x0A) {
                return take(through: end + 1, lineEnd: end)
            }
            guard received.count - position <= Self.maxLineBytes else {
                throw .failed("\(name) has a line longer than \(Self.maxLineBytes) bytes")
            }
            let unreadBytes = received.count - position
            if try !readMore() {
                guard unreadBytes > 0 else { return nil }
                return take(through: received.count, lineEnd: received.count)
            }
            // Reading dropped what stood before `position`.
            searched = position + unreadBytes
        }
    }

    private func take(through end: Int, lineEnd: Int) -> [UInt8] {
        var line = received[position..<lineEnd]
        if line.last == 0x0D { line = line.dropLast() }
        consumedBytes += Int64(end - position)
        position = end
        return Array(line)
    }

    private func readMore() throws(CommandFailure) -> Bool {
        guard !isAtEnd else { return false }
        if position > 0 {
            received.removeFirst(position)
            position = 0
        }
        while true {
            var count = 0
            let part = [UInt8](unsafeUninitializedCapacity: Self.readBytes) { buffer, filled in
                count = read(descriptor, buffer.baseAddress, buffer.count)
                filled = max(0, count)
            }
            if count > 0 {
                received += part
                return true
            }
            if count == 0 {
                isAtEnd = true
                return false
            }
            guard errno == EINTR else {
                throw .failed(
                    "cannot read \(name): \(String(cString: strerror(errno)).lowercased())")
            }
        }
    }
}
