/// One action on all tasks that the options choose: the cluster's own job, which goes on if the command is interrupted.
enum TaskBatchCommand {
    /// For the commands that do so.
    static let options = [
        OptionSpec(name: "max", value: "N", summary: "at most so many tasks, newest first"),
        OptionSpec(
            name: "no-wait", summary: "print the job's id at once; carillon job wait follows it"),
    ]

    /// - Parameter action: as the API calls it.
    static func run(
        _ invocation: Invocation, action: String, states: [String]? = nil
    ) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("action", action)
        writer.key("filter")
        try filter(invocation, states: states, to: &writer)
        if let limit = try invocation.integer("max", in: 1...Int64.max) {
            writer.field("limit", limit)
        }
        writer.endObject()
        let wait = invocation.flag("no-wait") ? "0s" : "500ms"
        // With a key, the same request again is the same job.
        var request = ClientRequest.post(
            "/v1/tasks/batch?wait=" + wait, body: writer.bytes, isRepeatable: true)
        request.idempotencyKey = SubmitCommand.randomKey()
        var progress = try BulkJobProgress(invocation)
        let begun = try progress.begin(request)
        if invocation.flag("no-wait") {
            switch format {
            case .table: invocation.console.print(begun["id"]?.string ?? "?")
            case .json: invocation.console.write(begun.raw + [0x0A])
            }
            return 0
        }
        return try BulkJobCommands.report(progress.follow(begun), invocation)
    }

    private static func filter(
        _ invocation: Invocation, states: [String]?, to writer: inout JSONWriter
    ) throws(CommandFailure) {
        let pairs = try TaskFilterOptions.query(invocation)
        writer.beginObject()
        if let states { writer.field("state", states) }
        for (name, value) in pairs where !name.hasPrefix("meta.") {
            if name == "state" {
                writer.field(JSONName(name), value.split(separator: ",").map(String.init))
            } else {
                writer.field(JSONName(name), value)
            }
        }
        let labels = pairs.filter { $0.name.hasPrefix("meta.") }
        if !labels.isEmpty {
            writer.key("meta")
            writer.beginObject()
            for (name, value) in labels { writer.field(JSONName(String(name.dropFirst(5))), value) }
            writer.endObject()
        }
        writer.endObject()
    }
}
