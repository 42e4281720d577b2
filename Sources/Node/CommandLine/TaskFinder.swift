/// Waits for tasks to reach a final state, and tells how they ended.
enum TaskFinder {
    static func path(_ id: String) -> String { "/v1/tasks/" + PercentEncoding.encode(id) }

    static let finalStates = ["succeeded", "dead", "cancelled", "expired"]

    /// One request waits at most this long, so that a node that dies is noticed.
    private static let roundMilliseconds: Int64 = 20_000
    /// So often somebody at a terminal is told how far it is.
    private static let shownRoundMilliseconds: Int64 = 1_000

    /// The task in its final state; nil if the time is over first. No time: for ever. On a terminal a line tells how far
    /// it is meanwhile.
    static func awaitFinal(
        _ id: String, timeoutMilliseconds: Int64?, client: ClusterClient, console: Console
    ) throws(CommandFailure) -> JSONValue? {
        let start = SystemClock.monotonicMilliseconds()
        let roundMilliseconds =
            console.isErrorTerminal ? shownRoundMilliseconds : roundMilliseconds
        var line = TransientLine(console: console)
        defer { line.finish() }
        while true {
            let spent = SystemClock.monotonicMilliseconds() - start
            let rest = timeoutMilliseconds.map { max(0, $0 - spent) }
            let round = min(rest ?? roundMilliseconds, roundMilliseconds)
            var request = ClientRequest.get(
                path(id) + "/wait?timeout=" + DurationText.format(round))
            request.timeoutMilliseconds += round
            let response = try client.send(request)
            switch response.status {
            case 200...299:
                let task = try ClusterClient.json(response)
                if finalStates.contains(task["state"]?.string ?? "") { return task }
                line.show { _ in standing(task) }
            // Too busy or without a leader: no reason to give up waiting.
            case 429, 503: pause(seconds: response.retryAfterSeconds ?? 1, atMost: rest)
            case 408, 504: break
            default: throw ProblemText.failure(response)
            }
            if let timeoutMilliseconds,
                SystemClock.monotonicMilliseconds() - start >= timeoutMilliseconds
            {
                return nil
            }
        }
    }

    /// A line that wraps can't be cleared.
    private static let maxNoteCharacters = 32

    /// As `[######------] 20%  t17 is running: half way`.
    static func standing(_ task: JSONValue) -> String {
        var text = "\(task["id"]?.string ?? "?") is \(task["state"]?.string ?? "?")"
        guard let progress = task["progress"]?.integer else { return text }
        if let note = task["progressNote"]?.string {
            text += ": " + TextTable.printable(note).prefix(maxNoteCharacters)
        }
        return ProgressBar.bar(done: min(max(progress, 0), 100), of: 100) + "  " + text
    }

    /// As the node asked for, but no longer than half a minute and the time that is left.
    static func pause(seconds: Int64, atMost restMilliseconds: Int64? = nil) {
        let wanted = min(max(1, seconds), 30) * 1000
        Pause.take(milliseconds: min(wanted, restMilliseconds ?? wanted))
    }

    private static func result(
        of task: JSONValue, _ invocation: Invocation
    ) throws(CommandFailure) -> [UInt8] {
        guard let stored = task["storedResult"], !stored.isNull, let id = task["id"]?.string else {
            return task["result"]?.raw ?? Array("null".utf8)
        }
        return try invocation.client().sendExpectingSuccess(.get(path(id) + "/result")).body
    }

    /// Prints the result of a finished task, or says on standard error why there is none. Returns the exit
    /// status.
    static func report(_ task: JSONValue, _ invocation: Invocation) throws(CommandFailure) -> Int32
    {
        let state = task["state"]?.string ?? "?"
        if try invocation.askedOutput() == .json {
            invocation.console.write(task.raw + [0x0A])
        } else if state == "succeeded" {
            invocation.console.write(try result(of: task, invocation) + [0x0A])
        }
        guard state != "succeeded" else { return 0 }
        var line = "carillon: task \(task["id"]?.string ?? "?") ended \(state)"
        if let message = task["error"]?["message"]?.string {
            line += ": " + TextTable.printable(message)
        }
        invocation.console.printError(line)
        return 1
    }
}
