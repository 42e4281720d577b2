/// One request of the command line to a node.
struct ClientRequest: Sendable {
    var method: String
    /// Path and query, percent-encoded.
    var target: String
    var body: [UInt8] = []
    var contentType = "application/json"
    var idempotencyKey: String?
    /// The client's; nil: the default one.
    var namespace: String?
    /// Sending it twice does what sending it once does, so it may be sent again when no reply came.
    var isRepeatable: Bool
    /// How long the reply may take. The node itself waits up to 10 s for a leader.
    var timeoutMilliseconds: Int64 = 15_000

    static func get(_ target: String) -> ClientRequest {
        ClientRequest(method: "GET", target: target, isRepeatable: true)
    }

    static func put(_ target: String, body: [UInt8]) -> ClientRequest {
        ClientRequest(method: "PUT", target: target, body: body, isRepeatable: true)
    }

    static func post(
        _ target: String, body: [UInt8] = [], isRepeatable: Bool = false
    ) -> ClientRequest {
        ClientRequest(method: "POST", target: target, body: body, isRepeatable: isRepeatable)
    }

    static func delete(_ target: String) -> ClientRequest {
        ClientRequest(method: "DELETE", target: target, isRepeatable: false)
    }
}

struct ClientResponse: Sendable {
    let status: Int
    /// Names in lower case, in the order of the reply.
    let headers: [(name: String, value: String)]
    let body: [UInt8]

    func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }

    var isSuccess: Bool { (200...299).contains(status) }

    /// How long the node asks to wait before the next try.
    var retryAfterSeconds: Int64? { header("retry-after").flatMap { Int64($0) } }
}
