extension OpenAPIPaths {
    private static let count = OpenAPIParameter.query(
        "count",
        .integer("How many.", from: 1, to: APILimits.maxPreviewItems)
            .standard("\(APILimits.defaultPreviewItems)"))

    static let schedules = OpenAPIArea(
        name: "Schedules", note: "What makes tasks by the clock.",
        operations: [
            .get("/v1/schedules", "listSchedules", "Schedules, by name.")
                .page(of: "Schedule", "A page of schedules."),
            .get("/v1/schedules/{schedule}", "getSchedule", "A schedule.")
                .answers(200, "Schedule", "The schedule.").refuses(404),
            .put("/v1/schedules/{schedule}", "putSchedule", "Creates or replaces a schedule.")
                .takes("ScheduleSubmission")
                .answers(201, "Schedule", "It was created.")
                .answers(200, "Schedule", "It was replaced."),
            .delete("/v1/schedules/{schedule}", "deleteSchedule", "Deletes it; its tasks stay.")
                .answers(204, .none, "It is gone.").refuses(404),
            .post(
                "/v1/schedules/{schedule}/pause", "pauseSchedule",
                "Nothing runs until it is resumed."
            )
            .answers(200, "Schedule", "The schedule.").refuses(404),
            .post("/v1/schedules/{schedule}/resume", "resumeSchedule", "It goes on.")
                .answers(200, "Schedule", "The schedule.").refuses(404, 409),
            .post("/v1/schedules/{schedule}/trigger", "triggerSchedule", "Runs its task once, now.")
                .with(.idempotencyKey).answers(201, "Task", "The task.")
                .answers(
                    200, .json(.anyOf([.reference("Task"), .reference("ForgottenTask")])),
                    "What the key brought about before."
                ).refuses(404, 409),
            .get("/v1/schedules/{schedule}/preview", "previewSchedule", "Its next times.")
                .with(count).answers(200, "Preview", "The times.").refuses(404, 409),
            .get(
                "/v1/schedules/{schedule}/occurrences", "listOccurrences",
                "How its last hundred occurrences ended, newest first."
            ).answers(200, "Occurrences", "The occurrences.").refuses(404),
            .post(
                "/v1/schedules/{schedule}/backfill", "beginBackfill",
                "Makes up for past occurrences."
            )
            .takes("BackfillSubmission")
            .answers(202, "Schedule", "The schedule; `backfill` tells how far it is.")
            .refuses(404, 409),
            .delete("/v1/schedules/{schedule}/backfill", "cancelBackfill", "Ends the backfill.")
                .answers(200, "Schedule", "The schedule.").refuses(404, 409),
        ])

    static let queues = OpenAPIArea(
        name: "Queues", note: "Where tasks wait; a queue is there as soon as it is named.",
        operations: [
            .get("/v1/queues", "listQueues", "Queues, by name.").page(
                of: "Queue", "A page of queues."),
            .get("/v1/queues/{queue}", "getQueue", "A queue.")
                .answers(200, "Queue", "The queue.").refuses(404),
            .put("/v1/queues/{queue}", "putQueue", "Replaces its settings.")
                .takes("QueueSettings").answers(200, "Queue", "The queue."),
            .delete(
                "/v1/queues/{queue}", "resetQueue", "Forgets its settings; its tasks stay."
            )
            .answers(204, .none, "It has none any more.").refuses(404),
            .post(
                "/v1/queues/{queue}/pause", "pauseQueue", "Nothing of it starts; what runs goes on."
            )
            .answers(200, "Queue", "The queue."),
            .post("/v1/queues/{queue}/resume", "resumeQueue", "It goes on.")
                .answers(200, "Queue", "The queue."),
        ])

    static let templates = OpenAPIArea(
        name: "Templates", note: "Stored tasks with parameters.",
        operations: [
            .get("/v1/templates", "listTemplates", "Templates, by name.")
                .page(of: "Template", "A page of templates."),
            .get("/v1/templates/{template}", "getTemplate", "A template.")
                .answers(200, "Template", "The template.").refuses(404),
            .put("/v1/templates/{template}", "putTemplate", "Creates or replaces a template.")
                .takes("Template")
                .answers(201, "Template", "It was created.")
                .answers(200, "Template", "It was replaced."),
            .delete("/v1/templates/{template}", "deleteTemplate", "What was made from it stays.")
                .answers(204, .none, "It is gone.").refuses(404),
        ])

    static let namespaces = OpenAPIArea(
        name: "Namespaces",
        note: "Where tasks, queues, schedules and templates live, and how much they may.",
        operations: [
            .get("/v1/namespaces", "listNamespaces", "Namespaces, by name.")
                .page(of: "Namespace", "A page of namespaces."),
            .get("/v1/namespaces/{namespace}", "getNamespace", "A namespace.")
                .answers(200, "Namespace", "The namespace.").refuses(404),
            .put("/v1/namespaces/{namespace}", "putNamespace", "Sets its quotas.")
                .takes("Namespace")
                .answers(201, "Namespace", "It was created.")
                .answers(200, "Namespace", "It was put before."),
            .delete("/v1/namespaces/{namespace}", "deleteNamespace", "Deletes an empty namespace.")
                .answers(204, .none, "It is gone.").refuses(404, 409),
        ])
}
