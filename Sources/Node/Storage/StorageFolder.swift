import CLinux
import Glibc

/// A directory whose changes are made durable one by one: creating, renaming or removing a file is on
/// disk only when the directory itself has been synced.
struct StorageFolder: Sendable {
    let path: String

    func path(of name: String) -> String { path + "/" + name }

    /// Creates the directory and every missing parent; each is durable in its parent before this returns.
    func create() throws(StorageError) {
        var missing: [String] = []
        var candidate = path
        while !candidate.isEmpty, candidate != "/", !Self.exists(candidate) {
            missing.append(candidate)
            candidate = Self.parent(of: candidate)
        }
        for directory in missing.reversed() {
            if mkdir(directory, 0o750) != 0, errno != EEXIST {
                throw .system(operation: "create the directory", path: directory, errno: errno)
            }
            try StorageFolder(path: Self.parent(of: directory)).sync()
        }
    }

    /// The names of all files, sorted.
    func names() throws(StorageError) -> [String] {
        guard let stream = opendir(path) else {
            throw .system(operation: "list", path: path, errno: errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let item = readdir(stream) else {
                guard errno == 0 else {
                    throw .system(operation: "list", path: path, errno: errno)
                }
                break
            }
            let name = withUnsafeBytes(of: &item.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Replaces `target` if it exists. Durable only after `sync`.
    func rename(_ name: String, to target: String) throws(StorageError) {
        guard Glibc.rename(path(of: name), path(of: target)) == 0 else {
            throw .system(operation: "rename to \(target)", path: path(of: name), errno: errno)
        }
    }

    /// Durable only after `sync`.
    func remove(_ name: String) throws(StorageError) {
        guard unlink(path(of: name)) == 0 else {
            throw .system(operation: "remove", path: path(of: name), errno: errno)
        }
    }

    func sync() throws(StorageError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(operation: "open", path: path, errno: errno) }
        defer { _ = Glibc.close(descriptor) }
        var result: Int32
        repeat {
            result = fsync(descriptor)
        } while result != 0 && errno == EINTR
        guard result == 0 else { throw .system(operation: "sync", path: path, errno: errno) }
    }

    /// Writes a whole small file so that after a crash either the old or the new one is there.
    func replace(_ name: String, with bytes: [UInt8]) throws(StorageError) {
        let temporary = name + Self.temporarySuffix
        let file = try StorageFile(path: path(of: temporary), mode: .replace)
        try file.write(bytes, at: 0)
        try file.sync()
        try rename(temporary, to: name)
        try sync()
    }

    static let temporarySuffix = ".new"

    private static func exists(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
