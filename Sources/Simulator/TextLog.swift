import Raft

/// What happened, for whoever replays one seed; silent unless asked for.
struct TextLog {
    let isVerbose: Bool

    func write(_ time: Nanoseconds, _ text: @autoclosure () -> String) {
        guard isVerbose else { return }
        let milliseconds = time / 1_000_000
        print(
            "\(milliseconds / 1_000).\(String(milliseconds % 1_000 + 1_000).dropFirst()) \(text())")
    }
}
