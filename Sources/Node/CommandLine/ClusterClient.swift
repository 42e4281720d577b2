/// Sends requests to the first of several nodes that answers.
///
/// A request that never left, or came to a node that could do nothing, is sent to the next one. One of which more may have
/// come is sent again only if that is safe: reads, and writes that carry an idempotency key or set something to a given
/// state.
final class ClusterClient {
    let servers: [Endpoint]
    let token: String?
    /// nil: the default one.
    let namespace: String?
    /// The node that answered last.
    private var current = 0
    private var connection: ClientConnection?

    init(servers: [Endpoint], token: String?, namespace: String? = nil) {
        precondition(!servers.isEmpty, "there is a default server")
        self.servers = servers
        self.token = token
        self.namespace = namespace
    }

    /// One for a single node, where pieces of several would not fit together.
    func pinned(to server: Endpoint) -> ClusterClient {
        ClusterClient(servers: [server], token: token, namespace: namespace)
    }

    /// The reply, whatever its status.
    func send(_ request: ClientRequest) throws(CommandFailure) -> ClientResponse {
        var failures: [(server: Endpoint, error: ClientError)] = []
        var unavailable: ClientResponse?
        // One node alone gets a second try when the connection broke under a request.
        let maxTries = max(2, servers.count)
        for _ in 0..<maxTries {
            let server = servers[current]
            do throws(ClientError) {
                let response = try exchange(request)
                guard response.status == 503, servers.count > 1,
                    request.isRepeatable || ProblemText.saysNothingWasDone(response)
                else { return response }
                unavailable = response
            } catch {
                failures.append((server, error))
                if error.mayHaveReached, !request.isRepeatable { throw unknown(server, error) }
                if !error.mayHaveReached, servers.count == 1 { break }
            }
            connection = nil
            current = (current + 1) % servers.count
        }
        if let unavailable { return unavailable }
        throw unreachable(failures)
    }

    /// One try, at the node that is asked first, and why it came to nothing.
    func sendOnce(_ request: ClientRequest) throws(ClientError) -> ClientResponse {
        try exchange(request)
    }

    /// The reply if it is a success; what the node says against it otherwise.
    func sendExpectingSuccess(_ request: ClientRequest) throws(CommandFailure) -> ClientResponse {
        let response = try send(request)
        guard response.isSuccess else { throw ProblemText.failure(response) }
        return response
    }

    /// As `sendExpectingSuccess`, with the body as JSON.
    func json(_ request: ClientRequest) throws(CommandFailure) -> JSONValue {
        try Self.json(sendExpectingSuccess(request))
    }

    static func json(_ response: ClientResponse) throws(CommandFailure) -> JSONValue {
        do {
            return try JSONDocument(response.body).root
        } catch {
            throw .failed("the reply is not JSON: \(error.description); is that a carillon node?")
        }
    }

    private func exchange(_ request: ClientRequest) throws(ClientError) -> ClientResponse {
        var request = request
        request.namespace = namespace
        // The node may be closing a connection that was idle, and a request sent on it is lost. One that
        // must not be sent twice therefore gets a connection of its own.
        if let connection, connection.isReusable, request.isRepeatable {
            do throws(ClientError) {
                return try connection.exchange(request, token: token)
            } catch {
                self.connection = nil
                guard case .broken = error else { throw error }
            }
        }
        let fresh = try ClientConnection(to: servers[current])
        connection = fresh
        return try fresh.exchange(request, token: token)
    }

    private func unknown(_ server: Endpoint, _ error: ClientError) -> CommandFailure {
        .failed(
            "http://\(server): \(error.reason) after the request was sent: it may or may not have been "
                + "done; look before you repeat it")
    }

    private func unreachable(
        _ failures: [(server: Endpoint, error: ClientError)]
    ) -> CommandFailure {
        var lines: [String] = []
        for (server, error) in failures {
            let line = "cannot reach http://\(server): \(error.reason)"
            if !lines.contains(line) { lines.append(line) }
        }
        return .failed(lines.joined(separator: "\n  ") + "; is the cluster up? scripts/cluster up")
    }
}

/// What a node says against a request (RFC 9457), for people.
enum ProblemText {
    static func failure(_ response: ClientResponse) -> CommandFailure {
        .failed(text(response))
    }

    static func text(_ response: ClientResponse) -> String {
        guard let document = try? JSONDocument(response.body), document.root.kind == .object else {
            return "the node answered \(response.status)" + hint(response)
        }
        return text(document.root, status: response.status) + hint(response)
    }

    /// Of a problem object, or of a plain string, as an item of a bulk submission may have it.
    static func text(_ problem: JSONValue, status: Int? = nil) -> String {
        if let plain = problem.string { return plain }
        var text = problem["detail"]?.string ?? problem["title"]?.string ?? "refused"
        if let status {
            if text.hasSuffix(".") { text.removeLast() }
            text += " (\(status))"
        }
        for entry in problem["errors"]?.elements ?? [] {
            let pointer = entry["pointer"]?.string ?? ""
            let detail = entry["detail"]?.string ?? ""
            text += "\n  " + (pointer.isEmpty ? detail : "\(pointer): \(detail)")
        }
        return text
    }

    /// The last word of the problem's type, such as `no-leader`.
    static func kind(_ problem: JSONValue) -> String? {
        problem["type"]?.string?.split(separator: ":").last.map(String.init)
    }

    /// The node was too busy, found no leader in time, or has no room for more: the same may be sent again.
    static func saysNothingWasDone(_ problem: JSONValue) -> Bool {
        ["overloaded", "no-leader", "full", "quota"].contains(kind(problem))
    }

    static func retryAfterMilliseconds(_ problem: JSONValue) -> Int64? {
        problem["retryAfter"]?.string.flatMap { try? DurationText.parse($0) }
    }

    static func saysNothingWasDone(_ response: ClientResponse) -> Bool {
        guard let document = try? JSONDocument(response.body) else { return response.status == 429 }
        return saysNothingWasDone(document.root)
    }

    private static func hint(_ response: ClientResponse) -> String {
        switch response.status {
        case 401: "\n  give a token with --token or CARILLON_TOKEN"
        case 429, 503: "\n  try again in \(response.retryAfterSeconds ?? 1)s"
        default: ""
        }
    }
}
