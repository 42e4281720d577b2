/// `carillon cluster add` and `remove`: they wait until the change is done, and say how it goes.
enum MemberCommands {
    static let add = CommandSpec(
        name: "add", summary: "take a node in; it has to be running",
        details: [
            "The node first catches up as a learner, then gets its vote. It finds the cluster by its own",
            "configuration, which names it and at least one member; --peer says where it is if it does not call.",
        ],
        operands: [OperandSpec(name: "ID")],
        options: [
            OptionSpec(name: "peer", value: "ADDRESS", summary: "where other nodes reach it"),
            OptionSpec(name: "api", value: "ADDRESS", summary: "where clients reach it"), wait,
        ], run: add)

    static let remove = CommandSpec(
        name: "remove", summary: "let a node go; it may be dead",
        details: [
            "Attempts that run there are repeated elsewhere once it has surely stopped them; to let them end, drain",
            "its worker first.",
        ],
        operands: [OperandSpec(name: "ID")], options: [wait], run: remove)

    private static let wait = OptionSpec(
        name: "wait", value: "D", summary: "how long to wait until it is done; default 60s")
    private static let defaultWaitMilliseconds: Int64 = 60_000
    private static let roundMilliseconds: Int64 = 1_000

    private static func add(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let id = invocation.operands[0]
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("id", id)
        writer.optionalField("peer", invocation.value("peer"))
        writer.optionalField("api", invocation.value("api"))
        writer.endObject()
        let body = writer.bytes
        return try follow(invocation, id, done: "\(id) is a member", during: "\(id) catches up") {
            (client, timeout) throws(CommandFailure) in
            // Taking in a node that is being taken in changes nothing.
            var request = ClientRequest.post("/v1/cluster/members?timeout=\(timeout)", body: body)
            request.isRepeatable = true
            return try client.sendExpectingSuccess(request)
        }
    }

    private static func remove(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let id = invocation.operands[0]
        let path = "/v1/cluster/members/\(PercentEncoding.encode(id))"
        var isAsked = false
        return try follow(invocation, id, done: "\(id) is removed", during: "\(id) is leaving") {
            (client, timeout) throws(CommandFailure) in
            let response = try client.send(
                ClientRequest(
                    method: "DELETE", target: "\(path)?timeout=\(timeout)", body: [],
                    isRepeatable: isAsked))
            // The wish was taken before: what is left is to see it through.
            if isAsked, response.status == 404 { return try left(client, id) }
            guard response.isSuccess else { throw ProblemText.failure(response) }
            isAsked = true
            return response
        }
    }

    /// Whether a node that is no longer wanted is still among the members.
    private static func left(
        _ client: ClusterClient, _ id: String
    ) throws(CommandFailure) -> ClientResponse {
        let response = try client.sendExpectingSuccess(.get("/v1/cluster"))
        let cluster = try ClusterClient.json(response)
        let isThere = cluster["members"]?.elements.contains { $0["id"]?.string == id } ?? false
        if isThere { Pause.take(milliseconds: roundMilliseconds / 4) }
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("id", id)
        writer.field("role", "none")
        writer.endObject()
        return ClientResponse(
            status: isThere ? 202 : 200, headers: response.headers, body: writer.bytes)
    }

    /// Asks in rounds until the answer is 200.
    private static func follow(
        _ invocation: Invocation, _ id: String, done: String, during: String,
        ask: (ClusterClient, _ timeout: String) throws(CommandFailure) -> ClientResponse
    ) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let client = try invocation.client()
        let limit = try invocation.durationMilliseconds("wait") ?? defaultWaitMilliseconds
        let end = SystemClock.monotonicMilliseconds() + limit
        var saidMilliseconds: Int64 = 0
        while true {
            let rest = max(0, end - SystemClock.monotonicMilliseconds())
            let response = try ask(client, "\(min(rest, roundMilliseconds))ms")
            if response.status == 200 {
                switch format {
                case .table: invocation.console.print(done)
                case .json: invocation.console.write(response.body + [0x0A])
                }
                return 0
            }
            let now = SystemClock.monotonicMilliseconds()
            guard now < end else {
                throw .failed(
                    "\(during), and was not done after \(limit / 1_000) s; it goes on by itself: see carillon "
                        + "cluster status")
            }
            if now - saidMilliseconds >= 2 * roundMilliseconds {
                saidMilliseconds = now
                let lag = try? ClusterClient.json(response)["lag"]?.integer
                let entries = lag.flatMap { $0 }.map { ", \($0) entries behind" } ?? ""
                invocation.console.printError("\(during)\(entries) …")
            }
        }
    }
}
