/// `carillon schedule …`.
enum ScheduleCommands {
    static let spec = CommandSpec(
        name: "schedule", summary: "recurring tasks",
        subcommands: [
            create,
            CommandSpec(
                name: "list", summary: "list schedules", options: [TaskFilterOptions.limit],
                run: list),
            named("get", "show a schedule", get),
            named("pause", "stop firing until resumed") { (invocation) throws(CommandFailure) in
                try act(invocation, "paused") { .post($0 + "/pause", isRepeatable: true) }
            },
            named("resume", "fire again") { (invocation) throws(CommandFailure) in
                try act(invocation, "resumed") { .post($0 + "/resume", isRepeatable: true) }
            },
            named("trigger", "run its task now, apart from its times", trigger),
            named("delete", "remove a schedule; its tasks stay") {
                (invocation) throws(CommandFailure) in
                try act(invocation, "deleted") { .delete($0) }
            },
            CommandSpec(
                name: "preview", summary: "show the next times of a schedule",
                operands: [OperandSpec(name: "NAME")],
                options: [
                    OptionSpec(name: "count", value: "N", summary: "so many times (default 5)")
                ],
                run: preview),
        ])

    private static let create = CommandSpec(
        name: "create", summary: "create a schedule, or replace the one of that name",
        operands: [OperandSpec(name: "NAME"), OperandSpec(name: "HANDLER")],
        options: [
            OptionSpec(
                name: "cron", value: "EXPRESSION",
                summary: "five fields, six with seconds first, or @hourly and its like"),
            OptionSpec(name: "zone", value: "ZONE", summary: "IANA name, for --cron (default UTC)"),
            OptionSpec(name: "every", value: "DURATION", summary: "at multiples of the period"),
        ] + TaskOptions.specs,
        examples: [
            "carillon schedule create report echo --cron '30 9 * * MON-FRI' --zone Europe/Berlin",
            "carillon schedule create tick echo --every 90s --payload '\"tick\"'",
        ],
        run: put)

    private static func named(
        _ name: String, _ summary: String, _ run: @escaping CommandSpec.Run
    ) -> CommandSpec {
        CommandSpec(
            name: name, summary: summary, operands: [OperandSpec(name: "NAME")], run: run)
    }

    private static func path(_ invocation: Invocation) -> String {
        "/v1/schedules/" + PercentEncoding.encode(invocation.operands[0])
    }

    private static func put(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let cron = invocation.value("cron")
        let every = try invocation.duration("every")
        guard (cron == nil) != (every == nil) else {
            throw .usage("give either --cron EXPRESSION or --every DURATION")
        }
        guard every == nil || !invocation.flag("zone") else {
            throw .usage("--zone goes with --cron")
        }
        var writer = JSONWriter()
        writer.beginObject()
        if let cron { writer.field("cron", cron) }
        if let zone = invocation.value("zone") { writer.field("zone", zone) }
        if let every { writer.field("every", every) }
        writer.key("task")
        writer.beginObject()
        try TaskOptions.write(handler: invocation.operands[1], invocation, into: &writer)
        writer.endObject()
        writer.endObject()
        let format = try invocation.output()
        let response = try invocation.client().sendExpectingSuccess(
            .put(path(invocation), body: writer.bytes))
        let schedule = try ClusterClient.json(response)
        for warning in schedule["warnings"]?.elements ?? [] {
            invocation.console.printError("carillon: warning: \(warning.string ?? warning.source)")
        }
        switch format {
        case .json: invocation.console.write(schedule.raw + [0x0A])
        case .table:
            let verb = response.status == 201 ? "created" : "replaced"
            let next = schedule["next"]?.string.map { "; next at \($0)" } ?? ""
            invocation.console.print("schedule \(invocation.operands[0]) \(verb)\(next)")
        }
        return 0
    }

    private static func list(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let limit = try invocation.integer("limit", in: 1...1_000_000) ?? 50
        _ = try invocation.output()
        let list = try ItemList.fetch(
            "/v1/schedules", limit: limit, client: invocation.client())
        try list.print(invocation, table: table, emptyText: "no schedules")
        return 0
    }

    private static func table(_ schedules: [JSONValue]) -> TextTable {
        let now = SystemClock.wallMilliseconds()
        var table = TextTable(
            ["NAME", "STATE", "TIMES", "HANDLER", "NEXT", "LAST", "RAN", "SKIPPED", "MISSED"],
            flexibleColumn: 2)
        for schedule in schedules {
            let state = schedule["paused"]?.bool == true ? "paused" : "active"
            table.append([
                .init(schedule.shown("name")), .init(state, .of(state: state)),
                .init(times(schedule)), .init(schedule["task"]?.shown("handler") ?? ""),
                .init(schedule.shownTime("next", now: now)),
                .init(schedule.shownTime("last", now: now)),
                .init(counter(schedule, "ran")), .init(counter(schedule, "skipped")),
                .init(counter(schedule, "missed")),
            ])
        }
        return table
    }

    private static func times(_ schedule: JSONValue) -> String {
        if let cron = schedule["cron"]?.string {
            let zone = schedule.shown("zone")
            return zone.isEmpty || zone == "UTC" ? cron : "\(cron) \(zone)"
        }
        return "every " + schedule.shown("every")
    }

    private static func counter(_ schedule: JSONValue, _ name: String) -> String {
        schedule["counters"]?.shown(name) ?? ""
    }

    private static func get(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let schedule = try invocation.client().json(.get(path(invocation)))
        guard format == .table else {
            invocation.console.write(schedule.raw + [0x0A])
            return 0
        }
        var details = TextDetails()
        details.append("name", schedule.shown("name"), .strong)
        let state = schedule["paused"]?.bool == true ? "paused" : "active"
        details.append("state", state, .of(state: state))
        details.append("times", times(schedule))
        let now = SystemClock.wallMilliseconds()
        for name in ["next", "last"] {
            guard let text = schedule[name]?.string else { continue }
            details.append(name, "\(text)  (\(schedule.shownTime(name, now: now)))")
        }
        for name in ["ran", "skipped", "missed", "expired"] {
            details.append(name, counter(schedule, name))
        }
        details.append("task", schedule["task"]?.source)
        details.print(on: invocation.console)
        return 0
    }

    private static func act(
        _ invocation: Invocation, _ verb: String, _ request: (String) -> ClientRequest
    ) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let response = try invocation.client().sendExpectingSuccess(request(path(invocation)))
        switch format {
        case .table: invocation.console.print("schedule \(invocation.operands[0]) \(verb)")
        case .json where !response.body.isEmpty:
            invocation.console.write(response.body + [0x0A])
        case .json: break
        }
        return 0
    }

    private static func trigger(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let task = try invocation.client().json(.post(path(invocation) + "/trigger"))
        switch format {
        case .table: invocation.console.print(task["id"]?.string ?? task.source)
        case .json: invocation.console.write(task.raw + [0x0A])
        }
        return 0
    }

    private static func preview(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let count = try invocation.integer("count", in: 1...1000) ?? 5
        let format = try invocation.output()
        let preview = try invocation.client().json(
            .get(path(invocation) + "/preview?count=\(count)"))
        guard format == .table else {
            invocation.console.write(preview.raw + [0x0A])
            return 0
        }
        let now = SystemClock.wallMilliseconds()
        for item in preview["items"]?.elements ?? [] {
            let text = item.shown("at")
            let distance =
                (try? Timestamp.parse(text)).map { RelativeTime.text($0, now: now) } ?? ""
            // At a change of the clocks: moved, or the second of two.
            let change = item.shown("change")
            invocation.console.print(
                "\(text)  \(distance)" + (change.isEmpty ? "" : "  (\(change))"))
        }
        return 0
    }
}
