import Glibc

extension ClusterConfiguration {
    /// Reads and checks a configuration file.
    ///
    /// - Parameter environment: Variables that begin with `CARILLON_` take the place of settings, see
    ///   `EnvironmentOverrides`.
    /// - Throws: everything that is wrong, with its place. A text that is not JSON has line and column.
    static func load(
        path: String, environment: [String: String]
    ) throws(ConfigurationError) -> ClusterConfiguration {
        let bytes = try read(path)
        let document: JSONDocument
        do {
            document = try JSONDocument(bytes)
        } catch {
            let (line, column) = position(of: error.offset, in: bytes)
            throw failure(path, "line \(line), column \(column): not JSON: \(error.reason)")
        }
        do {
            return try ConfigurationReader.read(document, environment: environment)
        } catch {
            throw ConfigurationError(path: path, problems: error.all)
        }
    }

    /// Counted from 1; the column in bytes.
    static func position(of offset: Int, in bytes: [UInt8]) -> (line: Int, column: Int) {
        let before = bytes.prefix(offset)
        let line = before.count { $0 == 0x0A } + 1
        let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return (line, before.count - start + 1)
    }

    private static func failure(_ path: String, _ detail: String) -> ConfigurationError {
        ConfigurationError(path: path, problems: [JSONProblem(pointer: "", detail: detail)])
    }

    private static func read(_ path: String) throws(ConfigurationError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code = errno
            throw failure(
                path,
                code == ENOENT
                    ? "there is no such file"
                    : "can't be opened: \(String(cString: strerror(code)))"
            )
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw failure(path, "can't be read: \(String(cString: strerror(errno)))")
            }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= maxFileBytes else {
                throw failure(path, "is longer than \(maxFileBytes) bytes")
            }
        }
    }
}
