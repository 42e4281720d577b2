import Glibc

/// A directory whose changes are made durable one by one: creating, renaming or removing a file is on
/// disk only when the directory itself has been synced.
package struct StorageFolder: Sendable {
    let path: String
    let system: any FileSystem

    package init(path: String, system: any FileSystem = LocalFileSystem()) {
        self.path = path
        self.system = system
    }

    func path(of name: String) -> String { path + "/" + name }

    func folder(_ name: String) -> StorageFolder {
        StorageFolder(path: path(of: name), system: system)
    }

    func open(_ name: String, mode: StorageFile.Mode) throws(StorageError) -> StorageFile {
        try StorageFile(path: path(of: name), mode: mode, system: system)
    }

    /// Creates the directory and every missing parent; each is durable in its parent before this returns. So is the
    /// deepest one that was there already: an earlier attempt may have ended between making it and syncing its name,
    /// and with the name a loss of power would take everything that was made durable below it.
    func create() throws(StorageError) {
        var missing: [String] = []
        var candidate = path
        while !candidate.isEmpty, candidate != "/", candidate != ".", !system.exists(candidate) {
            missing.append(candidate)
            candidate = Self.parent(of: candidate)
        }
        if !candidate.isEmpty, candidate != "/", candidate != "." {
            try syncIfOurs(Self.parent(of: candidate))
        }
        for directory in missing.reversed() {
            try system.createDirectory(directory)
            try system.syncDirectory(Self.parent(of: directory))
        }
    }

    /// Who may not read a directory, or finds nothing in it that could be synced, has made nothing there: the node's
    /// parent was made for it by somebody else.
    private func syncIfOurs(_ parent: String) throws(StorageError) {
        do throws(StorageError) {
            try system.syncDirectory(parent)
        } catch {
            guard case .system(_, _, let number) = error,
                [EACCES, EPERM, EROFS, EINVAL].contains(number)
            else { throw error }
        }
    }

    /// The names of all files, sorted.
    func names() throws(StorageError) -> [String] {
        try system.names(in: path).sorted()
    }

    /// Replaces `target` if it exists. Durable only after `sync`.
    func rename(_ name: String, to target: String) throws(StorageError) {
        try system.rename(path(of: name), to: path(of: target))
    }

    /// Durable only after `sync`.
    func remove(_ name: String) throws(StorageError) {
        try system.remove(path(of: name))
    }

    func sync() throws(StorageError) {
        try system.syncDirectory(path)
    }

    /// Writes a whole small file so that after a crash either the old or the new one is there.
    func replace(_ name: String, with bytes: [UInt8]) throws(StorageError) {
        let temporary = name + Self.temporarySuffix
        let file = try open(temporary, mode: .replace)
        try file.write(bytes, at: 0)
        try file.sync()
        try rename(temporary, to: name)
        try sync()
    }

    static let temporarySuffix = ".new"

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
