import Glibc

/// Why storage can't go on. None of these is retried: after a failed write or sync nobody knows what the
/// disk holds, so the node stops and says what its operator has to do.
public enum StorageError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A system call failed.
    case system(operation: String, path: String, errno: Int32)
    /// Another process holds the data directory; its process id if the lock file names it.
    case inUse(path: String, processID: Int32?)
    /// The data directory belongs to another cluster or node.
    case foreign(path: String, found: String, expected: String)
    case unsupportedVersion(path: String, found: String, supported: String)
    /// Bytes that were once durable are not what they were. `offset` counts from the file's beginning.
    case corrupt(path: String, offset: UInt64, problem: String)
    /// What should be on the disk is gone.
    case missing(path: String, problem: String)
    case tooLarge(what: String, bytes: UInt64, maxBytes: UInt64)
    case invalidName(what: String, name: String)
    /// There is something where nothing may be.
    case occupied(path: String, names: [String])

    /// A thread that did not start.
    init(_ error: IOError) {
        self = .system(operation: error.operation, path: error.subject, errno: error.code)
    }

    public var description: String {
        switch self {
        case .system(_, _, let errno):
            "\(finding); \(Self.advice(errno))"
        case .inUse(let path, let processID):
            "\(path) is in use by "
                + (processID.map { "process \($0)" } ?? "another process")
                + "; stop it first, or give this node a directory of its own"
        case .foreign(let path, let found, let expected):
            "\(path) belongs to \(found), but this process is to be \(expected); "
                + "correct the configuration, or give this node an empty directory"
        case .unsupportedVersion(let path, let found, let supported):
            "\(path) has format version \(found), this program reads \(supported); "
                + "run the version that wrote it, or a newer one"
        case .corrupt(let path, let offset, let problem):
            "\(path) is damaged at byte \(offset): \(problem); \(Self.replaceNode)"
        case .missing(let path, let problem):
            "\(path): \(problem); \(Self.replaceNode)"
        case .tooLarge(let what, let bytes, let maxBytes):
            "\(what) takes \(bytes) bytes, the limit is \(maxBytes)"
        case .invalidName(let what, let name):
            "\(what) \(name.debugDescription) can't be stored: it must not be empty, begin with a dot "
                + "or hold a slash or a control character"
        case .occupied(let path, let names):
            "\(path) is not empty: it holds \(names.sorted().prefix(8).joined(separator: ", ")); nothing was changed. "
                + "Move it away if what it holds is not needed any more"
        }
    }

    /// The files can be read, but what they hold is not good.
    var isAboutContent: Bool {
        switch self {
        case .corrupt, .missing, .unsupportedVersion, .foreign: true
        case .system, .inUse, .tooLarge, .invalidName, .occupied: false
        }
    }

    /// The disk can't hand out what it was given.
    var isReadFailure: Bool {
        if case .system("read", _, EIO) = self { true } else { false }
    }

    /// Something that was durable is not there any more, or not as it was.
    var isDamage: Bool {
        if case .corrupt = self { true } else { isReadFailure }
    }

    /// What was found, without advice about a node: for damage that does not stop one, and for commands that are none.
    var finding: String {
        switch self {
        case .system(let operation, let path, let errno):
            "can't \(operation) \(path): \(Self.text(errno)) (errno \(errno))"
        case .corrupt(let path, let offset, let problem): "\(path) at byte \(offset): \(problem)"
        case .missing(let path, let problem): "\(path): \(problem)"
        default: description
        }
    }

    /// A node that forgets what it acknowledged must not vote again under its old directory's number.
    private static let replaceNode =
        "nothing was changed; if the cause can't be mended, \(otherDirectory)"

    private static let otherDirectory =
        "remove this node from the cluster (carillon cluster remove), move its directory away and start it again "
        + "with --join: the other nodes have the data"

    private static func text(_ errno: Int32) -> String {
        strerror(errno).map { String(cString: $0) } ?? "unknown error"
    }

    private static func advice(_ errno: Int32) -> String {
        switch errno {
        case ENOSPC, EDQUOT: "free some space and start the node again"
        case EACCES, EPERM, EROFS: "give the node's user the right to write there"
        case EMFILE, ENFILE: "raise the limit of open files"
        case EIO:
            "the disk fails: check it before the node is started again; if it can't be mended, \(otherDirectory)"
        case ENOENT, ENOTDIR: "check the path"
        default: "correct the cause and start the node again"
        }
    }
}
