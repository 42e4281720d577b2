import Glibc

/// Where a command writes, and what it may assume about who reads it.
///
/// Unsafe code: `write` and `ioctl` are handed the address of a buffer that outlives the call.
final class Console {
    /// Tables, colours and the progress bar are for people.
    let isOutputTerminal: Bool
    let isErrorTerminal: Bool
    let hasColour: Bool
    /// Columns of the terminal; a table wider than this is cut.
    let columns: Int
    private let isCaptured: Bool
    /// What was written, when captured by a test.
    private(set) var output = ""
    private(set) var errors = ""

    private static let defaultColumns = 100

    /// Standard output and standard error of the process.
    init() {
        isOutputTerminal = isatty(STDOUT_FILENO) == 1
        isErrorTerminal = isatty(STDERR_FILENO) == 1
        // https://no-color.org: any value that is not empty.
        let isColourRefused =
            !(Environment.value("NO_COLOR") ?? "").isEmpty || Environment.value("TERM") == "dumb"
        hasColour = isOutputTerminal && !isColourRefused
        var size = winsize()
        let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        columns = isKnown ? Int(size.ws_col) : Self.defaultColumns
        isCaptured = false
    }

    /// Keeps what is written, for tests.
    init(capturingAsTerminal isTerminal: Bool, columns: Int = 100, hasColour: Bool = false) {
        isOutputTerminal = isTerminal
        isErrorTerminal = isTerminal
        self.hasColour = hasColour
        self.columns = columns
        isCaptured = true
    }

    func print(_ line: String) {
        write(line + "\n")
    }

    func write(_ text: String) {
        if isCaptured { output += text } else { Self.write(Array(text.utf8), to: STDOUT_FILENO) }
    }

    func write(_ bytes: [UInt8]) {
        if isCaptured {
            output += String(decoding: bytes, as: UTF8.self)
        } else {
            Self.write(bytes, to: STDOUT_FILENO)
        }
    }

    func printError(_ line: String) {
        writeError(line + "\n")
    }

    func writeError(_ text: String) {
        if isCaptured { errors += text } else { Self.write(Array(text.utf8), to: STDERR_FILENO) }
    }

    /// A reader who went away ends the process by SIGPIPE; on any other error there is nobody left to tell.
    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Glibc.write(
                    descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    return
                }
                rest = rest.dropFirst(count)
            }
        }
    }
}
