/// `carillon namespace …`.
enum NamespaceCommands {
    static let spec = CommandSpec(
        name: "namespace", summary: "namespaces and their quotas",
        subcommands: [
            CommandSpec(
                name: "list", summary: "list namespaces", options: [TaskFilterOptions.limit],
                run: list),
            CommandSpec(
                name: "set",
                summary:
                    "create a namespace, or replace its quotas; what is not given is without limit",
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
                ],
                examples: [
                    "carillon namespace set shop --pending 10000 --submit-rate 100/s --running 20",
                    "carillon submit echo --namespace shop",
                ],
                run: set),
            CommandSpec(
                name: "delete",
                summary: "remove a namespace that holds no tasks, schedules and templates",
                operands: [OperandSpec(name: "NAME")], run: delete),
        ])

    private static func path(_ invocation: Invocation) -> String {
        "/v1/namespaces/" + PercentEncoding.encode(invocation.operands[0])
    }

    private static func list(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let limit = try invocation.integer("limit", in: 1...1_000_000) ?? 1_000
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

    private static func set(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("quotas")
        writer.beginObject()
        for (option, field) in [
            ("pending", "pending"), ("running", "running"), ("submit-burst", "submitBurst"),
        ] {
            guard let number = try invocation.integer(option, in: 0...Int64(UInt32.max)) else {
                continue
            }
            writer.field(field, number)
        }
        if let rate = invocation.value("submit-rate") { writer.field("submitRate", rate) }
        writer.endObject()
        writer.endObject()
        let format = try invocation.output()
        let response = try invocation.client().sendExpectingSuccess(
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
