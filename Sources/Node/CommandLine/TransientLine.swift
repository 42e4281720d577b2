/// One line on a terminal's standard error that is overwritten; nothing anywhere else.
struct TransientLine {
    private static let leastGapMilliseconds: Int64 = 100

    private let console: Console
    private var shownMilliseconds: Int64 = 0
    private var isShown = false

    init(console: Console) { self.console = console }

    /// Asks for the text only if it is shown: not on anything but a terminal, and not more often than anybody can read.
    mutating func show(_ text: (_ nowMilliseconds: Int64) -> String) {
        let now = SystemClock.monotonicMilliseconds()
        guard console.isErrorTerminal, now - shownMilliseconds >= Self.leastGapMilliseconds else {
            return
        }
        shownMilliseconds = now
        isShown = true
        console.writeError("\r\u{1B}[K" + text(now))
    }

    /// Clears the line, so that what follows starts on an empty one.
    mutating func finish() {
        if isShown { console.writeError("\r\u{1B}[K") }
        isShown = false
    }
}
