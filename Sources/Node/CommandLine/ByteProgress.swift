/// How far a transfer is: one line on a terminal's standard error that is overwritten; nothing anywhere else.
struct ByteProgress {
    private let console: Console
    private let totalBytes: Int
    private var shownMilliseconds: Int64 = 0
    private var isShown = false

    private static let leastGapMilliseconds: Int64 = 100

    init(console: Console, totalBytes: Int) {
        self.console = console
        self.totalBytes = totalBytes
    }

    mutating func show(_ doneBytes: Int) {
        let now = SystemClock.monotonicMilliseconds()
        guard console.isErrorTerminal, now - shownMilliseconds >= Self.leastGapMilliseconds else {
            return
        }
        shownMilliseconds = now
        isShown = true
        console.writeError(
            "\r\u{1B}[K\(doneBytes >> 20) of \(totalBytes >> 20) MiB, \(doneBytes * 100 / totalBytes)%"
        )
    }

    /// Clears the line, so that what follows starts on an empty one.
    mutating func finish() {
        if isShown { console.writeError("\r\u{1B}[K") }
        isShown = false
    }
}
