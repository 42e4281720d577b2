extension OpenAPIPaths {
    private static let poll = OpenAPIParameter.query(
        "wait",
        .duration("How long to wait for something to do.")
            .standard("\"\(DurationText.format(APILimits.defaultPollMilliseconds))\""))

    static let workers = OpenAPIArea(
        name: "Workers",
        note: "What runs tasks: one in every node, and others that attach over HTTP.",
        operations: [
            .get("/v1/workers", "listWorkers", "Workers, by id.").page(
                of: "Worker", "A page of workers."),
            .post("/v1/workers", "attachWorker", "A worker attaches.")
                .with(.idempotencyKey).takes("WorkerSubmission").answers(
                    201, "WorkerSession", "Its session."
                ).refuses(
                    409),
            .get("/v1/workers/{worker}", "getWorker", "A worker.")
                .answers(200, "Worker", "The worker.").refuses(404),
            .delete("/v1/workers/{worker}", "detachWorker", "A worker leaves.")
                .with(.session).answers(204, .none, "It has left.").refuses(409),
            .post("/v1/workers/{worker}/drain", "drainWorker", "It gets nothing new.")
                .answers(200, "Worker", "The worker.").refuses(404, 409),
            .post("/v1/workers/{worker}/undrain", "undrainWorker", "It gets work again.")
                .answers(200, "Worker", "The worker.").refuses(404, 409),
            OpenAPIOperation.get(
                "/v1/workers/{worker}/assignments", "pollAssignments",
                "What it has to do, as soon as there is something.", .writes
            ).with(.session, poll).answers(200, "Assignments", "Perhaps nothing.").refuses(409),
            .post(
                "/v1/workers/{worker}/heartbeat", "beat", "A worker lives, and says what it runs."
            )
            .takes("Heartbeat").answers(200, "HeartbeatAnswer", "It was heard.").refuses(409),
            .post("/v1/workers/{worker}/finish", "finishAttempts", "The ends of many attempts.")
                .takes("AttemptEnds")
                .answers(200, "AttemptEndsAnswer", "Each on its own.").refuses(409),
            .post(
                "/v1/tasks/{task}/attempts/{attempt}/finish", "finishAttempt",
                "The end of an attempt."
            ).takes("AttemptEnd").answers(200, "AttemptEnded", "It was taken.").refuses(404, 409),
            .post(
                "/v1/tasks/{task}/attempts/{attempt}/progress", "reportProgress",
                "How far an attempt is."
            ).takes("Progress").answers(204, .none, "It was taken.").refuses(404, 409),
        ])

    private static let index = OpenAPIParameter.query(
        "index", .integer("As it was told."), isRequired: true)
    private static let term = OpenAPIParameter.query(
        "term", .integer("As it was told."), isRequired: true)

    static let cluster = OpenAPIArea(
        name: "Cluster", note: "The nodes, and the state as a whole.",
        operations: [
            .get("/v1/cluster", "getCluster", "The cluster as this node sees it.")
                .answers(200, "Cluster", "The cluster."),
            .post("/v1/cluster/members", "addMember", "Takes a running node in.")
                .takes("MemberSubmission")
                .answers(200, "Member", "It has its vote.")
                .answers(202, "Member", "It goes on by itself.").refuses(409),
            .delete(
                "/v1/cluster/members/{member}", "removeMember", "Lets a node go, dead or alive."
            )
            .answers(200, "Member", "It has gone.")
            .answers(202, "Member", "It goes on by itself.").refuses(404, 409),
            .post("/v1/cluster/transfer", "transferLeadership", "Another node shall lead.")
                .takes("Transfer", isRequired: false)
                .answers(200, "Leadership", "It does.").refuses(409),
            .post(
                "/v1/cluster/backup", "beginBackup", "Holds a snapshot of everything acknowledged."
            )
            .answers(200, "Backup", "What there is to fetch."),
            .get("/v1/cluster/backup", "readBackup", "A piece of it.", .neither)
                .with(
                    index, term, .query("offset", .integer("Its first byte.").standard("0")),
                    .query(
                        "limit",
                        .integer(
                            "Bytes at most.", from: 1, to: StorageLimits.maxSnapshotChunkBytes
                        ).standard("\(APILimits.backupChunkBytes)"))
                )
                .answers(200, .other("application/octet-stream"), "The bytes.").refuses(
                    410, 429, 503),
            .delete("/v1/cluster/backup", "endBackup", "The client has it all.", .neither)
                .with(index, term).answers(204, .none, "It is let go."),
        ])

    static let events = OpenAPIArea(
        name: "Events", note: "What happens, as it happens.",
        operations: [
            OpenAPIOperation.get(
                "/v1/events", "followEvents",
                "What happens; over a WebSocket when the request asks for one.", .neither
            )
            .with(
                .query(
                    "follow", .flag("False: a list of what happened lately.").standard("true")),
                .query("task", .text("Of this task.")), .query("queue", .text("Of this queue.")),
                .query("handler", .text("Of tasks with this handler.")),
                .query("schedule", .text("Of this schedule and its tasks.")),
                .query("worker", .text("Of this worker, and tasks on it.")),
                .query(
                    "type",
                    .list(of: .text(), "Whole types or their first word: repeated, or with commas.")
                ),
                .query("lastEventId", .text("Goes on behind that event.")),
                OpenAPIParameter(
                    name: "Last-Event-ID", place: .header,
                    schema: .text("The same, as browsers send it.")),
                .limit, .cursor
            )
            .answers(200, .events, "Server-sent events; or the list, newest first.").refuses(503)
        ])

    static let node = OpenAPIArea(
        name: "Node", note: "For whoever looks after a node.",
        operations: [
            .get("/healthz", "getHealth", "The process is up.", .neither)
                .answers(200, "Health", "It is."),
            .get(
                "/readyz", "getReadiness", "It is a member, knows a leader and is caught up.",
                .neither
            )
            .answers(200, "Health", "It is.").refuses(503),
            .get("/metrics", "getMetrics", "Figures for Prometheus.", .neither)
                .answers(200, .other("text/plain"), "Text, version 0.0.4."),
            .get("/openapi.json", "getSpecification", "This document.", .neither)
                .answers(200, .json(.anything("")), "This document."),
            .get("/", "getDashboard", "The dashboard, for a browser.", .neither)
                .answers(200, .other("text/html"), "A page."),
            .get("/dashboard.css", "getDashboardStyle", "How it looks.", .neither)
                .answers(200, .other("text/css"), "A style sheet."),
            .get("/dashboard.js", "getDashboardScript", "What it does.", .neither)
                .answers(200, .other("text/javascript"), "A module."),
        ])
}
