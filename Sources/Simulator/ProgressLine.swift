import Glibc

/// Where a campaign stands, on standard error: one line that is written over on a terminal, one a while elsewhere.
struct ProgressLine {
    private let began: Double
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var shownAt: Double
    private var isShown = false

    init(began: Double) {
        self.began = began
        shownAt = began
    }

    private var interval: Double { isTerminal ? 1 : 30 }

    mutating func show(_ result: Fleet.Result) {
        let now = Campaign.seconds()
        guard now - shownAt >= interval else { return }
        shownAt = now
        isShown = true
        let total = result.total
        let text =
            "\(total.seeds) seeds, \(total.virtualHours) virtual hours, \(total.speed(wallSeconds: now - began))x life, "
            + "\(total.faults.total) faults, \(result.broken == nil ? 0 : 1) violations"
        StandardOutput.writeError(isTerminal ? "\r\u{1B}[K\(text)" : text + "\n")
    }

    func clear() {
        if isShown, isTerminal { StandardOutput.writeError("\r\u{1B}[K") }
    }
}
