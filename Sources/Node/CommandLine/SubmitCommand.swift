/// `carillon submit`.
enum SubmitCommand {
    static let spec = CommandSpec(
        name: "submit", summary: "submit a task, or a file of tasks",
        details: [
            "Prints the task's id; with --wait its result, and exits 1 if it did not succeed.",
            "With -o json prints the whole task.",
            "",
            "--file sends one task a line (NDJSON, fields as in POST /v1/tasks) in chunks, and says how many",
            "were accepted and which lines were not. What a quota or a full queue holds back is sent again until it is",
            "taken; if nothing is taken for 2 minutes, it stops.",
        ],
        operands: [OperandSpec(name: "HANDLER", isOptional: true)],
        options: TaskOptions.specs + TaskOptions.templateSpecs + [
            OptionSpec(name: "delay", value: "DURATION", summary: "start so much later"),
            OptionSpec(name: "at", value: "TIME", summary: "start then (RFC 3339)"),
            OptionSpec(
                name: "key", value: "KEY",
                summary: "idempotency key: the same key again gives the first task"),
            OptionSpec(
                name: "after", value: "ID", summary: "wait for this task; may be given again",
                isRepeated: true),
            OptionSpec(
                name: "on-dependency-failure", value: "POLICY",
                summary: "if one of them fails: cancel (default), run or hold",
                words: ["cancel", "run", "hold"]),
            OptionSpec(name: "wait", summary: "wait for the end and print the result"),
            OptionSpec(
                name: "file", value: "TASKS.ndjson", summary: "many tasks; - reads standard input"),
            OptionSpec(
                name: "from", value: "LINE", summary: "with --file: begin at that line (default 1)"),
        ],
        examples: [
            "carillon submit echo --payload '{\"hello\": \"world\"}' --wait",
            "carillon submit sleep --payload '{\"ms\": 500}' --delay 10s --queue mail --priority high",
            "carillon submit --template thumbnail --param image=cat.png",
            "carillon submit --file tasks.ndjson",
        ],
        run: run)

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        if let file = invocation.value("file") {
            return try runBulk(file, invocation)
        }
        if invocation.flag("from") { throw .usage("--from goes with --file") }
        let handler = invocation.operands.first
        guard handler != nil || invocation.flag("template") else {
            throw .usage(
                "HANDLER is missing: carillon submit HANDLER, or --template NAME, or --file FILE")
        }
        let client = try invocation.client()
        let task = try submit(handler: handler, invocation, client)
        guard let id = task["id"]?.string else {
            throw .failed("the reply holds no id; is that a carillon node?")
        }
        guard invocation.flag("wait") else {
            if try invocation.askedOutput() == .json {
                invocation.console.write(task.raw + [0x0A])
            } else {
                invocation.console.print(id)
            }
            return 0
        }
        guard
            let final = try TaskFinder.awaitFinal(
                id, timeoutMilliseconds: nil, client: client, console: invocation.console)
        else { throw .failed("task \(id) has not ended") }
        return try TaskFinder.report(final, invocation)
    }

    private static func submit(
        handler: String?, _ invocation: Invocation, _ client: ClusterClient
    ) throws(CommandFailure) -> JSONValue {
        var writer = JSONWriter()
        writer.beginObject()
        try TaskOptions.write(handler: handler, invocation, into: &writer)
        let delay = try invocation.duration("delay")
        let time = try invocation.timestamp("at")
        if delay != nil, time != nil { throw .usage("--delay and --at exclude each other") }
        if let delay { writer.field("delay", delay) }
        if let time { writer.field("runAt", time) }
        let after = invocation.list("after")
        if !after.isEmpty { writer.field("after", after) }
        if let policy = try invocation.choice(
            "on-dependency-failure", of: ["cancel", "run", "hold"])
        {
            writer.field("onDependencyFailure", policy)
        }
        writer.endObject()
        var request = ClientRequest.post("/v1/tasks", body: writer.bytes, isRepeatable: true)
        request.idempotencyKey = try key(invocation)
        return try client.json(request)
    }

    /// A submission without a key gets one, so that it may be sent again when its reply is lost.
    static func key(_ invocation: Invocation) throws(CommandFailure) -> String {
        guard let key = invocation.value("key") else { return randomKey() }
        guard !key.isEmpty, key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .usage("--key: expected printable ASCII without spaces")
        }
        return key
    }

    static let madeUpKeyPrefix = "cli-"

    static func randomKey() -> String {
        var generator = SystemRandomNumberGenerator()
        let high = String(generator.next(), radix: 36)
        return madeUpKeyPrefix + high + String(generator.next(), radix: 36)
    }

    private static func runBulk(
        _ path: String, _ invocation: Invocation
    ) throws(CommandFailure) -> Int32 {
        let others = invocation.values.keys.filter {
            !["file", "from"].contains($0) && !OptionSpec.common.map(\.name).contains($0)
        }
        if let other = others.min() ?? invocation.operands.first {
            throw .usage("\(other) does not go with --file: each line is a whole task")
        }
        let firstLine = try invocation.integer("from", in: 1...Int64(Int32.max)) ?? 1
        let file = try InputFile(path)
        let format = try invocation.output()
        var submission = BulkSubmission(
            file: file, firstLine: Int(firstLine), client: try invocation.client(),
            console: invocation.console)
        return try submission.run(format)
    }
}
