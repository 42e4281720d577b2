/// How far a bulk submission is, for whoever waits at a terminal.
struct ProgressBar {
    private static let width = 30

    private let totalBytes: Int64?
    private let startMilliseconds: Int64
    private var line: TransientLine

    init(console: Console, totalBytes: Int64?) {
        self.totalBytes = totalBytes
        startMilliseconds = SystemClock.monotonicMilliseconds()
        line = TransientLine(console: console)
    }

    /// - Parameter waitsFor: Why nothing is sent at the moment, in a word.
    mutating func show(accepted: Int, refused: Int, doneBytes: Int64, waitsFor: String? = nil) {
        line.show { [totalBytes, startMilliseconds] now in
            Self.line(
                accepted: accepted, refused: refused, doneBytes: doneBytes, totalBytes: totalBytes,
                elapsedMilliseconds: now - startMilliseconds)
                + (waitsFor.map { "  waits (\($0))" } ?? "")
        }
    }

    mutating func finish() { line.finish() }

    static func line(
        accepted: Int, refused: Int, doneBytes: Int64, totalBytes: Int64?,
        elapsedMilliseconds: Int64
    ) -> String {
        var line = ""
        if let totalBytes, totalBytes > 0 {
            line += bar(done: min(doneBytes, totalBytes), of: totalBytes) + "  "
        }
        let rate = Int64(accepted) * 1000 / max(1, elapsedMilliseconds)
        line += "\(accepted) accepted  \(rate)/s"
        if refused > 0 { line += "  \(refused) refused" }
        return line
    }

    static func bar(done: Int64, of total: Int64) -> String {
        let filled = Int(done * Int64(width) / total)
        return "[" + String(repeating: "#", count: filled)
            + String(repeating: "-", count: width - filled) + "] \(done * 100 / total)%"
    }
}
