/// The options that say when a schedule's task runs, shared by `schedule create` and `update`, and the JSON they make.
enum ScheduleOptions {
    static let specs = [
        OptionSpec(
            name: "cron", value: "EXPRESSION",
            summary: "five fields, six with seconds first, or @hourly and its like"),
        OptionSpec(name: "zone", value: "ZONE", summary: "IANA name, for --cron (default UTC)"),
        OptionSpec(name: "every", value: "DURATION", summary: "at multiples of the period"),
        OptionSpec(name: "phase", value: "DURATION", summary: "so much after them, for --every"),
        OptionSpec(
            name: "at", value: "TIME", summary: "at this instant; several times for several",
            isRepeated: true),
        OptionSpec(
            name: "overlap", value: "POLICY",
            summary: "while one before it runs: allow (default), skip, buffer or cancelOther",
            words: ["allow", "skip", "buffer", "cancelOther"]),
        OptionSpec(
            name: "catch-up", value: "POLICY",
            summary: "of missed ones: none, latest (default), so many, or those not older than",
            words: ["none", "latest"]),
        OptionSpec(name: "jitter", value: "DURATION", summary: "start up to so much later"),
        OptionSpec(name: "until", value: "TIME", summary: "not after this instant"),
        OptionSpec(
            name: "dst-gap", value: "shift|skip", summary: "in an hour that the clocks leave out"),
        OptionSpec(
            name: "dst-overlap", value: "first|last|both",
            summary: "in an hour that the clocks repeat"),
    ]

    static let timings = ["cron", "every", "at"]

    /// Writes the members that are given into an open object; what they mean is for the server to check.
    static func write(
        _ invocation: Invocation, into writer: inout JSONWriter
    ) throws(CommandFailure) {
        if let cron = invocation.value("cron") { writer.field("cron", cron) }
        if let zone = invocation.value("zone") { writer.field("zone", zone) }
        if let every = try invocation.duration("every") { writer.field("every", every) }
        if let phase = try invocation.duration("phase") { writer.field("phase", phase) }
        let instants = invocation.list("at")
        if !instants.isEmpty { writer.field("at", instants) }
        if let overlap = invocation.value("overlap") { writer.field("overlap", overlap) }
        if let catchUp = invocation.value("catch-up") { writeCatchUp(catchUp, into: &writer) }
        if let jitter = try invocation.duration("jitter") { writer.field("jitter", jitter) }
        if let until = try invocation.timestamp("until") { writer.field("until", until) }
        let gap = invocation.value("dst-gap")
        let overlap = invocation.value("dst-overlap")
        guard gap != nil || overlap != nil else { return }
        writer.key("dst")
        writer.beginObject()
        if let gap { writer.field("gap", gap) }
        if let overlap { writer.field("overlap", overlap) }
        writer.endObject()
    }

    /// A number is how many, a duration how old.
    private static func writeCatchUp(_ text: String, into writer: inout JSONWriter) {
        if ["none", "latest"].contains(text) { return writer.field("catchUp", text) }
        writer.key("catchUp")
        writer.beginObject()
        if let count = Int64(text) {
            writer.field("all", count)
        } else {
            writer.field("within", text)
        }
        writer.endObject()
    }
}
