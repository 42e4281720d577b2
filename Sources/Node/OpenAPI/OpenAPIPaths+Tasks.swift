extension OpenAPIPaths {
    private static let attempt = OpenAPIParameter.query(
        "attempt", .integer("Which attempt's; if not given: the last one's.", from: 1))
    private static let bulk: [OpenAPIParameter] = [
        .query("limit", .integer("Tasks at most.", from: 1)), .wait, .idempotencyKey,
    ]
    private static let location = [(name: "Location", note: "Where to look how far it is.")]

    static let tasks = OpenAPIArea(
        name: "Tasks", note: "Units of work, from their submission to their end.",
        operations: [
            .get("/v1/tasks", "listTasks", "Tasks, newest first.")
                .with([.state] + OpenAPIParameter.taskFilters)
                .page(of: "Task", "A page of tasks."),
            .post("/v1/tasks", "submit", "Submits one task, many, or a workflow.")
                .with(.idempotencyKey)
                .takes([
                    (
                        "application/json",
                        .anyOf([
                            .reference("TaskSubmission"), .reference("WorkflowSubmission"),
                            .list(
                                of: .reference("TaskSubmission"),
                                "At most \(APILimits.maxBulkTasks), each on its own."),
                        ])
                    ), ("application/x-ndjson", .text("A task a line, each on its own.")),
                ])
                .answers(
                    201, .json(.anyOf([.reference("Task"), .reference("WorkflowStarted")])),
                    "It was taken."
                )
                .answers(
                    200,
                    .json(
                        .anyOf([
                            .reference("Submissions"), .reference("Task"),
                            .reference("ForgottenTask"), .reference("WorkflowStarted"),
                        ])), "What became of each of many; or what the key brought about before."
                )
                .refuses(409),
            .get("/v1/tasks/{task}", "getTask", "A task.")
                .answers(200, "Task", "The task.").refuses(404),
            .delete(
                "/v1/tasks/{task}", "cancelTask",
                "Cancels a task, an attempt is stopped; or with `purge` forgets one that has ended."
            )
            .with(.query("purge", .flag("It has ended, and is to be forgotten.")))
            .answers(200, "Task", "The task.").answers(204, .none, "It is forgotten.")
            .refuses(404, 409),
            .post("/v1/tasks/{task}/retry", "retryTask", "Runs a task again, with fresh attempts.")
                .answers(200, "Task", "The task.").refuses(404, 409),
            .get("/v1/tasks/{task}/wait", "awaitTask", "Waits for a task's end.")
                .answers(200, "Task", "The task, ended or as it is when the time is over.")
                .refuses(404),
            .get("/v1/tasks/{task}/explain", "explainTask", "Why a task does not run.")
                .answers(200, "Explanation", "What holds it back.").refuses(404),
            .get("/v1/tasks/{task}/result", "getResult", "A task's result alone.")
                .answers(200, .json(.anything("")), "The result, byte for byte.")
                .refuses(404, 409, 410),
            .get("/v1/tasks/{task}/logs", "getLog", "What an attempt wrote to standard error.")
                .with(attempt)
                .answers(
                    200, .other("text/plain"), "The log; of one that runs, what there is so far.",
                    headers: [(name: "Carillon-Attempt", note: "The attempt's number.")]
                ).refuses(404, 410),
            .post("/v1/tasks/batch", "beginJob", "Does one thing to all tasks that match.")
                .with(.wait, .idempotencyKey).takes("BulkAction")
                .answers(200, "BulkJob", "It has ended.")
                .answers(202, "BulkJob", "It goes on.", headers: location).refuses(409),
        ])

    static let dead = OpenAPIArea(
        name: "Dead tasks", note: "Tasks whose attempts are spent.",
        operations: [
            .get("/v1/dead", "listDead", "Dead tasks, newest first.")
                .with(OpenAPIParameter.taskFilters).page(of: "Task", "A page of tasks."),
            .delete("/v1/dead", "deleteDead", "Forgets dead tasks: all that match.")
                .with(OpenAPIParameter.taskFilters + bulk)
                .answers(200, "BulkJob", "It has ended.")
                .answers(202, "BulkJob", "It goes on.", headers: location).refuses(409),
            .post("/v1/dead/retry", "retryDead", "Brings dead tasks back: all that match.")
                .with(OpenAPIParameter.taskFilters + bulk)
                .answers(200, "BulkJob", "It has ended.")
                .answers(202, "BulkJob", "It goes on.", headers: location).refuses(409),
        ])

    static let jobs = OpenAPIArea(
        name: "Bulk jobs", note: "What is done to many tasks at once.",
        operations: [
            .get("/v1/jobs", "listJobs", "Jobs, newest first.").page(
                of: "BulkJob", "A page of jobs."),
            .get(
                "/v1/jobs/{job}", "getJob",
                "A job, at once; or with `wait`, as soon as it has ended."
            )
            .with(.wait).answers(200, "BulkJob", "The job.").refuses(404),
            .delete("/v1/jobs/{job}", "stopJob", "Stops a job; what it has done stays done.")
                .answers(200, "BulkJob", "The job.").refuses(404, 409),
        ])

    static let workflows = OpenAPIArea(
        name: "Workflows", note: "Tasks that were submitted in one piece.",
        operations: [
            .get("/v1/workflows/{workflow}", "getWorkflow", "A workflow.")
                .answers(200, "Workflow", "The workflow.").refuses(404),
            .delete("/v1/workflows/{workflow}", "cancelWorkflow", "Cancels all that has not ended.")
                .answers(200, "Workflow", "The workflow.").refuses(404, 409),
        ])
}
