import Scheduler

/// A request to a server, filled in for one attempt. No type of Foundation: it can be made and tested
/// without.
struct OutgoingRequest: Equatable, Sendable {
    var method: String
    var url: String
    var headers: [(name: String, value: String)]
    var body: [UInt8]?
    /// More of an answer's body is not read.
    var maxReplyBytes = WorkerLimits.maxResultBytes
    /// Somebody looks at the body of an answer, so it has to be readable.
    var readsReply = true

    /// Its task may not be done twice, whatever the method promises.
    var isAtMostOnce = false

    /// Sent twice, it does no more than once (RFC 9110 9.2.2).
    var isIdempotent: Bool {
        !isAtMostOnce && ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"].contains(method)
    }

    static func == (one: OutgoingRequest, other: OutgoingRequest) -> Bool {
        one.method == other.method && one.url == other.url && one.body == other.body
            && one.headers.map(\.name) == other.headers.map(\.name)
            && one.headers.map(\.value) == other.headers.map(\.value)
    }

    init(
        method: String, url: String, headers: [(name: String, value: String)], body: [UInt8]? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    /// Fills in the templates; the error says what the payload lacks.
    init(_ handler: HTTPHandler, for assignment: Assignment) throws(TemplateError) {
        let document: JSONDocument
        do {
            document = try JSONDocument(assignment.payload)
        } catch {
            throw TemplateError("the payload is not JSON: \(error.description)")
        }
        let payload = document.root
        method = handler.method
        isAtMostOnce = assignment.delivery == .atMostOnce
        let urlBytes = try handler.url.render(assignment, payload: payload)
        guard urlBytes.count <= WorkerLimits.maxURLBytes else {
            throw TemplateError("the URL is longer than \(WorkerLimits.maxURLBytes) bytes")
        }
        url = String(decoding: urlBytes, as: UTF8.self)
        headers = []
        for header in handler.headers {
            let value = try header.value.render(assignment, payload: payload)
            guard value.count <= WorkerLimits.maxHeaderBytes else {
                throw TemplateError(
                    "the header \(header.name) is longer than \(WorkerLimits.maxHeaderBytes) bytes")
            }
            headers.append((header.name, String(decoding: value, as: UTF8.self)))
        }
        if let template = handler.body {
            body = try template.render(assignment, payload: payload)
        } else if handler.hasBody {
            body = assignment.payload
        }
        let isTyped = headers.contains { $0.name.lowercased() == "content-type" }
        if body != nil, !isTyped {
            let isJSON = handler.body?.isJSON ?? true
            headers.append(
                ("Content-Type", isJSON ? "application/json" : "text/plain; charset=utf-8"))
        }
        headers += Self.identity(of: assignment)
    }

    /// Many tasks in one request, a line of JSON each.
    init(_ handler: HTTPHandler, forBatch assignments: [Assignment]) throws(TemplateError) {
        guard let first = assignments.first else { preconditionFailure("a batch has a task") }
        // Nothing is filled in, so it does not matter which of them it is rendered for.
        try self.init(handler, for: first)
        let identity = Set(Self.identity(of: first).map(\.name) + ["Content-Type"])
        let given = handler.headers.first { $0.name.lowercased() == "content-type" }
        headers.removeAll { identity.contains($0.name) && $0.name != given?.name }
        if given == nil { headers.append(("Content-Type", "application/x-ndjson")) }
        body = BatchLines.input(assignments)
        isAtMostOnce = assignments.contains { $0.delivery == .atMostOnce }
        maxReplyBytes = WorkerLimits.maxBatchAnswerBytes
    }

    static func identity(of assignment: Assignment) -> [(name: String, value: String)] {
        [
            ("Carillon-Task", assignment.task.description),
            ("Carillon-Attempt", "\(assignment.attempt)"),
            ("Carillon-Fence", "\(assignment.fence)"),
        ]
    }
}

/// What came back for a request.
enum OutgoingReply: Equatable, Sendable {
    case response(status: Int, retryAfter: String?, body: [UInt8], isCutOff: Bool)
    /// No response: refused, unreachable, broken off, a certificate that does not hold.
    case failed(reason: String, isRetryable: Bool)

    var bodyBytes: Int {
        if case .response(_, _, let body, _) = self { body.count } else { 0 }
    }

    /// 2xx is success; 429, 5xx and broken connections may be tried again; all else is final.
    ///
    /// `now`: milliseconds since the epoch, for dates in `Retry-After`.
    func result(now: Int64) -> AttemptResult {
        switch self {
        case .failed(let reason, let isRetryable):
            return .failure(.connection, reason, isRetryable: isRetryable)
        case .response(200...299, _, let body, let isCutOff):
            return .success(output: body, isCutOff: isCutOff)
        case .response(let status, let retryAfter, let body, _):
            var message = "the server answered \(status)"
            let quoted = body.prefix(WorkerLimits.maxQuotedBodyBytes)
            if !quoted.isEmpty { message += ": " + String(decoding: quoted, as: UTF8.self) }
            let isRetryable = status == 429 || status >= 500
            return .failure(
                .http, message, isRetryable: isRetryable,
                retryAfterMilliseconds: isRetryable
                    ? retryAfter.flatMap { RetryAfter.milliseconds($0, now: now) } : nil)
        }
    }

    /// The same where what a server says to it does not matter: of a success only the status is kept.
    func acknowledgement(now: Int64) -> AttemptResult {
        guard case .response(let status, _, _, _) = self, (200...299).contains(status) else {
            return result(now: now)
        }
        return .succeeded(Array("{\"status\":\(status)}".utf8))
    }
}
