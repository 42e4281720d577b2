/// Tasks as tables.
enum TaskPresentation {
    static func table(_ tasks: [JSONValue]) -> TextTable {
        let now = SystemClock.wallMilliseconds()
        var table = TextTable(
            ["ID", "STATE", "HANDLER", "QUEUE", "WORKER", "TRY", "WHEN", "NOTE"], flexibleColumn: 7)
        for task in tasks {
            let state = task.shown("state")
            table.append([
                .init(task.shown("id")), .init(state, .of(state: state)),
                .init(task.shown("handler")),
                .init(task.shown("queue")), .init(task.shown("worker")),
                .init(task.shown("attempt")),
                .init(when(task, state, now)), .init(note(task)),
            ])
        }
        return table
    }

    /// The instant that matters most in its state.
    private static func when(_ task: JSONValue, _ state: String, _ now: Int64) -> String {
        switch state {
        case "scheduled": task.shownTime("runAt", now: now)
        case "running": task.shownTime("startedAt", now: now)
        case "ready", "blocked": task.shownTime("createdAt", now: now)
        default: task.shownTime("finishedAt", now: now)
        }
    }

    private static func note(_ task: JSONValue) -> String {
        if let message = task["error"]?["message"]?.string { return message }
        // A key that `submit` made up tells nobody anything.
        let key = task.shown("key")
        return key.hasPrefix(SubmitCommand.madeUpKeyPrefix) ? "" : key
    }

    static func printDetails(_ task: JSONValue, on console: Console) {
        let now = SystemClock.wallMilliseconds()
        var details = TextDetails()
        let state = task.shown("state")
        details.append("id", task.shown("id"), .strong)
        details.append("state", state, .of(state: state))
        for name in ["handler", "queue", "priority", "key", "schedule", "worker", "routingKey"] {
            details.append(name, optional(task.shown(name)))
        }
        details.append("tags", optional(task.shownList("tags")))
        details.append("meta", optional(labels(task)))
        for name in ["createdAt", "runAt", "startedAt", "finishedAt"] {
            guard let text = task[name]?.string else { continue }
            details.append(name, "\(text)  (\(task.shownTime(name, now: now)))")
        }
        for name in ["timeout", "overallTimeout", "expires", "webhook"] {
            details.append(name, optional(task.shown(name)))
        }
        details.append("progress", progress(task))
        details.append("payload", optional(task.shown("payload")))
        if state == "succeeded" {
            details.append("result", result(task), .good)
            details.append("cached from", task["cachedFrom"]?.string)
        }
        details.append("error", task["error"]?["message"]?.string, .bad)
        details.print(on: console)
        let attempts = task["attempts"]?.elements ?? []
        guard !attempts.isEmpty else { return }
        console.print("")
        attemptTable(attempts, now).print(on: console)
    }

    static func printExplanation(_ explanation: JSONValue, on console: Console) {
        let now = SystemClock.wallMilliseconds()
        let state = explanation.shown("state")
        console.print(
            "\(Style.strong.applied(to: explanation.shown("id"), on: console)) is "
                + Style.of(state: state).applied(to: state, on: console))
        for constraint in explanation["constraints"]?.elements ?? [] {
            let until = constraint.shownTime("until", now: now)
            console.print(
                "- \(constraint.shown("detail"))" + (until.isEmpty ? "" : " (\(until))"))
            console.print("  released by: \(constraint.shown("release"))")
        }
        let expiry = explanation.shownTime("expiresAt", now: now)
        if !expiry.isEmpty { console.print("It expires if it has not started by then: \(expiry)") }
    }

    /// nil: its attempts say nothing of it.
    private static func progress(_ task: JSONValue) -> String? {
        let percent = task["progress"]?.integer.map { "\($0) %" }
        let note = task["progressNote"]?.string.map(TextTable.printable)
        let parts = [percent, note].compactMap(\.self)
        return parts.isEmpty ? nil : parts.joined(separator: "  ")
    }

    private static func result(_ task: JSONValue) -> String {
        guard let bytes = task["storedResult"]?["bytes"]?.integer else {
            return task["result"]?.source ?? "null"
        }
        return "\(bytes) bytes: carillon task result \(task.shown("id"))"
    }

    private static func labels(_ task: JSONValue) -> String {
        (task["meta"]?.members ?? []).map { "\($0.name)=\($0.value.string ?? $0.value.source)" }
            .joined(separator: " ")
    }

    private static func attemptTable(_ attempts: [JSONValue], _ now: Int64) -> TextTable {
        var table = TextTable(["ATTEMPT", "WORKER", "STARTED", "TOOK", "OUTCOME"])
        for attempt in attempts {
            let outcome = attempt.shown("outcome")
            let style: Style =
                switch outcome {
                case "succeeded": .good
                case "running": .busy
                case "returned", "cancelled": .faint
                default: .bad
                }
            table.append([
                .init(attempt.shown("attempt")), .init(attempt.shown("worker")),
                .init(attempt.shownTime("startedAt", now: now)),
                .init(duration(attempt)), .init(outcome, style),
            ])
        }
        return table
    }

    private static func duration(_ attempt: JSONValue) -> String {
        guard let start = instant(attempt, "startedAt"), let end = instant(attempt, "finishedAt")
        else { return "" }
        return RelativeTime.short(max(0, end - start))
    }

    private static func instant(_ value: JSONValue, _ name: String) -> Int64? {
        value[name]?.string.flatMap { try? Timestamp.parse($0) }
    }

    private static func optional(_ text: String) -> String? { text.isEmpty ? nil : text }
}
