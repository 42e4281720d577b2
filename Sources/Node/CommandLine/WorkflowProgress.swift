/// Follows a workflow to its end, with a bar on a terminal.
struct WorkflowProgress {
    private static let pollMilliseconds: Int64 = 500

    private let client: ClusterClient
    private var line: TransientLine

    init(_ invocation: Invocation) throws(CommandFailure) {
        client = try invocation.client()
        line = TransientLine(console: invocation.console)
    }

    /// The workflow when all of its tasks have ended; nil if the time is over first. No time: for ever.
    mutating func follow(
        _ path: String, timeoutMilliseconds: Int64?
    ) throws(CommandFailure) -> JSONValue? {
        let start = SystemClock.monotonicMilliseconds()
        defer { line.finish() }
        while true {
            var gapMilliseconds = Self.pollMilliseconds
            let response = try client.send(.get(path))
            switch response.status {
            case 200...299:
                let workflow = try ClusterClient.json(response)
                guard workflow["state"]?.string == "running" else { return workflow }
                line.show { _ in Self.text(workflow) }
            // Too busy or without a leader: it goes on all the same.
            case 429, 503: gapMilliseconds = 1000 * min(response.retryAfterSeconds ?? 1, 30)
            default: throw ProblemText.failure(response)
            }
            if let timeoutMilliseconds {
                let rest = timeoutMilliseconds - (SystemClock.monotonicMilliseconds() - start)
                guard rest > 0 else { return nil }
                gapMilliseconds = min(gapMilliseconds, rest)
            }
            Pause.take(milliseconds: gapMilliseconds)
        }
    }

    /// As `[######----] 20%  1 of 5 tasks have ended`.
    static func text(_ workflow: JSONValue) -> String {
        let total = workflow["total"]?.integer ?? 0
        let progress = workflow["progress"]?.integer ?? 0
        return ProgressBar.bar(done: min(max(progress, 0), 100), of: 100)
            + "  \(endedCount(workflow)) of \(total) tasks have ended"
    }

    private static func endedCount(_ workflow: JSONValue) -> Int64 {
        let going = ["scheduled", "blocked", "ready", "running"]
        return (workflow["counts"]?.members ?? []).reduce(0) { sum, member in
            going.contains(member.name) ? sum : sum + (member.value.integer ?? 0)
        }
    }
}
