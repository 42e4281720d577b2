/// `carillon events`.
enum EventsCommand {
    static let spec = CommandSpec(
        name: "events", summary: "what happened lately, or what happens",
        details: [
            "A node holds the last events only. With --follow, a node that is lost is replaced by the next",
            "one of --server, and the events go on where they were.",
        ],
        options: [
            OptionSpec(
                name: "follow", short: "f", summary: "go on with what happens, until interrupted"),
            OptionSpec(name: "task", value: "ID", summary: "only of this task"),
            OptionSpec(name: "queue", value: "QUEUE", summary: "only of this queue"),
            OptionSpec(name: "handler", value: "HANDLER", summary: "only for this handler"),
            OptionSpec(name: "schedule", value: "NAME", summary: "only from this schedule"),
            OptionSpec(name: "worker", value: "ID", summary: "only on this worker"),
            OptionSpec(
                name: "type", value: "TYPE",
                summary: "only of this type, such as task.dead, schedule or worker",
                isRepeated: true),
            OptionSpec(
                name: "after", value: "EVENT", summary: "with --follow: begin behind this event"),
            OptionSpec(
                name: "limit", value: "N", summary: "without --follow: at most so many (default 50)"
            ),
        ],
        examples: ["carillon events --follow --queue mail", "carillon events --type task.dead"],
        run: run)

    private static let filters = ["task", "queue", "handler", "schedule", "worker"]

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        var query: [(name: String, value: String)] = []
        for name in filters {
            if let value = invocation.value(name) { query.append((name, value)) }
        }
        for type in invocation.list("type") { query.append(("type", type)) }
        let format = try invocation.output()
        guard invocation.flag("follow") else {
            guard invocation.value("after") == nil else {
                throw .usage("--after goes with --follow")
            }
            return try list(invocation, format, query)
        }
        guard invocation.value("limit") == nil else {
            throw .usage("--limit does not go with --follow")
        }
        var after: EventFeed.Position?
        if let text = invocation.value("after") {
            after = EventFeed.Position(text)
            guard after != nil else { throw .usage("--after \(text): no event's id") }
        }
        var follower = try EventFollower(
            client: invocation.client(), query: query, after: after)
        let console = invocation.console
        try follower.run(note: { console.printError("carillon: " + $0) }) { event in
            write(event, format, to: console)
            return true
        }
        return 0
    }

    private static func list(
        _ invocation: Invocation, _ format: Invocation.OutputFormat,
        _ query: [(name: String, value: String)]
    ) throws(CommandFailure) -> Int32 {
        let limit = try invocation.integer("limit", in: 1...1_000_000) ?? 50
        let list = try ItemList.fetch(
            "/v1/events", query: query + [("follow", "false")], limit: limit,
            client: invocation.client())
        if format == .table, list.items.isEmpty {
            invocation.console.print("nothing happened lately")
        }
        // Served newest first, as all lists; read like a log.
        for event in list.items.reversed() { write(event, format, to: invocation.console) }
        return 0
    }

    /// One line each, also as JSON: there is no end to put a bracket at.
    private static func write(
        _ event: JSONValue, _ format: Invocation.OutputFormat, to console: Console
    ) {
        guard format == .table else { return console.write(Array(event.raw) + [0x0A]) }
        let type = event.shown("type")
        let padded = type + String(repeating: " ", count: max(0, 16 - type.count))
        let style = Style.of(state: event.shown("state"))
        var words = [event.shown("time"), style.applied(to: padded, on: console)]
        for name in ["task", "queue", "handler", "schedule", "nominal", "worker"] {
            let value = event.shown(name)
            if !value.isEmpty { words.append(value) }
        }
        let attempt = event.shown("attempt")
        if !attempt.isEmpty { words.append("#" + attempt) }
        console.print(words.joined(separator: "  "))
    }
}
