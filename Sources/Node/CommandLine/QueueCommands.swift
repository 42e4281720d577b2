/// `carillon queue …`.
enum QueueCommands {
    static let spec = CommandSpec(
        name: "queue", summary: "queues and their limits",
        subcommands: [
            CommandSpec(
                name: "list", summary: "list queues", options: [ItemList.limit(1_000)],
                run: list),
            CommandSpec(
                name: "get", summary: "show a queue", operands: [OperandSpec(name: "NAME")],
                run: get),
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
            CommandSpec(
                name: "delete", summary: "forget a queue's settings; its tasks stay",
                operands: [OperandSpec(name: "NAME")], run: delete),
        ])

    private static let settings = CommandSpec(
        name: "set", summary: "change what is given of a queue's settings, and keep the rest",
        details: SettingsUpdate.details,
        operands: [OperandSpec(name: "NAME")],
        options: [
            OptionSpec(name: "concurrency", value: "N", summary: "attempts that run at once"),
            OptionSpec(name: "rate", value: "RATE", summary: "attempts that start, as in 100/s"),
            OptionSpec(
                name: "burst", value: "N", summary: "starts at once after a rest, for --rate"),
            OptionSpec(
                name: "priority", value: "N",
                summary: "of its tasks that name none: 0 to 9, or low, normal, high",
                words: TaskOptions.priorityWords),
            OptionSpec(name: "max-pending", value: "N", summary: "tasks that may wait"),
            OptionSpec(
                name: "breaker", value: "JSON", summary: "when it stops because its tasks fail"),
            OptionSpec(
                name: "error-webhook", value: "URL", summary: "told of each of its dead tasks"),
            OptionSpec(
                name: "limits", value: "JSON",
                summary: "for tasks with the same value in their payloads: all of them anew"),
            SettingsUpdate.replace,
        ],
        examples: [
            "carillon queue set mail --concurrency 20 --rate 100/s",
            "carillon queue set mail --rate none",
            "carillon queue set hooks --breaker '{\"failures\": 5, \"open\": \"30s\"}'",
            "carillon queue set sync --limits '[{\"key\": \"payload.customer\", \"concurrency\": 1}]'",
        ],
        run: put)

    private static func path(_ invocation: Invocation) -> String {
        "/v1/queues/" + PercentEncoding.encode(invocation.operands[0])
    }

    private static func list(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let limit = try ItemList.limit(invocation) ?? 1_000
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
            table.append([
                .init(queue.shown("name")), .init(state(queue)), .init(queue.shown("pending")),
                .init(queue.shown("running")), .init(queue.shown("concurrency")),
                .init(queue.shown("rate")), .init(queue.shown("priority")),
                .init(queue.shown("maxPending")),
            ])
        }
        return table
    }

    private static func state(_ queue: JSONValue) -> String {
        if queue["paused"]?.bool ?? false { return "paused" }
        return switch queue["breaker"]?["state"]?.string {
        case "open": "breaker-open"
        case "halfOpen": "half-open"
        default: "active"
        }
    }

    private static func get(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let queue = try invocation.client().json(.get(path(invocation)))
        guard format == .table else {
            invocation.console.write(queue.raw + [0x0A])
            return 0
        }
        var details = TextDetails()
        details.append("name", queue.shown("name"), .strong)
        details.append("state", state(queue))
        for (title, field) in [
            ("pending", "pending"), ("ready", "ready"), ("held", "held"), ("running", "running"),
            ("concurrency", "concurrency"), ("rate", "rate"), ("burst", "burst"),
            ("next start", "nextTokenAt"), ("priority", "priority"), ("max pending", "maxPending"),
            ("breaker", "breaker"), ("error webhook", "errorWebhook"),
        ] {
            let text = queue.shown(field)
            if !text.isEmpty { details.append(title, text) }
        }
        for limit in queue["limits"]?.elements ?? [] { details.append("limit", limit.source) }
        details.print(on: invocation.console)
        return 0
    }

    private static func put(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        var update = SettingsUpdate()
        try update.takeNumbers(
            [
                ("concurrency", "concurrency"), ("burst", "burst"), ("max-pending", "maxPending"),
            ], invocation)
        try update.takePriority(invocation)
        update.takeTexts([("rate", "rate"), ("error-webhook", "errorWebhook")], invocation)
        try update.takeJSON([("breaker", "breaker"), ("limits", "limits")], invocation)
        let format = try invocation.output()
        let client = try invocation.client()
        let old = try SettingsUpdate.current(path(invocation), invocation, client)
        // Without `paused`, which stays as it is.
        var kept = [
            "concurrency", "rate", "priority", "maxPending", "breaker", "errorWebhook", "limits",
        ]
        if update.keepsBurst("burst", of: "rate", in: old) { kept.append("burst") }
        let response = try client.sendExpectingSuccess(
            .put(path(invocation), body: update.body(keeping: kept, of: old)))
        return show(response, "queue \(invocation.operands[0]) is set", format, invocation)
    }

    private static func delete(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        _ = try invocation.client().sendExpectingSuccess(.delete(path(invocation)))
        if format == .table {
            invocation.console.print("the settings of queue \(invocation.operands[0]) are deleted")
        }
        return 0
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
