/// The options that choose tasks, shared by `task list` and `dead`.
enum TaskFilterOptions {
    static let withoutState = [
        OptionSpec(name: "queue", value: "QUEUE", summary: "only of this queue"),
        OptionSpec(name: "handler", value: "HANDLER", summary: "only for this handler"),
        OptionSpec(name: "schedule", value: "NAME", summary: "only from this schedule"),
        OptionSpec(name: "worker", value: "ID", summary: "only on this worker"),
        OptionSpec(name: "workflow", value: "ID", summary: "only of this workflow"),
        OptionSpec(name: "tag", value: "TAG", summary: "only with this tag"),
        OptionSpec(
            name: "meta", value: "NAME=VALUE", summary: "only with this label", isRepeated: true),
        OptionSpec(
            name: "text", short: "q", value: "TEXT",
            summary: "contained in id, handler, key or error"),
        OptionSpec(
            name: "since", value: "TIME",
            summary: "created at or after (RFC 3339, or 10m for 10m ago)"),
        OptionSpec(name: "until", value: "TIME", summary: "created before"),
    ]

    static let all =
        [
            OptionSpec(
                name: "state", value: "STATE",
                summary: "scheduled, blocked, ready, running, succeeded, dead, cancelled, expired",
                words: states, isRepeated: true)
        ] + withoutState

    /// Of those that choose: with them, no ids are needed.
    static func areGiven(_ invocation: Invocation) -> Bool {
        all.contains { invocation.values[$0.name] != nil }
    }

    static let states = [
        "scheduled", "blocked", "ready", "running", "succeeded", "dead", "cancelled", "expired",
    ]

    /// As parameters of a query.
    static func query(
        _ invocation: Invocation
    ) throws(CommandFailure) -> [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        let chosen = invocation.list("state").flatMap { $0.split(separator: ",").map(String.init) }
        for state in chosen where !states.contains(state) {
            var message = "--state \(state): no such state"
            if let nearest = Spelling.nearest(to: state, among: states) {
                message += "; did you mean \(nearest)?"
            }
            throw .usage(message)
        }
        if !chosen.isEmpty { pairs.append(("state", chosen.joined(separator: ","))) }
        for name in ["queue", "handler", "schedule", "worker", "workflow", "tag"] {
            if let value = invocation.value(name) { pairs.append((name, value)) }
        }
        for (name, value) in try invocation.pairs("meta") { pairs.append(("meta." + name, value)) }
        if let text = invocation.value("text") { pairs.append(("q", text)) }
        for name in ["since", "until"] {
            if let time = try instant(name, invocation) { pairs.append((name, time)) }
        }
        return pairs
    }

    /// A time, or a duration before now.
    private static func instant(
        _ name: String, _ invocation: Invocation
    ) throws(CommandFailure) -> String? {
        guard let text = invocation.value(name) else { return nil }
        if let distance = try? DurationText.parse(text) {
            return Timestamp.format(SystemClock.wallMilliseconds() - distance)
        }
        return try invocation.timestamp(name)
    }
}
