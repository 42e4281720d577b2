import Glibc

/// Written at once, without a buffer: what was told is there even if the process traps right after.
enum StandardOutput {
    static func write(_ text: String) { write(text, to: STDOUT_FILENO) }

    static func writeError(_ text: String) { write(text, to: STDERR_FILENO) }

    /// A reader that has gone away ends the process: there is nobody left to work for.
    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { exit(1) }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }
}
