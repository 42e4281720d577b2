/// `carillon task …`.
enum TaskCommands {
    static let spec = CommandSpec(
        name: "task", summary: "look at tasks, cancel, retry and await them",
        subcommands: [
            CommandSpec(
                name: "get", summary: "show tasks",
                operands: [OperandSpec(name: "ID", isRepeated: true)], run: get),
            CommandSpec(
                name: "list", summary: "list tasks, newest first",
                options: TaskFilterOptions.all + [
                    ItemList.limit(50),
                    OptionSpec(name: "all", summary: "show all of them, however many"),
                    OptionSpec(name: "ids", summary: "print nothing but ids, one a line"),
                ],
                examples: [
                    "carillon task list --state dead --since 1h",
                    "carillon task list --queue mail --all --ids",
                ], run: list),
            CommandSpec(
                name: "explain", summary: "say why a task does not run, and what would change that",
                operands: [OperandSpec(name: "ID")], examples: ["carillon task explain t17"],
                run: explain),
            CommandSpec(
                name: "cancel",
                summary: "cancel tasks that have not ended: these, or those that options choose",
                operands: [OperandSpec(name: "ID", isOptional: true, isRepeated: true)],
                options: TaskFilterOptions.all + TaskBatchCommand.options,
                examples: ["carillon task cancel t17 t18", "carillon task cancel --queue mail"],
                run: { (invocation) throws(CommandFailure) in
                    try act(invocation, "cancel", "cancelled") { .delete($0) }
                }),
            CommandSpec(
                name: "retry",
                summary:
                    "run tasks again that are dead, cancelled or expired: these, or those that options choose",
                operands: [OperandSpec(name: "ID", isOptional: true, isRepeated: true)],
                options: TaskFilterOptions.all + TaskBatchCommand.options,
                run: { (invocation) throws(CommandFailure) in
                    try act(invocation, "retry", "retried") { .post($0 + "/retry") }
                }),
            CommandSpec(
                name: "delete",
                summary: "forget tasks that have ended: these, or those that options choose",
                operands: [OperandSpec(name: "ID", isOptional: true, isRepeated: true)],
                options: TaskFilterOptions.all + TaskBatchCommand.options,
                examples: [
                    "carillon task delete t17", "carillon task delete --state succeeded --until 1h",
                ],
                run: { (invocation) throws(CommandFailure) in
                    try act(invocation, "delete", "deleted") { .delete($0 + "?purge=true") }
                }),
            CommandSpec(
                name: "wait", summary: "wait for the ends of tasks and print their results",
                details: [
                    "Exits 1 if one of them did not succeed, or has not ended in time. Results come in the order of the",
                    "ids, each on a line of its own.",
                ],
                operands: [OperandSpec(name: "ID", isRepeated: true)],
                options: [
                    OptionSpec(
                        name: "timeout", value: "DURATION",
                        summary: "wait no longer than this (default: for ever)")
                ],
                run: wait),
            CommandSpec(
                name: "result", summary: "print the result of a task that succeeded",
                details: ["However large it is, and wherever it is kept."],
                operands: [OperandSpec(name: "ID")], run: result),
            CommandSpec(
                name: "logs", summary: "print what an attempt of a task wrote to standard error",
                operands: [OperandSpec(name: "ID")],
                options: [
                    OptionSpec(
                        name: "attempt", value: "N", summary: "which one (default: the last)"),
                    OptionSpec(
                        name: "follow", short: "f",
                        summary:
                            "go on with what is written, also by further attempts, until the task ends"
                    ),
                ],
                examples: [
                    "carillon task logs t17 --attempt 1", "carillon task logs t17 --follow",
                ],
                run: logs),
        ])

    private static func get(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let client = try invocation.client()
        for (place, id) in invocation.operands.enumerated() {
            let task = try client.json(.get(TaskFinder.path(id)))
            switch format {
            case .table:
                if place > 0 { invocation.console.print("") }
                TaskPresentation.printDetails(task, on: invocation.console)
            case .json: invocation.console.write(task.raw + [0x0A])
            }
        }
        return 0
    }

    private static func list(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let limit = try ItemList.limit(invocation)
        if limit != nil, invocation.flag("all") {
            throw .usage("--all and --limit exclude each other")
        }
        _ = try invocation.output()
        let client = try invocation.client()
        let query = try TaskFilterOptions.query(invocation)
        let wanted = invocation.flag("all") ? Int64.max : limit ?? 50
        if invocation.flag("ids") {
            // As they come: they may be millions.
            try ItemList.forEachPage("/v1/tasks", query: query, limit: wanted, client: client) {
                for task in $0 { invocation.console.print(task.shown("id")) }
            }
            return 0
        }
        let list = try ItemList.fetch("/v1/tasks", query: query, limit: wanted, client: client)
        try list.print(invocation, table: TaskPresentation.table, emptyText: "no tasks")
        return 0
    }

    private static func explain(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let path = TaskFinder.path(invocation.operands[0]) + "/explain"
        let explanation = try invocation.client().json(.get(path))
        switch format {
        case .table: TaskPresentation.printExplanation(explanation, on: invocation.console)
        case .json: invocation.console.write(explanation.raw + [0x0A])
        }
        return 0
    }

    private static func act(
        _ invocation: Invocation, _ action: String, _ done: String,
        _ request: (String) -> ClientRequest
    ) throws(CommandFailure) -> Int32 {
        switch (invocation.operands.isEmpty, TaskFilterOptions.areGiven(invocation)) {
        case (false, false): return try each(invocation, done, request)
        case (true, true): return try TaskBatchCommand.run(invocation, action: action)
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

    private static func result(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let path = TaskFinder.path(invocation.operands[0]) + "/result"
        let response = try invocation.client().sendExpectingSuccess(.get(path))
        invocation.console.write(response.body + [0x0A])
        return 0
    }

    private static func logs(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        if invocation.flag("follow") {
            guard !invocation.flag("attempt") else {
                throw .usage("--follow and --attempt exclude each other")
            }
            var follower = LogFollower(
                invocation.operands[0], client: try invocation.client(),
                console: invocation.console)
            try follower.run()
            return 0
        }
        var path = TaskFinder.path(invocation.operands[0]) + "/logs"
        if let attempt = try invocation.integer("attempt", in: 1...Int64(UInt32.max)) {
            path += "?attempt=\(attempt)"
        }
        let response = try invocation.client().sendExpectingSuccess(.get(path))
        invocation.console.write(response.body)
        return 0
    }

    private static func wait(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let timeout = try invocation.durationMilliseconds("timeout")
        let client = try invocation.client()
        let start = SystemClock.monotonicMilliseconds()
        var status: Int32 = 0
        for id in invocation.operands {
            let spent = SystemClock.monotonicMilliseconds() - start
            guard
                let task = try TaskFinder.awaitFinal(
                    id, timeoutMilliseconds: timeout.map { max(0, $0 - spent) }, client: client,
                    console: invocation.console)
            else {
                throw .failed(
                    "task \(id) has not ended after \(invocation.value("timeout") ?? "")")
            }
            status = max(status, try TaskFinder.report(task, invocation))
        }
        return status
    }
}
