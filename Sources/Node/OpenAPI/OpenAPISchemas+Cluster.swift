import Scheduler

/// Workers, the cluster, events, and what is wrong.
extension OpenAPISchemas {
    private static let attemptName: [OpenAPISchema.Field] = [
        .always("task", .text("The task's id.")),
        .always("attempt", .integer("The attempt's number.", from: 1)),
    ]

    private static let session = OpenAPISchema.Field.always(
        "session", .text("As it was given when the worker attached."))

    private static let end: [OpenAPISchema.Field] = [
        .always(
            "outcome",
            .choice(
                ["succeeded", "failed", "returned"],
                "`returned` hands it back without an attempt being spent.")),
        .maybe("result", .anything("Of one that succeeded; at most 8 MiB.")),
        .maybe("error", .text("Of one that failed, for people.")),
        .maybe("kind", .text("Of one that failed, for `retry.kinds`.").standard("\"error\"")),
        .maybe("retry", .flag("False: it can't get better.").standard("true")),
        .maybe("retryAfter", .duration("The pause before the next attempt.")),
        .maybe("log", .text("What it had to say, at most 1 MiB.")),
        .maybe(
            "begun",
            .flag("False, of one that did not succeed: its handler surely never began.")
                .standard("true")),
    ]

    static let workers: [(name: String, schema: OpenAPISchema)] = [
        (
            "Worker",
            .object([
                .always("id", .text("A node's own worker has the node's id.")),
                .always("state", .choice(["live", "draining", "lost"])),
                .always("slots", .integer("Attempts that it runs at the same time.")),
                .always("running", .integer("Attempts that it runs.")),
                .always("handlers", .list(of: .text())),
                .always("tags", .list(of: .text())),
                .always("lastHeartbeat", .time("Known to the leader only.").orNull),
            ])
        ),
        (
            "WorkerSubmission",
            .object([
                .always("id", .text("Its id: \(NameRule.id).")),
                .always("handlers", .list(of: .text(), "What it can run.")),
                .maybe("tags", .list(of: .text())),
                .maybe(
                    "slots",
                    .integer(
                        "Attempts that it runs at the same time.", from: 1,
                        to: Int(Limits.maxSlotsPerWorker)
                    ).standard("1")),
            ])
        ),
        (
            "WorkerSession",
            .object([
                .always("session", .text("Goes with every further request.")),
                .always("heartbeat", .duration("How often it beats, in milliseconds.")),
                .always("lease", .duration("How long it runs without an answer, in milliseconds.")),
            ])
        ),
        (
            "Assignments",
            .object([
                .always(
                    "items",
                    .list(
                        of: .object(
                            attemptName + [
                                .always("fence", .integer("Rises with every attempt of a task.")),
                                .always("handler", .text("What runs it.")),
                                .always("payload", .anything("As it was submitted.")),
                                .always(
                                    "deadline", .time("Its latest end, by the cluster's clock.")),
                                .always("timeout", .duration("The same, from its start.")),
                                .always("scheduledAt", .time("When it was due.")),
                                .always("schedule", .text("The occurrence that it is.").orNull),
                                .always("namespace", .text("Where the task lives.")),
                                .always(
                                    "delivery",
                                    .text("Whether what it does may be done more than once.")),
                                .maybe(
                                    "inputs",
                                    .map(
                                        of: .anything(""),
                                        "Results of the tasks that it has waited for, by name or id."
                                    )),
                            ])))
            ])
        ),
        ("AttemptName", .object(attemptName)),
        (
            "Heartbeat",
            .object([
                session, .always("running", .list(of: .reference("AttemptName"), "What it runs.")),
            ])
        ),
        (
            "HeartbeatAnswer",
            .object([.always("cancel", .list(of: .reference("AttemptName"), "What it must stop."))])
        ),
        ("AttemptEnd", .object([session] + end)),
        (
            "AttemptEnds",
            .object([session, .always("items", .list(of: .object(attemptName + end)))])
        ),
        (
            "AttemptEndsAnswer",
            .object(
                [
                    .always(
                        "items",
                        .list(
                            of: .object(
                                attemptName + [
                                    .maybe("state", .reference("TaskState").orNull),
                                    .maybe("error", .reference("Problem")),
                                ])))
                ], "What became of each, in the same order.")
        ),
        (
            "AttemptEnded",
            .object([
                .always("id", .text("The task's id.")),
                .always("state", .reference("TaskState").orNull),
            ])
        ),
        (
            "Progress",
            .object([
                .maybe("session", .text("Of the attached worker that runs it.")),
                .maybe("fence", .integer("Of the attempt, from whoever was handed it.", from: 1)),
                .maybe("progress", .integer("In percent.", to: 100)),
                .maybe("note", .text("In words.")),
            ])
        ),
    ]

    static let cluster: [(name: String, schema: OpenAPISchema)] = [
        (
            "Cluster",
            .object(
                [
                    .always("cluster", .text("Its name.")),
                    .always("node", .text("The node that answers.")),
                    .always("leader", .text("Null: it knows none.").orNull),
                    .always("term", .integer("Rises with every election.")),
                    .always("commit", .integer("The last log index that is agreed on.")),
                    .always("applied", .integer("The last one that this node shows.")),
                    .always("stateVersion", .integer("The rules that the cluster works by.")),
                    .always("changing", .flag("Members come or go.")),
                    .always("joint", .flag("Old and new majorities decide together.")),
                    .always("problem", .text("Why this node is no member.").orNull),
                    .always("members", .list(of: .reference("Member"))),
                ], "As one node sees it, without asking anyone.")
        ),
        (
            "Member",
            .object([
                .always("id", .text("The node's id.")),
                .maybe("directory", .text("Which data directory it has.")),
                .maybe("peer", .text("Where nodes reach it.").orNull),
                .maybe("api", .text("Where clients reach it.").orNull),
                .always(
                    "role",
                    .choice(["leader", "follower", "learner", "none"], "`none`: it has gone.")),
                .maybe("change", .choice(["joining", "leaving"], "Until it is over.").orNull),
                .maybe("alive", .flag("The leader hears it, or this node is connected to it.")),
                .maybe("match", .integer("The last log index stored there.").orNull),
                .maybe("lag", .integer("Entries that are missing there; the leader knows.").orNull),
            ])
        ),
        (
            "MemberSubmission",
            .object([
                .always("id", .text("The node's id: \(NameRule.id).")),
                .maybe("peer", .text("HOST:PORT, if it does not call by itself.")),
                .maybe("api", .text("HOST:PORT, likewise.")),
            ])
        ),
        (
            "Transfer",
            .object([.maybe("to", .text("Who shall lead; if not given, the best one."))])
        ),
        (
            "Leadership",
            .object([
                .always("leader", .text("Who leads now.").orNull),
                .always("term", .integer("Its term.")),
            ])
        ),
        (
            "Backup",
            .object([
                .always("cluster", .text("The cluster's name.")),
                .always("node", .text("The node that holds it.")),
                .always("index", .integer("It holds all entries up to here.")),
                .always("term", .integer("That entry's term.")),
                .always("bytes", .integer("Its length.")),
                .always("checksum", .text("Of all its bytes.")),
            ])
        ),
        (
            "Event",
            .object(
                [
                    .always("id", .text("The same on every node.")),
                    .always("type", .text("Such as `task.running` or `queue.changed`.")),
                    .always("time", .time("When it happened.")),
                ]
                    + [
                        "task", "state", "namespace", "queue", "handler", "schedule", "worker",
                        "nominal", "reason", "breaker",
                    ].map { .maybe($0, .text()) } + [
                        .maybe("attempt", .integer("The attempt's number.")),
                        .maybe("count", .integer("Occurrences that ended so together.")),
                        .maybe("paused", .flag("Of a queue.")),
                    ], "Which fields it has depends on its type.")
        ),
        ("Health", .object([.always("status", .choice(["up", "ready"]))])),
        (
            "Problem",
            .object(
                [
                    .always("type", .text("May be relied on: `urn:carillon:problem:` and a name.")),
                    .always("title", .text("That of the status.")),
                    .always("status", .integer("That of the answer.", from: 400, to: 599)),
                    .always("detail", .text("For people.")),
                    .maybe("retryAfter", .duration("With 429 and 503: as in Retry-After.")),
                    .maybe(
                        "errors",
                        .list(
                            of: .object([
                                .always(
                                    "pointer",
                                    .text("A JSON pointer into the body, or `?` and a parameter.")),
                                .always("detail", .text("For people.")),
                            ]))),
                ], "RFC 9457.")
        ),
    ]
}
