/// How far a transfer is, for whoever waits at a terminal.
struct ByteProgress {
    private let totalBytes: Int
    private var line: TransientLine

    init(console: Console, totalBytes: Int) {
        self.totalBytes = totalBytes
        line = TransientLine(console: console)
    }

    mutating func show(_ doneBytes: Int) {
        line.show { [totalBytes] _ in
            "\(doneBytes >> 20) of \(totalBytes >> 20) MiB, \(doneBytes * 100 / totalBytes)%"
        }
    }

    mutating func finish() { line.finish() }
}
