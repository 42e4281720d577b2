/// `carillon dead …`.
enum DeadCommands {
    static let spec = CommandSpec(
        name: "dead", summary: "tasks whose attempts are spent",
        subcommands: [
            CommandSpec(
                name: "list", summary: "list dead tasks",
                options: TaskFilterOptions.withoutState + [ItemList.limit(50)], run: list),
            CommandSpec(
                name: "retry",
                summary: "run dead tasks again: all, or those that the options choose",
                options: TaskFilterOptions.withoutState + TaskBatchCommand.options,
                examples: ["carillon dead retry --handler resize --since 1h"],
                run: { (invocation) throws(CommandFailure) in
                    try TaskBatchCommand.run(invocation, action: "retry", states: ["dead"])
                }),
            CommandSpec(
                name: "delete", summary: "forget dead tasks: all, or those that the options choose",
                options: TaskFilterOptions.withoutState + TaskBatchCommand.options,
                examples: ["carillon dead delete --until 7d"],
                run: { (invocation) throws(CommandFailure) in
                    try TaskBatchCommand.run(invocation, action: "delete", states: ["dead"])
                }),
        ])

    private static func list(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let limit = try ItemList.limit(invocation) ?? 50
        _ = try invocation.output()
        let list = try ItemList.fetch(
            "/v1/dead", query: TaskFilterOptions.query(invocation), limit: limit,
            client: invocation.client())
        try list.print(invocation, table: TaskPresentation.table, emptyText: "no dead tasks")
        return 0
    }
}
