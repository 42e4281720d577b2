import Scheduler

extension OpenAPISchemas {
    private static let timing: [OpenAPISchema.Field] = [
        .maybe("cron", .text("An expression of five or six fields, or such as `@daily`.")),
        .maybe("zone", .text("The IANA zone whose clock `cron` follows.").standard("\"UTC\"")),
        .maybe("every", .duration("Multiples of this period since 1970.")),
        .maybe("phase", .duration("By which `every` is moved.")),
        .maybe("at", .list(of: .time(""), "These instants.")),
    ]

    private static let policy: [OpenAPISchema.Field] = [
        .maybe(
            "overlap",
            .choice(
                OverlapPolicy.allCases.map(\.name),
                "When an occurrence comes and a task of the schedule has not ended."
            ).standard("\"allow\"")),
        .maybe(
            "catchUp",
            .anyOf(
                [
                    .choice(["none", "latest"]),
                    .object([
                        .always(
                            "all",
                            .integer(
                                "The latest so many.", from: 1, to: Int(CatchUpPolicy.maxAll)))
                    ]),
                    .object([.always("within", .duration("Those not later than that."))]),
                ], "What becomes of occurrences that nobody could fire in time."
            ).standard("\"latest\"")),
        .maybe("jitter", .duration("Tasks start up to so much later.").standard("\"0s\"")),
        .maybe(
            "dst",
            .object(
                [
                    .maybe(
                        "gap", .choice(DaylightPolicy.Gap.allCases.map(\.rawValue)).orNull),
                    .maybe(
                        "overlap",
                        .choice(DaylightPolicy.Overlap.allCases.map(\.rawValue)).orNull),
                ], "When clocks change; goes with `cron`.")),
        .maybe("until", .time("No occurrence is later.").orNull),
        .maybe("paused", .flag("Nothing runs. If not given, it stays as it is, at first false.")),
    ]

    private static let standing: [OpenAPISchema.Field] = [
        .always("template", .text("What its task was made from.").orNull),
        .always("createdAt", .time("When it was put for the first time.")),
        .always("next", .time("Its next occurrence; null while it is paused.").orNull),
        .always("last", .time("Its last occurrence.").orNull),
        .always("lastTask", .text("That one's task.").orNull),
        .always("waiting", .time("The occurrence that `buffer` keeps.").orNull),
        .always("zoneData", .text("The release of the time-zone data behind `next`.").orNull),
        .always(
            "counters",
            .object(
                ["ran", "skipped", "missed", "expired", "backfilled"].map {
                    .always($0, .integer(""))
                }, "Occurrences, by how they ended.")),
        .always("backfill", .reference("Backfill", "The last one.").orNull),
        .maybe("warnings", .list(of: .text(), "What is allowed and probably not meant.")),
    ]

    static let schedules: [(name: String, schema: OpenAPISchema)] = [
        (
            "Schedule",
            .object(
                [.always("name", .text("Its name."))] + timing
                    + policy.map { .always($0.name, $0.schema) }
                    + [.always("task", .reference("ScheduledTask"))] + standing)
        ),
        (
            "ScheduleSubmission",
            .object(
                timing + policy + [
                    .always("task", .reference("ScheduledTask")),
                    .maybe("template", .text("What its task was made from, as it is returned.")),
                ],
                "A schedule as it is put: `task`, and one of `cron`, `every` and `at`. What is returned can be put again."
            )
        ),
        (
            "Occurrence",
            .object(
                [
                    .always("at", .time("The first instant.")),
                    .always("count", .integer("How many ended so together.", from: 1)),
                    .always("state", .choice(OccurrenceState.allCases.map(\.name))),
                    .always("reason", .choice(OccurrenceReason.allCases.map(\.name))),
                    .always("task", .text("Its task.").orNull),
                ], "How an occurrence ended.")
        ),
        (
            "Occurrences",
            .page(of: "Occurrence")
        ),
        (
            "Preview",
            .object([
                .always(
                    "items",
                    .list(
                        of: .object([
                            .always("at", .time("The instant.")),
                            .always(
                                "change",
                                .choice(
                                    ["shifted", "repeated", "skipped"], "Where clocks change."
                                ).orNull),
                            .maybe(
                                "local",
                                .text("The reading that the clocks leave out: nothing runs.")),
                        ])))
            ])
        ),
        (
            "BackfillSubmission",
            .object([
                .always("from", .time("Occurrences from then on.")),
                .maybe("to", .time("The last instant; if not given: now.").orNull),
                .maybe(
                    "overlap",
                    .choice(["allow", "buffer"], "Beside each other, or one after the other.")
                        .standard("\"allow\"")),
            ])
        ),
        (
            "Backfill",
            .object(
                [
                    .always("state", .choice(["running", "done", "cancelled"])),
                    .always("from", .time("Occurrences from then on.")),
                    .always("to", .time("The last instant.")),
                    .always("overlap", .choice(["allow", "buffer"])),
                    .always("next", .time("Where it is.").orNull),
                    .always("ran", .integer("Tasks that it made.")),
                    .always("repeated", .integer("Occurrences that had fired.")),
                    .always("skipped", .integer("Occurrences that could not be made up for.")),
                    .always("startedAt", .time("When it began.")),
                    .always("finishedAt", .time("When it ended.").orNull),
                ], "Occurrences of the past that are made up for.")
        ),
    ]
}
