/// `carillon job …`.
enum BulkJobCommands {
    static let spec = CommandSpec(
        name: "job", summary: "bulk actions: how far they are",
        details: ["What cancels, retries or deletes many tasks at once is a job of the cluster."],
        subcommands: [
            CommandSpec(
                name: "list", summary: "list those that go on, and the last ones that have ended",
                options: [ItemList.limit(1_000)], run: list),
            CommandSpec(
                name: "get", summary: "show a job", operands: [OperandSpec(name: "ID")],
                run: { (invocation) throws(CommandFailure) in try show(invocation) { .get($0) } }),
            CommandSpec(
                name: "wait", summary: "follow a job to its end",
                operands: [OperandSpec(name: "ID")], run: wait),
            CommandSpec(
                name: "stop", summary: "stop a job; what it has done stays done",
                operands: [OperandSpec(name: "ID")],
                run: { (invocation) throws(CommandFailure) in
                    try show(invocation) { .delete($0) }
                }),
        ])

    private static func path(_ invocation: Invocation) -> String {
        "/v1/jobs/" + PercentEncoding.encode(invocation.operands[0])
    }

    private static func list(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let limit = try ItemList.limit(invocation) ?? 1_000
        _ = try invocation.output()
        let list = try ItemList.fetch("/v1/jobs", limit: limit, client: invocation.client())
        try list.print(invocation, table: table, emptyText: "no jobs")
        return 0
    }

    private static func show(
        _ invocation: Invocation, _ request: (String) -> ClientRequest
    ) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let job = try invocation.client().json(request(path(invocation)))
        switch format {
        case .table: table([job]).print(on: invocation.console)
        case .json: invocation.console.write(job.raw + [0x0A])
        }
        return 0
    }

    private static func wait(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        var progress = try BulkJobProgress(invocation)
        return try report(progress.follow(progress.begin(.get(path(invocation)))), invocation)
    }

    /// Says what a job that has ended came to. Returns the exit status.
    static func report(
        _ job: JSONValue, _ invocation: Invocation
    ) throws(CommandFailure) -> Int32 {
        switch try invocation.output() {
        case .table: invocation.console.print(BulkJobProgress.summary(job))
        case .json: invocation.console.write(job.raw + [0x0A])
        }
        guard job["state"]?.string == "stopped" else { return 0 }
        invocation.console.printError("carillon: job \(job["id"]?.string ?? "?") was stopped")
        return 1
    }

    private static func table(_ jobs: [JSONValue]) -> TextTable {
        let now = SystemClock.wallMilliseconds()
        var table = TextTable(
            ["ID", "STATE", "ACTION", "DONE", "PROGRESS", "BEGAN", "FILTER"], flexibleColumn: 6)
        for job in jobs {
            let state = job.shown("state")
            let style: Style =
                switch state {
                case "running": .busy
                case "done": .good
                default: .faint
                }
            table.append([
                .init(job.shown("id")), .init(state, style), .init(job.shown("action")),
                .init(BulkJobProgress.summary(job)), .init(job.shown("progress") + " %"),
                .init(job.shownTime("createdAt", now: now)), .init(job.shown("filter")),
            ])
        }
        return table
    }
}
