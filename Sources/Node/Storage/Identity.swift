import Scheduler

/// Whose data a directory holds. Kept in the file `identity`, text, so that an operator can read it:
///
///     carillon-data 1
///     cluster demo
///     node n1
///     directory 5c0e31a99b7d4f12
///     incarnation 7
///     log created
///     checksum 0f3c9a71
///
/// The number in the first line is the format version of the whole directory. `directory` is drawn at random when
/// the directory is made: with another one, the node is another member to Raft (`NodeID`), so that a node whose
/// disk was lost can't break the promises it has forgotten. `incarnation` counts the starts. `checksum` is the CRC32C,
/// in hex, of everything before its line. `log` is `created` once the first segment is durable, so that
/// a log that vanished later is told from one that was never there.
///
/// Crash cases: the file is replaced as a whole (temporary file, sync, rename, sync of the directory), so
/// the old or the new one is found; a left-over temporary file is removed by the next opening.
struct Identity: Equatable, Sendable {
    static let formatVersion: UInt32 = 1

    var cluster: String
    var node: String
    /// Never 0.
    var directory: UInt64
    /// Rises with each opening. Directories of earlier versions began at the wall clock in milliseconds.
    var starts: UInt64
    var hasLog: Bool

    /// Of the newest start. No two runs of a node have the same, in whatever directory.
    var incarnation: UInt64 { Incarnation.number(directory: directory, start: starts) }

    func encoded() -> [UInt8] {
        let text = """
            carillon-data \(Self.formatVersion)
            cluster \(cluster)
            node \(node)
            directory \(String(directory, radix: 16))
            incarnation \(starts)
            log \(hasLog ? "created" : "none")

            """
        let checksum = ChecksumText.text(CRC32C.checksum(Array(text.utf8)))
        return Array((text + "checksum \(checksum)\n").utf8)
    }

    /// Throws `unsupportedVersion` for a version that is not ours, `corrupt` for anything else.
    init(decoding bytes: [UInt8], path: String) throws(StorageError) {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .corrupt(path: path, offset: 0, problem: "the identity is not text")
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        func value(_ line: Int, _ name: String) throws(StorageError) -> Substring {
            guard line < lines.count, lines[line].hasPrefix(name + " ") else {
                throw .corrupt(
                    path: path, offset: 0, problem: "line \(line + 1) is not \"\(name) …\"")
            }
            return lines[line].dropFirst(name.count + 1)
        }
        let version = try value(0, "carillon-data")
        guard version == "\(Self.formatVersion)" else {
            throw .unsupportedVersion(
                path: path, found: String(version), supported: "\(Self.formatVersion)")
        }
        cluster = String(try value(1, "cluster"))
        node = String(try value(2, "node"))
        let directoryText = try value(3, "directory")
        guard let directory = UInt64(directoryText, radix: 16), directory != 0 else {
            throw .corrupt(
                path: path, offset: 0, problem: "directory \(directoryText) is no number")
        }
        self.directory = directory
        let number = try value(4, "incarnation")
        guard let parsed = UInt64(number) else {
            throw .corrupt(path: path, offset: 0, problem: "incarnation \(number) is no number")
        }
        starts = parsed
        hasLog = try value(5, "log") == "created"
        // Comparing all bytes checks the checksum, the spelling and the end in one go.
        guard bytes == encoded() else {
            throw .corrupt(path: path, offset: 0, problem: "the identity's checksum does not match")
        }
    }

    init(cluster: String, node: String, directory: UInt64, starts: UInt64, hasLog: Bool) {
        precondition(directory != 0)
        self.cluster = cluster
        self.node = node
        self.directory = directory
        self.starts = starts
        self.hasLog = hasLog
    }
}
