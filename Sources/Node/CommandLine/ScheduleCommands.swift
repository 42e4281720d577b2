/// `carillon schedule …`.
enum ScheduleCommands {
    static let spec = CommandSpec(
        name: "schedule", summary: "recurring tasks",
        subcommands: [
            create, update,
            CommandSpec(
                name: "list", summary: "list schedules", options: [ItemList.limit(50)],
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
            BackfillCommand.spec,
            named("occurrences", "show how its last occurrences ended, and why", occurrences),
            CommandSpec(
                name: "preview", summary: "show the next times of a schedule",
                operands: [OperandSpec(name: "NAME")],
                options: [
                    OptionSpec(name: "count", value: "N", summary: "so many times (default 10)")
                ],
                run: preview),
        ])

    private static let create = CommandSpec(
        name: "create", summary: "create a schedule, or replace the one of that name",
        operands: [OperandSpec(name: "NAME"), OperandSpec(name: "HANDLER", isOptional: true)],
        options: ScheduleOptions.specs + [
            OptionSpec(name: "paused", summary: "it does not fire before it is resumed")
        ] + TaskOptions.specs + TaskOptions.templateSpecs,
        examples: [
            "carillon schedule create report echo --cron '30 9 * * MON-FRI' --zone Europe/Berlin",
            "carillon schedule create tick echo --every 90s --payload '\"tick\"'",
            "carillon schedule create backup dump --cron '0 3 * * *' --overlap skip --catch-up 1h",
        ],
        run: put)

    private static let update = CommandSpec(
        name: "update", summary: "change what is given of a schedule, and keep the rest",
        details: [
            "Counters, past occurrences and what runs stay. The value \"none\" takes away what is not required: --zone,",
            "--phase, --jitter, --until, --priority, --timeout, --overall-timeout, --webhook, --expires, --cache.",
        ],
        operands: [OperandSpec(name: "NAME")],
        options: [
            OptionSpec(name: "handler", value: "HANDLER", summary: "what runs its task")
        ] + ScheduleOptions.specs + TaskOptions.specs,
        examples: [
            "carillon schedule update report --cron '0 10 * * MON-FRI'",
            "carillon schedule update report --until none",
        ],
        run: change)

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
        guard ScheduleOptions.timings.filter(invocation.flag).count == 1 else {
            throw .usage("give one of --cron EXPRESSION, --every DURATION and --at TIME")
        }
        guard invocation.flag("cron") || !invocation.flag("zone") else {
            throw .usage("--zone goes with --cron")
        }
        let handler = invocation.operands.dropFirst().first
        guard handler != nil || invocation.flag("template") else {
            throw .usage("HANDLER is missing: carillon schedule create NAME HANDLER")
        }
        var writer = JSONWriter()
        writer.beginObject()
        try ScheduleOptions.write(invocation, into: &writer)
        if invocation.flag("paused") { writer.field("paused", true) }
        writer.key("task")
        writer.beginObject()
        try TaskOptions.write(handler: handler, invocation, into: &writer)
        writer.endObject()
        writer.endObject()
        return try send(writer.bytes, invocation, invocation.client())
    }

    private static func change(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        guard ScheduleOptions.timings.filter(invocation.flag).count <= 1 else {
            throw .usage("give at most one of --cron EXPRESSION, --every DURATION and --at TIME")
        }
        let removals = (ScheduleUpdate.removable + ScheduleUpdate.removableOfTask)
            .map(\.name).filter { invocation.value($0) == SettingsUpdate.noneWord }
        let given = invocation.without(removals)
        let client = try invocation.client()
        let schedule = try client.json(.get(path(invocation)))
        var writer = JSONWriter()
        writer.beginObject()
        try ScheduleOptions.write(given, into: &writer)
        writer.key("task")
        writer.beginObject()
        let handler = invocation.value("handler") ?? schedule["task"]?.shown("handler") ?? ""
        try TaskOptions.write(handler: handler, given, into: &writer)
        writer.endObject()
        writer.endObject()
        let changes: JSONValue
        do {
            changes = try JSONDocument(writer.bytes).root
        } catch {
            throw .usage("the options can't be put together: \(error.description)")
        }
        let update = ScheduleUpdate(schedule: schedule, changes: changes, removals: removals)
        return try send(update.body(), invocation, client)
    }

    private static func send(
        _ body: [UInt8], _ invocation: Invocation, _ client: ClusterClient
    ) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let response = try client.sendExpectingSuccess(.put(path(invocation), body: body))
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
        let limit = try ItemList.limit(invocation) ?? 50
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
        let instants = schedule["at"]?.elements ?? []
        guard instants.isEmpty else { return "at \(instants.count) times" }
        let phase = schedule["phase"]?.string.map { " + \($0)" } ?? ""
        return "every " + schedule.shown("every") + phase
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
        details.append("overlap", schedule.shown("overlap"))
        details.append("catch-up", schedule["catchUp"].map { $0.string ?? $0.source })
        for name in ["ran", "skipped", "missed", "expired", "backfilled"] {
            details.append(name, counter(schedule, name))
        }
        if let backfill = schedule["backfill"], !backfill.isNull {
            details.append("backfill", BackfillCommand.text(backfill))
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
        // With a key, the same request again starts nothing more.
        var request = ClientRequest.post(path(invocation) + "/trigger", isRepeatable: true)
        request.idempotencyKey = SubmitCommand.randomKey()
        let task = try invocation.client().json(request)
        switch format {
        case .table: invocation.console.print(task["id"]?.string ?? task.source)
        case .json: invocation.console.write(task.raw + [0x0A])
        }
        return 0
    }

    private static func preview(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let count = try invocation.integer("count", in: 1...1000) ?? 10
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
            // At a change of the clocks: moved, the second of two, or left out.
            var change = item.shown("change")
            if let local = item["local"]?.string { change += ": \(local) does not exist" }
            invocation.console.print(
                "\(text)  \(distance)" + (change.isEmpty ? "" : "  (\(change))"))
        }
        return 0
    }

    private static func occurrences(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let list = try invocation.client().json(.get(path(invocation) + "/occurrences"))
        guard format == .table else {
            invocation.console.write(list.raw + [0x0A])
            return 0
        }
        var table = TextTable(["AT", "STATE", "REASON", "COUNT", "TASK"])
        for item in list["items"]?.elements ?? [] {
            let state = item.shown("state")
            table.append([
                .init(item.shown("at")), .init(state, .of(state: state)),
                .init(item.shown("reason")), .init(item.shown("count")), .init(item.shown("task")),
            ])
        }
        table.print(on: invocation.console)
        return 0
    }
}
