/// The namespace that a measurement makes its tasks in, and that is removed with them afterwards.
struct BenchSpace {
    static let defaultName = "bench"
    private static let jobMilliseconds: Int64 = 300_000
    private static let removalMilliseconds: Int64 = 30_000

    let name: String
    /// Speaks of this namespace.
    let client: ClusterClient

    /// The namespace that the command line names, or the usual one.
    init(_ invocation: Invocation) throws(CommandFailure) {
        let given = try invocation.client()
        name = given.namespace ?? Self.defaultName
        guard name != "default" else {
            throw .usage(
                "a measurement removes all that is in its namespace afterwards: not in \"default\"")
        }
        client = ClusterClient(servers: given.servers, token: given.token, namespace: name)
    }

    private var path: String { "/v1/namespaces/" + PercentEncoding.encode(name) }

    /// Makes the namespace, if there is none of that name: what is in it is deleted in the end.
    func make() throws(CommandFailure) {
        let found = try client.send(.get(path))
        guard found.status == 404 else {
            guard found.isSuccess else { throw ProblemText.failure(found) }
            throw .failed(
                "there is a namespace \(name): another measurement runs in it, or one was interrupted\n"
                    + "  carillon bench clean --namespace \(name) removes it, with all that is in it; or\n"
                    + "  name another one with --namespace")
        }
        _ = try client.sendExpectingSuccess(.put(path, body: Array("{}".utf8)))
    }

    /// Tasks that wait or run in it.
    func unfinished() throws(CommandFailure) -> UInt64 {
        let space = try client.json(.get(path))
        let count = (space["pending"]?.integer ?? 0) + (space["running"]?.integer ?? 0)
        return UInt64(max(0, count))
    }

    // MARK: Removal

    /// Removes tasks and schedules, and the namespace.
    func remove() throws(CommandFailure) {
        guard try client.send(.get(path)).status != 404 else { return }
        try removeSchedules()
        try removeTasks()
        let end = SystemClock.monotonicMilliseconds() + Self.removalMilliseconds
        while true {
            let response = try client.send(.delete(path))
            if response.isSuccess || response.status == 404 { return }
            // What was stopped a moment ago may still be on its way out.
            guard response.status == 409, SystemClock.monotonicMilliseconds() < end else {
                throw ProblemText.failure(response)
            }
            try removeTasks()
            Pause.take(milliseconds: 200)
        }
    }

    func removeTasks() throws(CommandFailure) {
        try run("cancel")
        try run("delete")
    }

    private func removeSchedules() throws(CommandFailure) {
        let list = try ItemList.fetch("/v1/schedules", limit: 1_000_000, client: client)
        for schedule in list.items {
            let name = PercentEncoding.encode(schedule.shown("name"))
            let response = try client.send(.delete("/v1/schedules/" + name))
            guard response.isSuccess || response.status == 404 else {
                throw ProblemText.failure(response)
            }
        }
    }

    /// A bulk job on all tasks, to its end.
    private func run(_ action: String) throws(CommandFailure) {
        let end = SystemClock.monotonicMilliseconds() + Self.jobMilliseconds
        let body = Array("{\"action\":\"\(action)\",\"filter\":{}}".utf8)
        var job = try client.json(.post("/v1/tasks/batch", body: body))
        while job["state"]?.string == "running" {
            guard SystemClock.monotonicMilliseconds() < end else {
                throw .failed("bulk job \(job.shown("id")) has not ended in time")
            }
            let id = PercentEncoding.encode(job.shown("id"))
            let response = try client.send(.get("/v1/jobs/\(id)?wait=1s"))
            switch response.status {
            case 200...299: job = try ClusterClient.json(response)
            case 429, 503: TaskFinder.pause(seconds: response.retryAfterSeconds ?? 1)
            default: throw ProblemText.failure(response)
            }
        }
    }
}
