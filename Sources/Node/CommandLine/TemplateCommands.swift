/// `carillon template …`.
enum TemplateCommands {
    static let spec = CommandSpec(
        name: "template", summary: "stored tasks with parameters",
        subcommands: [
            CommandSpec(
                name: "list", summary: "list templates", options: [ItemList.limit(1_000)],
                run: list),
            CommandSpec(
                name: "get", summary: "show a template", operands: [OperandSpec(name: "NAME")],
                run: get),
            CommandSpec(
                name: "put", summary: "create a template, or replace the one of that name",
                details: [
                    "The file (- for standard input) holds {\"task\": {…}, \"params\": {…}}: a task as in",
                    "POST /v1/tasks with {{params.NAME}} in its strings, and the parameters with their defaults;",
                    "null is one that must be given.",
                ],
                operands: [OperandSpec(name: "NAME"), OperandSpec(name: "FILE")],
                examples: [
                    "carillon template put thumbnail thumbnail.json",
                    "carillon submit --template thumbnail --param image=cat.png",
                ],
                run: put),
            CommandSpec(
                name: "delete", summary: "remove a template; what was made from it stays",
                operands: [OperandSpec(name: "NAME")], run: delete),
        ])

    private static let maxBytes = 1 << 20

    private static func path(_ invocation: Invocation) -> String {
        "/v1/templates/" + PercentEncoding.encode(invocation.operands[0])
    }

    private static func list(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let limit = try ItemList.limit(invocation) ?? 1_000
        _ = try invocation.output()
        let list = try ItemList.fetch("/v1/templates", limit: limit, client: invocation.client())
        try list.print(invocation, table: table, emptyText: "no templates")
        return 0
    }

    private static func table(_ templates: [JSONValue]) -> TextTable {
        let now = SystemClock.wallMilliseconds()
        var table = TextTable(["NAME", "HANDLER", "PARAMETERS", "CHANGED"], flexibleColumn: 2)
        for template in templates {
            table.append([
                .init(template.shown("name")), .init(template["task"]?.shown("handler") ?? ""),
                .init(parameters(template)), .init(template.shownTime("updatedAt", now: now)),
            ])
        }
        return table
    }

    /// `image size=100`: what must be given, and what has a default.
    private static func parameters(_ template: JSONValue) -> String {
        (template["params"]?.members ?? []).map { name, preset in
            preset.isNull ? name : "\(name)=\(preset.string ?? preset.source)"
        }.joined(separator: " ")
    }

    private static func get(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let template = try invocation.client().json(.get(path(invocation)))
        guard format == .table else {
            invocation.console.write(template.raw + [0x0A])
            return 0
        }
        var details = TextDetails()
        details.append("name", template.shown("name"), .strong)
        details.append("parameters", parameters(template))
        details.append("task", template["task"]?.source)
        details.append("created", template["createdAt"]?.string)
        details.append("changed", template["updatedAt"]?.string)
        details.print(on: invocation.console)
        return 0
    }

    private static func put(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let body = try InputFile.contents(of: invocation.operands[1], maxBytes: maxBytes)
        let response = try invocation.client().sendExpectingSuccess(
            .put(path(invocation), body: body))
        switch format {
        case .json: invocation.console.write(response.body + [0x0A])
        case .table:
            let verb = response.status == 201 ? "created" : "replaced"
            invocation.console.print("template \(invocation.operands[0]) \(verb)")
        }
        return 0
    }

    private static func delete(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        _ = try invocation.client().sendExpectingSuccess(.delete(path(invocation)))
        if format == .table {
            invocation.console.print("template \(invocation.operands[0]) deleted")
        }
        return 0
    }
}
