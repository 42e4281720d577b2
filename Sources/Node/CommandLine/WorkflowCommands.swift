/// `carillon workflow …`.
enum WorkflowCommands {
    static let spec = CommandSpec(
        name: "workflow", summary: "submit workflows, look at them, await and cancel them",
        subcommands: [
            CommandSpec(
                name: "submit", summary: "submit a workflow: tasks that wait for each other",
                details: [
                    "The file holds {\"chain\": [TASK, …]} or {\"group\": [TASK, …], \"then\": TASK}; chains and groups",
                    "may stand in the place of tasks. Prints the workflow's id; with --wait, at its end, how it went,",
                    "and exits 1 if it failed.",
                ],
                operands: [OperandSpec(name: "FILE")],
                options: [
                    OptionSpec(
                        name: "key", value: "KEY",
                        summary: "idempotency key: the same key again gives the first workflow"),
                    OptionSpec(name: "wait", summary: "until all of its tasks have ended"),
                ],
                examples: ["carillon workflow submit pipeline.json"], run: submit),
            CommandSpec(
                name: "get", summary: "show how far a workflow has come",
                operands: [OperandSpec(name: "ID")],
                run: { (invocation) throws(CommandFailure) in try show(invocation) { .get($0) } }),
            CommandSpec(
                name: "wait", summary: "follow a workflow until all of its tasks have ended",
                details: ["Exits 1 if it failed, or has not ended in time."],
                operands: [OperandSpec(name: "ID")],
                options: [
                    OptionSpec(
                        name: "timeout", value: "DURATION",
                        summary: "wait no longer than this (default: for ever)")
                ],
                run: wait),
            CommandSpec(
                name: "cancel", summary: "cancel those of its tasks that have not ended",
                operands: [OperandSpec(name: "ID")],
                run: { (invocation) throws(CommandFailure) in
                    try show(invocation) { .delete($0) }
                }),
        ])

    private static let maxBytes = 1 << 20

    private static func submit(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        _ = try invocation.output()
        let body = try InputFile.contents(of: invocation.operands[0], maxBytes: maxBytes)
        var request = ClientRequest.post("/v1/tasks", body: body, isRepeatable: true)
        request.idempotencyKey = try SubmitCommand.key(invocation)
        let reply = try invocation.client().json(request)
        guard let id = reply["id"]?.string else {
            throw .failed("the reply holds no id; is that a carillon node?")
        }
        if invocation.flag("wait") { return try follow(id, timeoutMilliseconds: nil, invocation) }
        if try invocation.askedOutput() == .json {
            invocation.console.write(reply.raw + [0x0A])
        } else {
            invocation.console.print(id)
        }
        return 0
    }

    private static func wait(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let timeout = try invocation.durationMilliseconds("timeout")
        return try follow(invocation.operands[0], timeoutMilliseconds: timeout, invocation)
    }

    private static func follow(
        _ id: String, timeoutMilliseconds: Int64?, _ invocation: Invocation
    ) throws(CommandFailure) -> Int32 {
        _ = try invocation.output()
        var progress = try WorkflowProgress(invocation)
        guard
            let workflow = try progress.follow(
                path(id), timeoutMilliseconds: timeoutMilliseconds)
        else {
            throw .failed(
                "workflow \(id) has not ended after \(invocation.value("timeout") ?? "")")
        }
        try print(workflow, invocation)
        return workflow["state"]?.string == "succeeded" ? 0 : 1
    }

    private static func path(_ id: String) -> String {
        "/v1/workflows/" + PercentEncoding.encode(id)
    }

    private static func show(
        _ invocation: Invocation, _ request: (String) -> ClientRequest
    ) throws(CommandFailure) -> Int32 {
        _ = try invocation.output()
        try print(
            try invocation.client().json(request(path(invocation.operands[0]))), invocation)
        return 0
    }

    private static func print(
        _ workflow: JSONValue, _ invocation: Invocation
    ) throws(CommandFailure) {
        guard try invocation.output() == .table else {
            invocation.console.write(workflow.raw + [0x0A])
            return
        }
        let total = workflow["total"]?.source ?? "?"
        invocation.console.print(
            "\(workflow["id"]?.string ?? "?") \(workflow["state"]?.string ?? "?"), "
                + "\(workflow["progress"]?.source ?? "?") % of \(total) tasks have ended")
        for task in workflow["tasks"]?.elements ?? [] {
            let name = task["name"]?.string.map { "  \($0)" } ?? ""
            invocation.console.print(
                "  \(task["id"]?.string ?? "?")  \(task["state"]?.string ?? "?")\(name)")
        }
    }
}
