/// `carillon workflow …`.
enum WorkflowCommands {
    static let spec = CommandSpec(
        name: "workflow", summary: "submit workflows, look at them and cancel them",
        subcommands: [
            CommandSpec(
                name: "submit", summary: "submit a workflow: tasks that wait for each other",
                details: [
                    "The file holds {\"chain\": [TASK, …]} or {\"group\": [TASK, …], \"then\": TASK}; chains and groups",
                    "may stand in the place of tasks. Prints the workflow's id.",
                ],
                operands: [OperandSpec(name: "FILE")],
                options: [
                    OptionSpec(
                        name: "key", value: "KEY",
                        summary: "idempotency key: the same key again gives the first workflow")
                ],
                examples: ["carillon workflow submit pipeline.json"], run: submit),
            CommandSpec(
                name: "get", summary: "show how far a workflow has come",
                operands: [OperandSpec(name: "ID")],
                run: { (invocation) throws(CommandFailure) in try show(invocation) { .get($0) } }),
            CommandSpec(
                name: "cancel", summary: "cancel those of its tasks that have not ended",
                operands: [OperandSpec(name: "ID")],
                run: { (invocation) throws(CommandFailure) in
                    try show(invocation) { .delete($0) }
                }),
        ])

    private static let maxBytes = 1 << 20

    private static func submit(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let body = try InputFile.contents(of: invocation.operands[0], maxBytes: maxBytes)
        var request = ClientRequest.post("/v1/tasks", body: body, isRepeatable: true)
        request.idempotencyKey = try SubmitCommand.key(invocation)
        let reply = try invocation.client().json(request)
        guard let id = reply["id"]?.string else {
            throw .failed("the reply holds no id; is that a carillon node?")
        }
        if try invocation.askedOutput() == .json {
            invocation.console.write(reply.raw + [0x0A])
        } else {
            invocation.console.print(id)
        }
        return 0
    }

    private static func show(
        _ invocation: Invocation, _ request: (String) -> ClientRequest
    ) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let path = "/v1/workflows/" + PercentEncoding.encode(invocation.operands[0])
        let workflow = try invocation.client().json(request(path))
        guard format == .table else {
            invocation.console.write(workflow.raw + [0x0A])
            return 0
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
        return 0
    }
}
