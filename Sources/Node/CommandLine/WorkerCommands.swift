/// `carillon worker …`.
enum WorkerCommands {
    static let spec = CommandSpec(
        name: "worker", summary: "workers and what they may take",
        subcommands: [
            CommandSpec(
                name: "list", summary: "list workers", options: [TaskFilterOptions.limit],
                run: list),
            CommandSpec(
                name: "drain", summary: "assign nothing new to a worker",
                operands: [OperandSpec(name: "ID")],
                run: { (invocation) throws(CommandFailure) in
                    try act(invocation, "drain", "draining")
                }),
            CommandSpec(
                name: "undrain", summary: "assign to a worker again",
                operands: [OperandSpec(name: "ID")],
                run: { (invocation) throws(CommandFailure) in
                    try act(invocation, "undrain", "live")
                }),
            WorkerRunCommand.spec,
        ])

    private static func list(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let limit = try invocation.integer("limit", in: 1...1_000_000) ?? 1_000
        _ = try invocation.output()
        let list = try ItemList.fetch("/v1/workers", limit: limit, client: invocation.client())
        try list.print(invocation, table: table, emptyText: "no workers")
        return 0
    }

    private static func table(_ workers: [JSONValue]) -> TextTable {
        let now = SystemClock.wallMilliseconds()
        var table = TextTable(
            ["ID", "STATE", "RUNNING", "SLOTS", "TAGS", "HEARD", "HANDLERS"], flexibleColumn: 6)
        for worker in workers {
            let state = worker.shown("state")
            table.append([
                .init(worker.shown("id")), .init(state, .of(state: state)),
                .init(worker.shown("running")), .init(worker.shown("slots")),
                .init(worker.shownList("tags")),
                .init(worker.shownTime("lastHeartbeat", now: now)),
                .init(worker.shownList("handlers")),
            ])
        }
        return table
    }

    private static func act(
        _ invocation: Invocation, _ verb: String, _ state: String
    ) throws(CommandFailure) -> Int32 {
        let id = invocation.operands[0]
        let format = try invocation.output()
        let response = try invocation.client().sendExpectingSuccess(
            .post("/v1/workers/\(PercentEncoding.encode(id))/\(verb)", isRepeatable: true))
        switch format {
        case .table: invocation.console.print("worker \(id) is \(state)")
        case .json where !response.body.isEmpty:
            invocation.console.write(response.body + [0x0A])
        case .json: break
        }
        return 0
    }
}
