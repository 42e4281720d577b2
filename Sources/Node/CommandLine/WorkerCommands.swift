/// `carillon worker …`.
enum WorkerCommands {
    static let spec = CommandSpec(
        name: "worker", summary: "workers and what they may take",
        subcommands: [
            CommandSpec(
                name: "list", summary: "list workers", options: [ItemList.limit(1_000)],
                run: list),
            CommandSpec(
                name: "get", summary: "show a worker", operands: [OperandSpec(name: "ID")],
                run: get),
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
        let limit = try ItemList.limit(invocation) ?? 1_000
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

    private static func get(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let worker = try invocation.client().json(
            .get("/v1/workers/" + PercentEncoding.encode(invocation.operands[0])))
        guard format == .table else {
            invocation.console.write(worker.raw + [0x0A])
            return 0
        }
        var details = TextDetails()
        details.append("id", worker.shown("id"), .strong)
        details.append("state", worker.shown("state"), .of(state: worker.shown("state")))
        details.append("running", "\(worker.shown("running")) of \(worker.shown("slots"))")
        details.append("handlers", worker.shownList("handlers"))
        details.append("tags", worker.shownList("tags"))
        if let heard = worker["lastHeartbeat"]?.string {
            let distance = worker.shownTime(
                "lastHeartbeat", now: SystemClock.wallMilliseconds())
            details.append("heard", "\(heard)  (\(distance))")
        }
        details.print(on: invocation.console)
        return 0
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
