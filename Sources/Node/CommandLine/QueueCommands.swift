/// `carillon queue …`.
enum QueueCommands {
    static let spec = CommandSpec(
        name: "queue", summary: "queues and their limits",
        subcommands: [
            CommandSpec(
                name: "list", summary: "list queues", options: [TaskFilterOptions.limit],
                run: list),
            settings,
            CommandSpec(
                name: "pause", summary: "start nothing of a queue; what runs goes on",
                operands: [OperandSpec(name: "NAME")],
                run: { (invocation) throws(CommandFailure) in
                    try act(invocation, "pause", "paused")
                }),
            CommandSpec(
                name: "resume", summary: "start tasks of a queue again",
                operands: [OperandSpec(name: "NAME")],
                run: { (invocation) throws(CommandFailure) in
                    try act(invocation, "resume", "resumed")
                }),
        ])

    private static let settings = CommandSpec(
        name: "set", summary: "replace the limits of a queue; what is not given is without limit",
        operands: [OperandSpec(name: "NAME")],
        options: [
            OptionSpec(name: "concurrency", value: "N", summary: "attempts that run at once"),
            OptionSpec(name: "rate", value: "RATE", summary: "attempts that start, as in 100/s"),
            OptionSpec(
                name: "burst", value: "N", summary: "starts at once after a rest, for --rate"),
            OptionSpec(
                name: "priority", value: "N", summary: "of its tasks that name none, 0 to 9"),
            OptionSpec(name: "max-pending", value: "N", summary: "tasks that may wait"),
            OptionSpec(
                name: "breaker", value: "JSON", summary: "when it stops because its tasks fail"),
            OptionSpec(
                name: "error-webhook", value: "URL", summary: "told of each of its dead tasks"),
            OptionSpec(
                name: "limits", value: "JSON",
                summary: "for tasks with the same value in their payloads"),
        ],
        examples: [
            "carillon queue set mail --concurrency 20 --rate 100/s",
            "carillon queue set hooks --breaker '{\"failures\": 5, \"open\": \"30s\"}'",
            "carillon queue set sync --limits '[{\"key\": \"payload.customer\", \"concurrency\": 1}]'",
        ],
        run: put)

    private static func path(_ invocation: Invocation) -> String {
        "/v1/queues/" + PercentEncoding.encode(invocation.operands[0])
    }

    private static func list(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let limit = try invocation.integer("limit", in: 1...1_000_000) ?? 1_000
        _ = try invocation.output()
        let list = try ItemList.fetch("/v1/queues", limit: limit, client: invocation.client())
        try list.print(invocation, table: table, emptyText: "no queues")
        return 0
    }

    private static func table(_ queues: [JSONValue]) -> TextTable {
        var table = TextTable(
            [
                "NAME", "STATE", "PENDING", "RUNNING", "CONCURRENCY", "RATE", "PRIORITY", "MAX",
            ], flexibleColumn: 0)
        for queue in queues {
            let state =
                if queue["paused"]?.bool ?? false { "paused" } else {
                    queue["breaker"]?["state"]?.string == "open" ? "broken" : "open"
                }
            table.append([
                .init(queue.shown("name")), .init(state), .init(queue.shown("pending")),
                .init(queue.shown("running")), .init(queue.shown("concurrency")),
                .init(queue.shown("rate")), .init(queue.shown("priority")),
                .init(queue.shown("maxPending")),
            ])
        }
        return table
    }

    private static func put(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        var writer = JSONWriter()
        writer.beginObject()
        for (option, field) in [
            ("concurrency", "concurrency"), ("burst", "burst"), ("priority", "priority"),
            ("max-pending", "maxPending"),
        ] {
            guard let number = try invocation.integer(option, in: 0...Int64(UInt32.max)) else {
                continue
            }
            writer.field(field, number)
        }
        if let rate = invocation.value("rate") { writer.field("rate", rate) }
        if let url = invocation.value("error-webhook") { writer.field("errorWebhook", url) }
        for name in ["breaker", "limits"] {
            guard let text = invocation.value(name) else { continue }
            do {
                _ = try JSONDocument(Array(text.utf8))
            } catch {
                throw .usage("--\(name) is not JSON: \(error.description)")
            }
            writer.rawField(name, Array(text.utf8))
        }
        writer.endObject()
        let format = try invocation.output()
        let response = try invocation.client().sendExpectingSuccess(
            .put(path(invocation), body: writer.bytes))
        return show(response, "queue \(invocation.operands[0]) is set", format, invocation)
    }

    private static func act(
        _ invocation: Invocation, _ verb: String, _ done: String
    ) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let response = try invocation.client().sendExpectingSuccess(
            .post("\(path(invocation))/\(verb)", isRepeatable: true))
        return show(response, "queue \(invocation.operands[0]) is \(done)", format, invocation)
    }

    private static func show(
        _ response: ClientResponse, _ text: String, _ format: Invocation.OutputFormat,
        _ invocation: Invocation
    ) -> Int32 {
        switch format {
        case .table: invocation.console.print(text)
        case .json: invocation.console.write(response.body + [0x0A])
        }
        return 0
    }
}
