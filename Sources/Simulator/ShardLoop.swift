/// The life of a shard: one line of standard input is one seed, "run 7", or "tell 7" for one whose events the
/// parent wants to hear.
struct ShardLoop {
    let options: Options

    func run() {
        while let line = readLine() {
            let words = line.split(separator: " ")
            guard words.count == 2, let seed = UInt64(words[1]) else { return }
            let listener: TextLog.Listener = words[0] == "tell" ? .parent : .nobody
            let reply: ShardReply
            switch SeedRun(seed: seed, options: options).run(listener) {
            case .held(let report): reply = .done(report.words)
            case .broken(let broken): reply = .broken(broken)
            }
            StandardOutput.write(reply.line + "\n")
        }
    }
}
