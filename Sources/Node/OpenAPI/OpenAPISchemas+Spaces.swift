import Scheduler

/// Queues, namespaces and templates.
extension OpenAPISchemas {
    private static let limited: [OpenAPISchema.Field] = [
        .maybe(
            "concurrency",
            .integer(
                "Attempts that run at the same time.", from: 1,
                to: Int(Limits.maxQueueConcurrency)
            ).orNull),
        .maybe("rate", .text("Attempts that start: \(RateText.rule).").orNull),
        .maybe(
            "burst",
            .integer(
                "How many may start at once after a rest.", from: 1, to: Int(Limits.maxRateCount)
            )
            .orNull),
    ]

    private static let settings: [OpenAPISchema.Field] =
        limited + [
            .maybe("priority", .reference("Priority", "Of tasks that name none.").orNull),
            .maybe(
                "maxPending",
                .integer("Tasks that may wait in it.", to: Limits.maxTasks).orNull),
            .maybe("paused", .flag("Nothing starts. If not given, it stays as it is.")),
            .maybe("breaker", .reference("Breaker").orNull),
            .maybe("errorWebhook", .address("Is told of each of its dead tasks.").orNull),
            .maybe("limits", .list(of: .reference("KeyLimit"), "At most four keys.")),
        ]

    static let spaces: [(name: String, schema: OpenAPISchema)] = [
        (
            "Queue",
            .object(
                [.always("name", .text("Its name."))]
                    + settings.map { .always($0.name, $0.schema) } + [
                        .always("pending", .integer("Tasks that wait for their time or a slot.")),
                        .always("ready", .integer("Those of them that are due.")),
                        .always(
                            "held",
                            .integer("Those of the due that wait for others with the same value.")),
                        .always("running", .integer("Attempts that run.")),
                        .always(
                            "nextTokenAt",
                            .time("When the rate lets the next one start; null: at once.").orNull),
                    ])
        ),
        (
            "QueueSettings",
            .object(
                settings,
                "A queue as it is put; what is not given is without limit. What is returned can be put again."
            )
        ),
        (
            "KeyLimit",
            .object(
                [.always("key", .text("A path into the payload, or `meta.` and a label's name."))]
                    + limited, "For tasks with the same value under a key.")
        ),
        (
            "Breaker",
            .object(
                [
                    .maybe("failures", .integer("It opens after so many in a row.", from: 1)),
                    .maybe(
                        "ratio",
                        OpenAPISchema(
                            .number,
                            "It opens when this share of what ended within `window` failed.")),
                    .maybe(
                        "minimum",
                        .integer("Ends within `window` at least.", from: 1).standard("20")),
                    .maybe("window", .duration("Goes with `ratio`.").standard("\"1m\"")),
                    .maybe("open", .duration("How long nothing starts.").standard("\"30s\"")),
                    .maybe(
                        "probes",
                        .integer("Attempts that are let through then.", from: 1).standard("1")),
                    .maybe("state", OpenAPISchema.choice(["closed", "open", "halfOpen"]).readOnly),
                    .maybe(
                        "until", OpenAPISchema.time("When it is open no longer.").orNull.readOnly),
                ], "Stops a queue whose tasks fail: by `failures` or by `ratio`.")
        ),
        (
            "Namespace",
            .object([
                .maybe("name", OpenAPISchema.text("Its name.").readOnly),
                .maybe("quotas", .reference("Quotas")),
                .maybe("retention", .reference("Retention")),
                .maybe("pending", OpenAPISchema.integer("Tasks that wait.").readOnly),
                .maybe("running", OpenAPISchema.integer("Attempts that run.").readOnly),
                .maybe("queues", OpenAPISchema.integer("Queues that there are.").readOnly),
            ])
        ),
        (
            "Quotas",
            .object(
                [
                    .maybe("pending", .integer("Tasks that may wait.", to: Limits.maxTasks).orNull),
                    .maybe(
                        "submitRate", .text("Tasks that may be submitted: \(RateText.rule).").orNull
                    ),
                    .maybe(
                        "submitBurst",
                        .integer(
                            "How many at once after a rest.", from: 1, to: Int(Limits.maxRateCount)
                        )
                        .orNull),
                    .maybe(
                        "running",
                        .integer(
                            "Attempts that may run at the same time.",
                            to: Int(Limits.maxQueueConcurrency)
                        ).orNull),
                ], "What is not given is without limit.")
        ),
        (
            "Retention",
            .object(
                ["succeeded", "cancelled", "expired", "dead"].map {
                    .maybe($0, .duration("How long such tasks are kept.").orNull)
                }
                    + ["maxFinished", "maxDead"].map {
                        .maybe(
                            $0,
                            .integer(
                                "How many of them.", to: Int(Retention.countRange.upperBound)
                            ).orNull)
                    }, "Of ended tasks; what is not given is as in the configuration.")
        ),
        (
            "Template",
            .object(
                [
                    .maybe("name", OpenAPISchema.text("Its name.").readOnly),
                    .always(
                        "task",
                        .map(
                            of: .anything(""),
                            "A task as it is submitted; `{{params.NAME}}` may stand in every value."
                        )),
                    .maybe(
                        "params",
                        .map(
                            of: .anything(""),
                            "Parameters with their defaults; null: must be given.")),
                    .maybe("createdAt", OpenAPISchema.time("When it was put first.").readOnly),
                    .maybe("updatedAt", OpenAPISchema.time("When it was put last.").readOnly),
                ], "A stored task with parameters.")
        ),
    ]
}
