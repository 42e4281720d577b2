/// A schedule as it is, with some fields given anew: what `carillon schedule update` puts back.
struct ScheduleUpdate {
    let schedule: JSONValue
    /// An object of the fields that are given.
    let changes: JSONValue
    /// Names of options whose fields are to be as if they had never been given.
    var removals: [String] = []

    /// The options that take `none`, and their fields: those of the schedule, and those of its task. Not those for which
    /// it may be a value, such as a queue's name.
    static let removable: [(name: String, field: String)] = [
        ("zone", "zone"), ("phase", "phase"), ("jitter", "jitter"), ("until", "until"),
    ]
    static let removableOfTask: [(name: String, field: String)] = [
        ("priority", "priority"), ("timeout", "timeout"), ("overall-timeout", "overallTimeout"),
        ("webhook", "webhook"), ("expires", "expires"), ("cache", "cache"),
    ]

    private func isRemoved(_ field: String, _ options: [(name: String, field: String)]) -> Bool {
        options.contains { $0.field == field && removals.contains($0.name) }
    }

    private static let fields = [
        "cron", "zone", "every", "phase", "at", "overlap", "catchUp", "jitter", "until", "dst",
        "task", "template", "paused",
    ]

    func body() -> [UInt8] {
        let isTimedAnew = ScheduleOptions.timings.contains { changes[$0] != nil }
        var writer = JSONWriter()
        writer.beginObject()
        for field in Self.fields where !isRemoved(field, Self.removable) {
            // Another kind of timing replaces all of the old one; a zone outlives a change of the expression.
            let isReplaced =
                isTimedAnew
                && (ScheduleOptions.timings.contains(field) || field == "phase"
                    || field == "zone" && changes["cron"] == nil)
            let old = isReplaced ? nil : schedule[field]
            switch (old, changes[field]) {
            case (let old?, let new?) where field == "task":
                writer.rawField(
                    JSONName(field),
                    Self.merged(old, new) { isRemoved($0, Self.removableOfTask) })
            case (let old?, let new?) where field == "dst":
                writer.rawField(JSONName(field), Self.merged(old, new))
            case (_, let new?): writer.rawField(JSONName(field), new.raw)
            case (let old?, nil): writer.rawField(JSONName(field), old.raw)
            case (nil, nil): continue
            }
        }
        writer.endObject()
        return writer.bytes
    }

    /// The members of both; of those in both the new ones, and of objects such as a task's `retry` the members of both.
    private static func merged(
        _ old: JSONValue, _ new: JSONValue, except isRemoved: (String) -> Bool = { _ in false }
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        for (name, value) in old.members where !isRemoved(name) {
            guard let changed = new[name] else {
                writer.rawField(JSONName(name), value.raw)
                continue
            }
            let isRetry = name == "retry" && value.kind == .object
            writer.rawField(JSONName(name), isRetry ? merged(value, changed) : changed.raw)
        }
        for (name, value) in new.members where old[name] == nil {
            writer.rawField(JSONName(name), value.raw)
        }
        writer.endObject()
        return writer.bytes
    }
}
