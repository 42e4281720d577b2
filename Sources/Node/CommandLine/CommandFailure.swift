/// Why a command ends without having done its work: what the user reads, and the exit status.
struct CommandFailure: Error, Equatable, Sendable {
    /// 1: refused or failed; 2: wrong usage.
    let exitStatus: Int32
    /// Without the program's name and without a final newline; may have further, indented lines.
    let message: String

    static func failed(_ message: String) -> CommandFailure {
        CommandFailure(exitStatus: 1, message: message)
    }

    static func usage(_ message: String) -> CommandFailure {
        CommandFailure(exitStatus: 2, message: message)
    }
}
