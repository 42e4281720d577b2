import Glibc

/// A system call that failed: which, on what, and why in words a user can act upon.
struct IOError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The call, such as "bind".
    var operation: String
    /// The `errno` it left, or 0 if the failure is not the system's.
    var code: Int32
    /// What it was done to, such as "127.0.0.1:7101".
    var subject: String
    /// Why, in words.
    var reason: String

    /// Reads nothing global: the caller hands over `errno` at once, before anything can change it.
    init(_ operation: String, code: Int32, subject: String = "") {
        self.operation = operation
        self.code = code
        self.subject = subject
        self.reason = IOError.reason(operation: operation, code: code, subject: subject)
    }

    /// A failure that has no `errno`, such as a name that does not resolve.
    init(_ operation: String, subject: String, reason: String) {
        self.operation = operation
        self.code = 0
        self.subject = subject
        self.reason = reason
    }

    var description: String {
        subject.isEmpty ? "\(operation): \(reason)" : "\(operation) \(subject): \(reason)"
    }

    private static func reason(operation: String, code: Int32, subject: String) -> String {
        switch code {
        case EADDRINUSE:
            return "address already in use: another process listens on \(subject)"
        case EADDRNOTAVAIL where operation == "bind":
            return "this machine has no such address"
        case EACCES where operation == "bind":
            return "not permitted: ports below 1024 need a privilege"
        case EMFILE:
            return "this process has too many open files (see ulimit -n)"
        case ENFILE:
            return "this machine has too many open files"
        default:
            // Thread-safe in glibc since 2.32; older ones only share a buffer for unknown codes.
            return String(cString: strerror(code))
        }
    }
}
