/// `carillon namespace …`.
enum NamespaceCommands {
    static let spec = CommandSpec(
        name: "namespace", summary: "namespaces and their quotas",
        subcommands: [
            CommandSpec(
                name: "list", summary: "list namespaces", options: [ItemList.limit(1_000)],
                run: list),
            CommandSpec(
                name: "get", summary: "show a namespace", operands: [OperandSpec(name: "NAME")],
                run: get),
            CommandSpec(
                name: "set",
                summary: "create a namespace, or change what is given of it, and keep the rest",
                details: SettingsUpdate.details,
                operands: [OperandSpec(name: "NAME")],
                options: [
                    OptionSpec(name: "pending", value: "N", summary: "tasks that may wait"),
                    OptionSpec(
                        name: "submit-rate", value: "RATE",
                        summary: "tasks that may be submitted, as in 100/s"),
                    OptionSpec(
                        name: "submit-burst", value: "N",
                        summary: "so many at once after a rest, for --submit-rate"),
                    OptionSpec(
                        name: "running", value: "N", summary: "attempts that may run at once"),
                ] + retention + [SettingsUpdate.replace],
                examples: [
                    "carillon namespace set shop --pending 10000 --submit-rate 100/s --running 20",
                    "carillon namespace set shop --submit-rate none",
                    "carillon namespace set shop --keep-succeeded 1h --keep-dead 7d --max-finished 10000",
                    "carillon submit echo --namespace shop",
                ],
                run: set),
            CommandSpec(
                name: "delete",
                summary: "remove a namespace that holds no tasks, schedules and templates",
                operands: [OperandSpec(name: "NAME")], run: delete),
        ])

    private static let retention = [
        OptionSpec(
            name: "keep-succeeded", value: "DURATION", summary: "how long those tasks are kept"),
        OptionSpec(name: "keep-cancelled", value: "DURATION", summary: "likewise"),
        OptionSpec(name: "keep-expired", value: "DURATION", summary: "likewise"),
        OptionSpec(name: "keep-dead", value: "DURATION", summary: "likewise"),
        OptionSpec(
            name: "max-finished", value: "N",
            summary: "so many of the first three together are kept"),
        OptionSpec(name: "max-dead", value: "N", summary: "so many dead ones are kept"),
    ]

    private static func path(_ invocation: Invocation) -> String {
        "/v1/namespaces/" + PercentEncoding.encode(invocation.operands[0])
    }

    private static func list(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let limit = try ItemList.limit(invocation) ?? 1_000
        _ = try invocation.output()
        let list = try ItemList.fetch("/v1/namespaces", limit: limit, client: invocation.client())
        try list.print(invocation, table: table, emptyText: "no namespaces")
        return 0
    }

    private static func table(_ namespaces: [JSONValue]) -> TextTable {
        var table = TextTable(
            ["NAME", "PENDING", "RUNNING", "QUEUES", "MAX PENDING", "MAX RUNNING", "SUBMIT RATE"],
            flexibleColumn: 0)
        for namespace in namespaces {
            let quotas = namespace["quotas"]
            table.append([
                .init(namespace.shown("name")), .init(namespace.shown("pending")),
                .init(namespace.shown("running")), .init(namespace.shown("queues")),
                .init(quotas?.shown("pending") ?? ""), .init(quotas?.shown("running") ?? ""),
                .init(quotas?.shown("submitRate") ?? ""),
            ])
        }
        return table
    }

    private static func get(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let namespace = try invocation.client().json(.get(path(invocation)))
        guard format == .table else {
            invocation.console.write(namespace.raw + [0x0A])
            return 0
        }
        var details = TextDetails()
        details.append("name", namespace.shown("name"), .strong)
        for field in ["pending", "running", "queues"] {
            details.append(field, namespace.shown(field))
        }
        for (title, field) in [
            ("max pending", "pending"), ("max running", "running"), ("submit rate", "submitRate"),
            ("submit burst", "submitBurst"),
        ] {
            let text = namespace["quotas"]?.shown(field) ?? ""
            if !text.isEmpty { details.append(title, text) }
        }
        for (title, field) in keptAges + keptNumbers {
            let text = namespace["retention"]?.shown(field) ?? ""
            if !text.isEmpty { details.append(title.replacing("-", with: " "), text) }
        }
        details.print(on: invocation.console)
        return 0
    }

    private static let keptAges = [
        ("keep-succeeded", "succeeded"), ("keep-cancelled", "cancelled"),
        ("keep-expired", "expired"), ("keep-dead", "dead"),
    ]

    private static let keptNumbers = [("max-finished", "maxFinished"), ("max-dead", "maxDead")]

    private static func set(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        var quotas = SettingsUpdate()
        try quotas.takeNumbers(
            [("pending", "pending"), ("running", "running"), ("submit-burst", "submitBurst")],
            invocation)
        quotas.takeTexts([("submit-rate", "submitRate")], invocation)
        var retention = SettingsUpdate()
        retention.takeTexts(keptAges, invocation)
        try retention.takeNumbers(keptNumbers, invocation)
        let format = try invocation.output()
        let client = try invocation.client()
        let old = try SettingsUpdate.current(path(invocation), invocation, client)
        var kept = ["pending", "running", "submitRate"]
        if quotas.keepsBurst("submitBurst", of: "submitRate", in: old?["quotas"]) {
            kept.append("submitBurst")
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.rawField("quotas", quotas.body(keeping: kept, of: old?["quotas"]))
        writer.rawField(
            "retention",
            retention.body(
                keeping: (keptAges + keptNumbers).map { $0.1 }, of: old?["retention"]))
        writer.endObject()
        let response = try client.sendExpectingSuccess(
            .put(path(invocation), body: writer.bytes))
        switch format {
        case .table: invocation.console.print("namespace \(invocation.operands[0]) is set")
        case .json: invocation.console.write(response.body + [0x0A])
        }
        return 0
    }

    private static func delete(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        _ = try invocation.client().sendExpectingSuccess(.delete(path(invocation)))
        if format == .table {
            invocation.console.print("namespace \(invocation.operands[0]) deleted")
        }
        return 0
    }
}
