import Scheduler

/// Parameters that many operations have.
extension OpenAPIParameter {
    private static func shared(
        _ name: String, _ schema: OpenAPISchema, in place: Place = .query
    ) -> OpenAPIParameter {
        OpenAPIParameter(name: name, place: place, schema: schema, component: name)
    }

    private static func path(_ name: String, _ note: String) -> OpenAPIParameter {
        OpenAPIParameter(
            name: name, place: .path, schema: .text(note), isRequired: true,
            component: "\(name)InPath")
    }

    /// What stands in paths, under the names in braces.
    static let paths: [OpenAPIParameter] = [
        .path("task", "A task's id."),
        OpenAPIParameter(
            name: "attempt", place: .path,
            schema: .integer("The number of an attempt.", from: 1), isRequired: true,
            component: "attemptInPath"),
        .path("workflow", "A workflow's id."),
        .path("job", "A bulk job's id."),
        .path("schedule", "A schedule's name: \(NameRule.ownName)."),
        .path("queue", "A queue's name: \(NameRule.ownName)."),
        .path("template", "A template's name: \(NameRule.ownName)."),
        .path("namespace", "A namespace's name: \(NameRule.id)."),
        .path("worker", "A worker's id."),
        .path("member", "A node's id."),
    ]

    static let timeout = shared(
        "timeout",
        .duration(
            "How long to wait for the cluster, at most \(DurationText.format(APILimits.maxTimeoutMilliseconds))."
        )
        .standard("\"\(DurationText.format(APILimits.defaultTimeoutMilliseconds))\""))
    static let stale = shared(
        "stale",
        .flag("Show this node's own state at once, also without a leader.").standard("false"))
    static let limit = shared(
        "limit",
        .integer("Items of a page at most.", from: 1, to: APILimits.maxListItems)
            .standard("\(APILimits.defaultListItems)"))
    static let cursor = shared("cursor", .text("Where the page begins: `next` of the one before."))
    static let wait = shared(
        "wait",
        .duration("How long to wait for the job's end.")
            .standard("\"\(DurationText.format(APILimits.defaultBulkWaitMilliseconds))\""))
    static let idempotencyKey = shared(
        "Idempotency-Key",
        .text(
            "The same key again, with the same request, is answered with what it brought about the first time."
        ),
        in: .header)
    static let namespace = shared(
        "X-Carillon-Namespace",
        .text(
            "Whose tasks, queues, schedules and templates are meant. That of the path goes first."
        )
        .standard("\"\(Namespace.standard.name)\""),
        in: .header)
    static let session = OpenAPIParameter.query(
        "session", .text("As it was given when the worker attached."), isRequired: true)

    /// Filters of tasks, but for their state.
    static let taskFilters: [OpenAPIParameter] = [
        shared("queue", .text("Of this queue.")),
        shared("handler", .text("With this handler.")),
        shared("schedule", .text("Made by this schedule.")),
        shared("workflow", .text("Of this workflow.")),
        shared("worker", .text("That run, or ran last, on this worker.")),
        shared("tag", .text("With this tag.")),
        shared(
            "meta",
            .map(
                of: .text(),
                "Labels that a task must have: names are `meta.` and the label's name, as in `meta.team=blue`."
            )),
        shared(
            "q", .text("With this text in id, handler, key or error, in capitals (A to Z) or not.")),
        shared("since", .time("Created then or later.")),
        shared("until", .time("Created before.")),
    ]

    static let state = OpenAPIParameter.query(
        "state",
        .list(
            of: .reference("TaskState"),
            "In one of these states: repeated, or with commas between them."))

    /// Those that stand in `components/parameters`.
    static let components: [OpenAPIParameter] =
        paths + [.timeout, .stale, .limit, .cursor, .wait, .idempotencyKey, .namespace]
        + taskFilters
}
