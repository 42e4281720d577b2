import Scheduler

extension OpenAPISchemas {
    /// What a task is made of, alone or in a schedule: the part that is submitted and returned alike.
    private static let taskFields: [OpenAPISchema.Field] = [
        .maybe("handler", .text("What runs it. Required, unless a template has it.")),
        .maybe(
            "payload",
            .anything("Any JSON, kept and returned byte for byte, at most 1 MiB.").standard("null")),
        .maybe("queue", .text("Where it waits.").standard("\"default\"")),
        .maybe("priority", .reference("Priority", "If not given: the queue's, or 5.")),
        .maybe("retry", .reference("Retry")),
        .maybe("timeout", .duration("Longest run of one attempt.").standard("\"5m\"")),
        .maybe(
            "overallTimeout",
            .duration("Longest time to its end, with all attempts and the waits between.").orNull),
        .maybe(
            "expires", .duration("How late it may still start; null: as late as you like.").orNull),
        .maybe("tags", .list(of: .text(), "A worker must have all of them.")),
        .maybe(
            "routingKey",
            .text("Tasks with the same key go to the same worker while it lives.").orNull),
        .maybe(
            "delivery",
            .choice(
                ["atLeastOnce", "atMostOnce"],
                "`atMostOnce`: only what the handler told to have failed, or never began, is repeated."
            ).standard("\"atLeastOnce\"")),
        .maybe("webhook", .address("Is told of its end.").orNull),
        .maybe("meta", .map(of: .text(), "Labels.")),
        .maybe(
            "cache",
            .duration("A result of the same handler and payload will do that is not older.").orNull),
    ]

    private static let template: [OpenAPISchema.Field] = [
        .maybe(
            "template", .text("The template whose task it is; other fields go before it.").orNull),
        .maybe("params", .map(of: .anything(""), "Values for the template's parameters.")),
    ]

    private static let start: [OpenAPISchema.Field] = [
        .maybe("delay", .duration("How long from now it is due. Not beside `runAt`.")),
        .maybe("runAt", .time("When it is due; a time in the past means now.").orNull),
    ]

    private static let dependencies: [OpenAPISchema.Field] = [
        .maybe("after", .list(of: .text(), "Tasks that have to succeed first.")),
        .maybe(
            "onDependencyFailure",
            .choice(
                TaskSpec.DependencyPolicy.allCases.map(\.name),
                "What becomes of it if one of them is dead, cancelled or expired."
            ).standard("\"cancel\"")),
    ]

    private static let key = OpenAPISchema.Field.maybe(
        "key", .text("Identity: the same key again brings back the first task.").orNull)

    /// Every field always stands there.
    private static func returned(_ fields: [OpenAPISchema.Field]) -> [OpenAPISchema.Field] {
        fields.map { .always($0.name, $0.schema) }
    }

    private static let state: [OpenAPISchema.Field] = [
        .always("id", .text("Given by the cluster.")),
        .always("namespace", .text("Where it lives.")),
        .always("state", .reference("TaskState")),
    ]

    private static let standing: [OpenAPISchema.Field] = [
        .always("runAt", .time("When it is due, or was; moves with every pause before a retry.")),
        .always("attempt", .integer("The number of the current or last attempt; 0: none yet.")),
        .always("worker", .text("Runs it, or ran its last attempt.").orNull),
        .always("createdAt", .time("When it was taken.")),
        .always("startedAt", .time("When the current or last attempt began.").orNull),
        .always("finishedAt", .time("When it ended for good.").orNull),
        .always("result", .anything("What its handler returned, if that is part of the state.")),
        .always("storedResult", .reference("StoredResult", "Where a large result is.").orNull),
        .always("error", .reference("TaskError", "Why it failed last.").orNull),
        .always("progress", .integer("In percent.", to: 100).orNull),
        .always("progressNote", .text("In words.").orNull),
        .always("cached", .flag("It was answered with the result of another one.")),
        .always("cachedFrom", .text("That one's id.").orNull),
        .always("schedule", .text("The occurrence that it is, `name@time`.").orNull),
        .always("workflow", .text("The workflow's id.").orNull),
        .always("template", .text("What it was made from.").orNull),
        .always("attempts", .list(of: .reference("Attempt"), "The last 20.")),
    ]

    static let tasks: [(name: String, schema: OpenAPISchema)] = [
        (
            "TaskState", .choice(TaskState.allCases.map(\.name))
        ),
        (
            "Task",
            .object(
                state + returned(taskFields) + returned([key]) + returned(dependencies) + standing,
                "A task. Every field is always there.")
        ),
        (
            "TaskSubmission",
            .object(
                taskFields + start + [key] + dependencies + template,
                "A task as it is submitted; `handler` or `template` is required.")
        ),
        (
            "ScheduledTask",
            .object(
                taskFields + template,
                "What a schedule runs. `{{occurrence}}` in its payload becomes the occurrence's id."
            )
        ),
        (
            "Priority",
            .anyOf([
                .integer("Higher first.", to: 9),
                .choice(["low", "normal", "high"], "2, 5 and 8; returned as a number."),
            ])
        ),
        (
            "Retry",
            .object(
                [
                    .maybe(
                        "attempts",
                        .integer("How often it is tried.", from: 1, to: Int(Limits.maxAttempts))
                            .standard("3")),
                    .maybe(
                        "backoff",
                        .choice(["exponential", "linear", "fixed"], "How the pauses grow.")
                            .standard("\"exponential\"")),
                    .maybe("initial", .duration("The first pause.").standard("\"1s\"")),
                    .maybe("max", .duration("The longest pause.").standard("\"5m\"")),
                    .maybe("jitter", .flag("Pauses are varied.").standard("true")),
                    .maybe(
                        "kinds",
                        .list(of: .text(), "Only failures of these kinds are tried again.").orNull),
                ], "How often, and when, a failed attempt is repeated.")
        ),
        (
            "TaskError",
            .object([
                .always("message", .text("For people.")),
                .always("kind", .text("Such as `exit`, `timeout`, `http` or `lost`.")),
                .always("attempt", .integer("Which attempt failed.")),
            ])
        ),
        (
            "StoredResult",
            .object([
                .always("bytes", .integer("Its length.")),
                .always("sha256", .text("Its SHA-256, in hexadecimal digits.")),
                .always("node", .text("The node that has it; empty: a bucket.")),
            ])
        ),
        (
            "Attempt",
            .object([
                .always("attempt", .integer("Its number, from 1.", from: 1)),
                .always("worker", .text("Where it ran.")),
                .always("startedAt", .time("When it began.")),
                .always("finishedAt", .time("When it ended.").orNull),
                .always(
                    "outcome",
                    .choice([
                        "running", "succeeded", "failed", "timeout", "lost", "cancelled",
                        "returned",
                    ])),
                .always("logBytes", .integer("The length of its log, if it is kept.").orNull),
            ])
        ),
        (
            "ForgottenTask",
            .object(
                [
                    .always("id", .text("The first task's.")),
                    .always("state", .anything("Null.")),
                ], "The key is remembered, and its task is not kept any more.")
        ),
        (
            "Submissions",
            .object(
                [
                    .always(
                        "items",
                        .list(
                            of: .object([
                                .maybe("id", .text("The task's id.")),
                                .maybe("existed", .flag("True: the key was known.")),
                                .maybe("error", .reference("Problem")),
                            ])))
                ], "What became of each, in the same order.")
        ),
        (
            "Explanation",
            .object(
                [
                    .always("id", .text("The task's id.")),
                    .always("state", .reference("TaskState")),
                    .always("expiresAt", .time("When it is too late to start it.").orNull),
                    .always("constraints", .list(of: .reference("Constraint"))),
                ], "Why a task does not run.")
        ),
        (
            "Constraint",
            .object(
                [
                    .always("constraint", .choice(constraints)),
                    .always("detail", .text("In words.")),
                    .maybe("until", .time("When it is over by itself.")),
                    .always("release", .text("What would end it.")),
                ], "Something that holds a task back.")
        ),
    ]

    private static let constraints = [
        "notDue", "dependency", "queuePaused", "queueConcurrency", "quota", "queueRate",
        "breakerOpen", "breakerHalfOpen", "keyLimit", "noWorker", "noWorkerWithTags", "slotsBusy",
        "running", "ended",
    ]
}
