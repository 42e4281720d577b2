/// Follows a bulk job to its end, with a bar on a terminal.
struct BulkJobProgress {
    /// One request waits at most this long, so that the bar moves and a node that dies is noticed.
    private static let roundMilliseconds: Int64 = 500

    private static let counts = ["cancelled", "retried", "deleted"]

    private let client: ClusterClient
    private var line: TransientLine

    init(_ invocation: Invocation) throws(CommandFailure) {
        client = try invocation.client()
        line = TransientLine(console: invocation.console)
    }

    /// Begins it by this request, whose answer is the job.
    mutating func begin(_ request: ClientRequest) throws(CommandFailure) -> JSONValue {
        try client.json(request)
    }

    /// The job when it has ended.
    mutating func follow(_ job: JSONValue) throws(CommandFailure) -> JSONValue {
        var job = job
        defer { line.finish() }
        while job["state"]?.string == "running" {
            let shown = job
            line.show { _ in Self.text(shown) }
            let path = "/v1/jobs/" + PercentEncoding.encode(job["id"]?.string ?? "")
            let wait = DurationText.format(Self.roundMilliseconds)
            let response = try client.send(.get(path + "?wait=" + wait))
            switch response.status {
            case 200...299: job = try ClusterClient.json(response)
            // Too busy or without a leader: it goes on all the same.
            case 429, 503: TaskFinder.pause(seconds: response.retryAfterSeconds ?? 1)
            default: throw ProblemText.failure(response)
            }
        }
        return job
    }

    private static func text(_ job: JSONValue) -> String {
        let progress = job["progress"]?.integer ?? 0
        return ProgressBar.bar(done: min(max(progress, 0), 100), of: 100) + "  " + summary(job)
    }

    /// What it was done to so far: `17 cancelled`.
    static func summary(_ job: JSONValue) -> String {
        for name in counts {
            if let count = job[name]?.integer { return "\(count) \(name)" }
        }
        return "nothing known"
    }
}
