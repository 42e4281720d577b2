import Scheduler

/// Workflows and bulk jobs.
extension OpenAPISchemas {
    static let jobs: [(name: String, schema: OpenAPISchema)] = [
        (
            "Workflow",
            .object(
                [
                    .always("id", .text("Given by the cluster.")),
                    .always(
                        "state",
                        .choice(
                            ["running", "succeeded", "failed"],
                            "`failed`: a task is dead, cancelled or expired.")),
                    .always("progress", .integer("Tasks that have ended, in percent.", to: 100)),
                    .always("total", .integer("All tasks.")),
                    .always(
                        "counts",
                        .map(
                            of: .integer(""),
                            "Tasks by their state; `forgotten`: those that are not kept any more.")),
                    .always(
                        "tasks",
                        .list(
                            of: .object([
                                .always("id", .text("The task's id.")),
                                .always("name", .text("Its name in the workflow.").orNull),
                                .always("state", .reference("TaskState")),
                            ]))),
                ], "Tasks that were submitted in one piece.")
        ),
        (
            "WorkflowSubmission",
            .object(
                [
                    .maybe("chain", .list(of: .reference("WorkflowPart"), "One after the other.")),
                    .maybe("group", .list(of: .reference("WorkflowPart"), "Side by side.")),
                    .maybe(
                        "then",
                        .reference("WorkflowPart", "What comes when all of the group have ended.")),
                    .maybe("key", .text("Identity of the whole.").orNull),
                ], "Either `chain`, or `group` and perhaps `then`.")
        ),
        (
            "WorkflowPart",
            .anyOf([
                .reference("WorkflowTask"),
                .object([
                    .always("chain", .list(of: .reference("WorkflowPart"), "One after the other."))
                ]),
                .object([
                    .always("group", .list(of: .reference("WorkflowPart"), "Side by side.")),
                    .maybe("then", .reference("WorkflowPart", "What comes when all have ended.")),
                ]),
            ])
        ),
        (
            "WorkflowTask",
            .object(
                workflowTask,
                "A task, with a name by which others of the workflow can wait for it in `after`.")
        ),
        (
            "WorkflowStarted",
            .object([
                .always("id", .text("The workflow's id.")),
                .always(
                    "tasks",
                    .list(
                        of: .object([
                            .always("id", .text("The task's id.")),
                            .always("name", .text("Its name in the workflow.").orNull),
                        ]))),
            ])
        ),
        (
            "TaskFilter",
            .object(
                [
                    .maybe(
                        "state",
                        .anyOf([.reference("TaskState"), .list(of: .reference("TaskState"))])),
                    .maybe("queue", .text("Of this queue.")),
                    .maybe("handler", .text("With this handler.")),
                    .maybe("schedule", .text("Made by this schedule.")),
                    .maybe("workflow", .text("Of this workflow.")),
                    .maybe("worker", .text("That run, or ran last, on this worker.")),
                    .maybe("tag", .text("With this tag.")),
                    .maybe(
                        "q",
                        .text(
                            "With this text in id, handler, key or error, in capitals (A to Z) or not."
                        )),
                    .maybe("since", .time("Created then or later.")),
                    .maybe("until", .time("Created before.")),
                    .maybe("meta", .map(of: .text(), "With these labels.")),
                ], "What all tasks must agree with; `{}`: all tasks.")
        ),
        (
            "BulkAction",
            .object([
                .always(
                    "action",
                    .choice(
                        BulkSpec.Action.allCases.map(\.name),
                        "`retry` brings back what is dead, cancelled or expired; `delete` forgets what has ended."
                    )),
                .always("filter", .reference("TaskFilter")),
                .maybe("limit", .integer("Tasks at most.", from: 1, to: Limits.maxTasks).orNull),
                .maybe(
                    "key", .text("Identity: the same key again brings back the first job.").orNull),
            ])
        ),
        (
            "BulkJob",
            .object(
                [
                    .always("id", .text("Given by the cluster.")),
                    .always("state", .choice(["running", "done", "stopped"])),
                    .always("action", .choice(BulkSpec.Action.allCases.map(\.name))),
                    .always("filter", .reference("TaskFilter")),
                    .always("limit", .integer("Tasks at most.").orNull),
                    .always("key", .text("Identity.").orNull),
                    .maybe("cancelled", .integer("Tasks that were cancelled.")),
                    .maybe("retried", .integer("Tasks that were brought back.")),
                    .maybe("deleted", .integer("Tasks that were forgotten.")),
                    .always("progress", .integer("In percent.", to: 100)),
                    .always("more", .flag("It ended by its limit.")),
                    .always("createdAt", .time("When it began.")),
                    .always("finishedAt", .time("When it ended.").orNull),
                ],
                "One thing that is done to many tasks, portion by portion. One of three counts stands there, by `action`."
            )
        ),
    ]

    private static let workflowTask: [OpenAPISchema.Field] =
        fields(of: "TaskSubmission").filter { $0.name != "key" } + [
            .maybe("name", .text("Its name in the workflow.").orNull)
        ]

    /// Of a task's schema: what is made from it is written once.
    private static func fields(of name: String) -> [OpenAPISchema.Field] {
        guard case .object(let fields) = tasks.first(where: { $0.name == name })?.schema.shape
        else { preconditionFailure("\(name) is an object") }
        return fields
    }
}
