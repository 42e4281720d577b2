/// `carillon task …`.
enum TaskCommands {
    static let spec = CommandSpec(
        name: "task", summary: "look at tasks, cancel, retry and await them",
        subcommands: [
            CommandSpec(
                name: "get", summary: "show a task", operands: [OperandSpec(name: "ID")], run: get),
            CommandSpec(
                name: "list", summary: "list tasks, newest first",
                options: TaskFilterOptions.all + [TaskFilterOptions.limit],
                examples: ["carillon task list --state dead --since 1h"], run: list),
            CommandSpec(
                name: "cancel",
                summary: "cancel tasks that have not ended: these, or those that options choose",
                operands: [OperandSpec(name: "ID", isOptional: true, isRepeated: true)],
                options: TaskFilterOptions.all,
                examples: ["carillon task cancel t17 t18", "carillon task cancel --queue mail"],
                run: { (invocation) throws(CommandFailure) in
                    try act(invocation, "cancel", "cancelled") { .delete($0) }
                }),
            CommandSpec(
                name: "retry",
                summary:
                    "run tasks again that are dead, cancelled or expired: these, or those that options choose",
                operands: [OperandSpec(name: "ID", isOptional: true, isRepeated: true)],
                options: TaskFilterOptions.all,
                run: { (invocation) throws(CommandFailure) in
                    try act(invocation, "retry", "retried") { .post($0 + "/retry") }
                }),
            CommandSpec(
                name: "wait", summary: "wait for a task's end and print its result",
                details: ["Exits 1 if the task did not succeed, or has not ended in time."],
                operands: [OperandSpec(name: "ID")],
                options: [
                    OptionSpec(
                        name: "timeout", value: "DURATION",
                        summary: "wait no longer than this (default: for ever)")
                ],
                run: wait),
        ])

    private static func get(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let task = try invocation.client().json(.get(TaskFinder.path(invocation.operands[0])))
        switch format {
        case .table: TaskPresentation.printDetails(task, on: invocation.console)
        case .json: invocation.console.write(task.raw + [0x0A])
        }
        return 0
    }

    private static func list(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let limit = try invocation.integer("limit", in: 1...1_000_000) ?? 50
        _ = try invocation.output()
        let list = try ItemList.fetch(
            "/v1/tasks", query: TaskFilterOptions.query(invocation), limit: limit,
            client: invocation.client())
        try list.print(invocation, table: TaskPresentation.table, emptyText: "no tasks")
        return 0
    }

    private static func act(
        _ invocation: Invocation, _ action: String, _ done: String,
        _ request: (String) -> ClientRequest
    ) throws(CommandFailure) -> Int32 {
        switch (invocation.operands.isEmpty, TaskFilterOptions.areGiven(invocation)) {
        case (false, false): return try each(invocation, done, request)
        case (true, true): return try TaskBatchCommand.run(invocation, action: action, done: done)
        case (true, false): throw .usage("which tasks? name them, or choose them by options")
        case (false, true): throw .usage("ids and options that choose tasks do not go together")
        }
    }

    /// Does the same to each task; one that is refused does not keep the others from it.
    private static func each(
        _ invocation: Invocation, _ verb: String, _ request: (String) -> ClientRequest
    ) throws(CommandFailure) -> Int32 {
        let client = try invocation.client()
        let format = try invocation.output()
        var status: Int32 = 0
        for id in invocation.operands {
            let response = try client.send(request(TaskFinder.path(id)))
            guard response.isSuccess else {
                invocation.console.printError("carillon: \(id): \(ProblemText.text(response))")
                status = 1
                continue
            }
            switch format {
            case .table: invocation.console.print("\(id) \(verb)")
            case .json: invocation.console.write(body(response, id: id) + [0x0A])
            }
        }
        return status
    }

    /// What the node says, or the id if it says nothing (204).
    private static func body(_ response: ClientResponse, id: String) -> [UInt8] {
        guard response.body.isEmpty else { return response.body }
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("id", id)
        writer.endObject()
        return writer.bytes
    }

    private static func wait(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let id = invocation.operands[0]
        let timeout = try invocation.durationMilliseconds("timeout")
        guard
            let task = try TaskFinder.awaitFinal(
                id, timeoutMilliseconds: timeout, client: invocation.client())
        else {
            throw .failed("task \(id) has not ended after \(invocation.value("timeout") ?? "")")
        }
        return try TaskFinder.report(task, invocation)
    }
}
