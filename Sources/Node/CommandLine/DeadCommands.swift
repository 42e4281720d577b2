/// `carillon dead …`.
enum DeadCommands {
    static let spec = CommandSpec(
        name: "dead", summary: "tasks whose attempts are spent",
        subcommands: [
            CommandSpec(
                name: "list", summary: "list dead tasks",
                options: TaskFilterOptions.withoutState + [TaskFilterOptions.limit], run: list),
            CommandSpec(
                name: "retry",
                summary: "run dead tasks again: all, or those that the options choose",
                options: TaskFilterOptions.withoutState,
                examples: ["carillon dead retry --handler resize --since 1h"], run: retry),
        ])

    private static func list(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let limit = try invocation.integer("limit", in: 1...1_000_000) ?? 50
        _ = try invocation.output()
        let list = try ItemList.fetch(
            "/v1/dead", query: TaskFilterOptions.query(invocation), limit: limit,
            client: invocation.client())
        try list.print(invocation, table: TaskPresentation.table, emptyText: "no dead tasks")
        return 0
    }

    private static func retry(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let query = try PercentEncoding.query(TaskFilterOptions.query(invocation))
        let client = try invocation.client()
        var retried: Int64 = 0
        var hasMore = true
        // A node takes on so many at a time, and says whether some are left.
        while hasMore {
            // Retrying what is no longer dead does nothing, so the request may be repeated.
            let reply = try client.json(.post("/v1/dead/retry" + query, isRepeatable: true))
            let count = reply["retried"]?.integer ?? 0
            retried += count
            hasMore = reply["more"]?.bool == true && count > 0
        }
        switch format {
        case .table: invocation.console.print("\(retried) retried")
        case .json: invocation.console.print("{\"retried\":\(retried)}")
        }
        return 0
    }
}
