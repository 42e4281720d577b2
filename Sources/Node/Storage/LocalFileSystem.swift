import CLinux
import Glibc

/// The file system of this machine. EINTR is repeated; every other error is thrown and the call never
/// repeated.
package struct LocalFileSystem: FileSystem {
    package init() {}

    package var processID: Int32 { getpid() }

    package func open(
        _ path: String, mode: StorageFile.Mode
    ) throws(StorageError) -> any OpenFile {
        let file = try LocalFile(path: path, mode: mode)
        guard case .append(let zerosBefore) = mode else { return file }
        return DirectFile(file, path: path, zerosBefore: zerosBefore) ?? file
    }

    package func exists(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0
    }

    package func createDirectory(_ path: String) throws(StorageError) {
        if mkdir(path, 0o750) != 0, errno != EEXIST {
            throw .system(operation: "create the directory", path: path, errno: errno)
        }
    }

    package func names(in directory: String) throws(StorageError) -> [String] {
        guard let stream = opendir(directory) else {
            throw .system(operation: "list", path: directory, errno: errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let item = readdir(stream) else {
                guard errno == 0 else {
                    throw .system(operation: "list", path: directory, errno: errno)
                }
                return names
            }
            let name = withUnsafeBytes(of: &item.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }

    package func rename(_ path: String, to target: String) throws(StorageError) {
        guard Glibc.rename(path, target) == 0 else {
            let name = target.split(separator: "/").last.map(String.init) ?? target
            throw .system(operation: "rename to \(name)", path: path, errno: errno)
        }
    }

    package func remove(_ path: String) throws(StorageError) {
        guard unlink(path) == 0 else {
            throw .system(operation: "remove", path: path, errno: errno)
        }
    }

    package func syncDirectory(_ path: String) throws(StorageError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(operation: "open", path: path, errno: errno) }
        defer { _ = Glibc.close(descriptor) }
        var result: Int32
        repeat {
            result = fsync(descriptor)
        } while result != 0 && errno == EINTR
        guard result == 0 else { throw .system(operation: "sync", path: path, errno: errno) }
    }
}
