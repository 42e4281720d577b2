/// One line on a terminal's standard error that is overwritten; nothing anywhere else.
struct ProgressBar {
    private let console: Console
    private let totalBytes: Int64?
    private let startMilliseconds: Int64
    private var shownMilliseconds: Int64 = 0
    private var isShown = false

    private static let width = 30
    private static let leastGapMilliseconds: Int64 = 100

    init(console: Console, totalBytes: Int64?) {
        self.console = console
        self.totalBytes = totalBytes
        startMilliseconds = SystemClock.monotonicMilliseconds()
    }

    mutating func show(accepted: Int, refused: Int, doneBytes: Int64) {
        let now = SystemClock.monotonicMilliseconds()
        guard console.isErrorTerminal, now - shownMilliseconds >= Self.leastGapMilliseconds else {
            return
        }
        shownMilliseconds = now
        isShown = true
        console.writeError(
            "\r\u{1B}[K"
                + Self.line(
                    accepted: accepted, refused: refused, doneBytes: doneBytes,
                    totalBytes: totalBytes, elapsedMilliseconds: now - startMilliseconds))
    }

    /// Clears the line, so that what follows starts on an empty one.
    mutating func finish() {
        if isShown { console.writeError("\r\u{1B}[K") }
        isShown = false
    }

    static func line(
        accepted: Int, refused: Int, doneBytes: Int64, totalBytes: Int64?,
        elapsedMilliseconds: Int64
    ) -> String {
        var line = ""
        if let totalBytes, totalBytes > 0 {
            let filled = Int(min(doneBytes, totalBytes) * Int64(width) / totalBytes)
            let percent = min(doneBytes, totalBytes) * 100 / totalBytes
            line += "[" + String(repeating: "#", count: filled)
            line += String(repeating: "-", count: width - filled) + "] \(percent)%  "
        }
        let rate = Int64(accepted) * 1000 / max(1, elapsedMilliseconds)
        line += "\(accepted) accepted  \(rate)/s"
        if refused > 0 { line += "  \(refused) refused" }
        return line
    }
}
