/// Follows `GET /v1/events` on one node, and on the next when that is lost, from where it was: events have the same
/// names on all nodes.
struct EventFollower {
    private enum End {
        /// Nobody wants more.
        case enough
        /// The node does not want to.
        case refused(ClientResponse)
        case lost(reason: String, hasBegun: Bool)
    }

    private let client: ClusterClient
    private let query: [(name: String, value: String)]
    /// Where the next node is to go on from.
    private var cursor: EventFeed.Position?
    private var failures = 0

    /// A node says something at least this often.
    private static let patienceMilliseconds: Int64 = 45_000
    private static let pauseMilliseconds: Int64 = 500

    init(
        client: ClusterClient, query: [(name: String, value: String)],
        after cursor: EventFeed.Position?
    ) {
        self.client = client
        self.query = query
        self.cursor = cursor
    }

    /// Ends when `tell` says false, or if no node answers at first. Later on it waits for one that does.
    ///
    /// - Parameter note: what has to be known besides the events.
    mutating func run(
        note: (String) -> Void, tell: (JSONValue) -> Bool
    ) throws(CommandFailure) {
        var server = 0
        var hasFollowed = false
        while true {
            let endpoint = client.servers[server]
            switch follow(endpoint, note: note, tell: tell) {
            case .enough: return
            case .refused(let response): throw ProblemText.failure(response)
            case .lost(let reason, let hasBegun):
                hasFollowed = hasFollowed || hasBegun
                failures += 1
                guard hasFollowed || failures < client.servers.count else {
                    throw .failed("cannot follow http://\(endpoint): \(reason)")
                }
                // Once for each time that all of them are gone.
                if failures <= client.servers.count { note("http://\(endpoint): \(reason)") }
            }
            server = (server + 1) % client.servers.count
            if failures >= client.servers.count {
                Pause.take(milliseconds: Self.pauseMilliseconds)
            }
        }
    }

    private mutating func follow(
        _ endpoint: Endpoint, note: (String) -> Void, tell: (JSONValue) -> Bool
    ) -> End {
        var hasBegun = false
        do throws(ClientError) {
            let connection = try ClientConnection(to: endpoint)
            let reply = try connection.open(request, token: client.token)
            guard reply.isSuccess else {
                return reply.status == 503
                    ? .lost(reason: ProblemText.text(reply), hasBegun: false) : .refused(reply)
            }
            hasBegun = true
            failures = 0
            // Of a block without data: there was nothing to tell up to there.
            var place: EventFeed.Position?
            while let line = try connection.nextLine(within: Self.patienceMilliseconds) {
                if line.hasPrefix("id: ") {
                    place = EventFeed.Position(String(line.dropFirst("id: ".count)))
                } else if line.isEmpty, let reached = place {
                    cursor = max(cursor ?? reached, reached)
                }
                guard line.hasPrefix("data: ") else { continue }
                place = nil
                let text = Array(line.utf8.dropFirst("data: ".utf8.count))
                guard let event = try? JSONDocument(text).root else {
                    throw .malformedReply("an event that is not JSON")
                }
                switch event["type"]?.string {
                case "end":
                    return .lost(reason: event.shown("reason"), hasBegun: true)
                case "gap":
                    note(
                        "http://\(endpoint) does not hold all that happened since \(event.shown("from"))"
                    )
                default:
                    guard tellOnce(event, tell) else { return .enough }
                }
            }
            return .lost(reason: "the node ended the connection", hasBegun: true)
        } catch {
            return .lost(reason: error.reason, hasBegun: hasBegun)
        }
    }

    private var request: ClientRequest {
        let resumed = cursor.map { [("lastEventId", $0.description)] } ?? []
        var request = ClientRequest.get("/v1/events" + PercentEncoding.query(query + resumed))
        request.namespace = client.namespace
        return request
    }

    /// A node that is behind the last one begins with what that has told already.
    private mutating func tellOnce(_ event: JSONValue, _ tell: (JSONValue) -> Bool) -> Bool {
        guard let position = EventFeed.Position(event.shown("id")) else { return tell(event) }
        if let cursor, position <= cursor { return true }
        cursor = position
        return tell(event)
    }
}
