/// One action on all tasks that the options choose, in as many requests as it takes.
enum TaskBatchCommand {
    /// A node takes on so many at a time, and says whether there may be more. What was done is not found again, so that a
    /// request of which no reply came may be sent again.
    ///
    /// - Parameters:
    ///   - action: as the API calls it.
    ///   - done: what the reply counts.
    static func run(
        _ invocation: Invocation, action: String, done: String, states: [String]? = nil
    ) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("action", action)
        writer.key("filter")
        try filter(invocation, states: states, to: &writer)
        writer.endObject()
        let client = try invocation.client()
        var line = TransientLine(console: invocation.console)
        defer { line.finish() }
        var count: Int64 = 0
        var hasMore = true
        while hasMore {
            let reply = try client.json(
                .post("/v1/tasks/batch", body: writer.bytes, isRepeatable: true))
            let round = reply[done]?.integer ?? 0
            count += round
            hasMore = reply["more"]?.bool == true && round > 0
            line.show { _ in "\(count) \(done)" }
        }
        line.finish()
        switch format {
        case .table: invocation.console.print("\(count) \(done)")
        case .json: invocation.console.print("{\"\(done)\":\(count)}")
        }
        return 0
    }

    private static func filter(
        _ invocation: Invocation, states: [String]?, to writer: inout JSONWriter
    ) throws(CommandFailure) {
        let pairs = try TaskFilterOptions.query(invocation)
        writer.beginObject()
        if let states { writer.field("state", states) }
        for (name, value) in pairs where !name.hasPrefix("meta.") {
            if name == "state" {
                writer.field(name, value.split(separator: ",").map(String.init))
            } else {
                writer.field(name, value)
            }
        }
        let labels = pairs.filter { $0.name.hasPrefix("meta.") }
        if !labels.isEmpty {
            writer.key("meta")
            writer.beginObject()
            for (name, value) in labels { writer.field(String(name.dropFirst(5)), value) }
            writer.endObject()
        }
        writer.endObject()
    }
}
