import Scheduler

/// Why a request was not done, as clients read it (RFC 9457, `application/problem+json`).
struct Problem: Error, Equatable {
    /// Tells kinds apart that have the same status; clients may rely on it.
    enum Kind: String {
        case notJSON = "not-json"
        case crossSite = "cross-site"
        case unknownPath = "unknown-path"
        case notFound = "not-found"
        case methodNotAllowed = "method-not-allowed"
        case conflict
        case keyConflict = "key-conflict"
        case tooLarge = "too-large"
        case mediaType = "media-type"
        case invalid
        case overloaded
        case full
        case quota
        case noLeader = "no-leader"
        case outcomeUnknown = "outcome-unknown"
        case notReady = "not-ready"
        case unreachable
        case gone
        case sessionLost = "session-lost"
        case sessionReplaced = "session-replaced"

        /// As it stands in `type`.
        var uri: String { Problem.typePrefix + rawValue }
    }

    let kind: Kind
    let status: Int
    let detail: String
    /// What does not validate: a pointer into the body (RFC 6901), or `?name` for a part of the query.
    var errors: [JSONProblem] = []
    var retryAfterSeconds: Int?
    /// For 405.
    var allow: String?

    static let contentType = "application/problem+json"

    /// `type` is a name and nothing that could be fetched, which RFC 9457 allows.
    private static let typePrefix = "urn:carillon:problem:"

    var response: HTTPResponse {
        var writer = JSONWriter()
        write(to: &writer)
        var response = HTTPResponse(
            status: status, contentType: Self.contentType, body: writer.bytes)
        if let retryAfterSeconds {
            response.headers.append(("retry-after", String(retryAfterSeconds)))
        }
        if let allow { response.headers.append(("allow", allow)) }
        return response
    }

    /// Also for a single item of a bulk submission.
    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("type", kind.uri)
        writer.field("title", "\(HTTPResponse.reason(status))")
        writer.field("status", status)
        writer.field("detail", detail)
        if let retryAfterSeconds {
            writer.durationField("retryAfter", Int64(retryAfterSeconds) * 1_000)
        }
        if !errors.isEmpty {
            writer.key("errors")
            writer.beginArray()
            for error in errors {
                writer.beginObject()
                writer.field("pointer", error.pointer)
                writer.field("detail", error.detail)
                writer.endObject()
            }
            writer.endArray()
        }
        writer.endObject()
    }
}

extension Problem {
    static func notJSON(_ error: JSONError) -> Problem {
        Problem(kind: .notJSON, status: 400, detail: "The body is not JSON: \(error.description).")
    }

    static func invalid(_ errors: [JSONProblem]) -> Problem {
        Problem(
            kind: .invalid, status: 422,
            detail: errors.count == 1
                ? "A field is not acceptable." : "\(errors.count) fields are not acceptable.",
            errors: errors)
    }

    /// `after`: what a task was to wait for. A task that is not kept is as good as none: how it ended is not known.
    static func missing(
        _ after: [TaskID], _ namespace: Namespace, in scheduler: Scheduler
    ) -> Problem {
        missing(after.enumerated().map { ("/after/\($0)", $1) }, namespace, in: scheduler)
    }

    /// With the place of each.
    static func missing(
        _ after: [(pointer: String, task: TaskID)], _ namespace: Namespace, in scheduler: Scheduler
    ) -> Problem {
        let errors = after.compactMap { pointer, task -> JSONProblem? in
            guard scheduler.namespace(of: task) != namespace else { return nil }
            return JSONProblem(
                pointer: pointer,
                detail: "there is no task \"\(task)\", or it is not kept any more")
        }
        return errors.isEmpty
            ? rejected(.missingDependency, noun: "task", name: "", wrongState: "")
            : invalid(errors)
    }

    static func notFound(_ noun: String, _ name: String) -> Problem {
        Problem(kind: .notFound, status: 404, detail: "There is no \(noun) \"\(name)\".")
    }

    static func unknownPath(_ path: String) -> Problem {
        Problem(kind: .unknownPath, status: 404, detail: "There is nothing at \(path).")
    }

    static func methodNotAllowed(_ method: HTTPMethod, allow: String) -> Problem {
        Problem(
            kind: .methodNotAllowed, status: 405,
            detail: "\(method) is not possible here; possible are: \(allow).", allow: allow)
    }

    static func conflict(_ detail: String) -> Problem {
        Problem(kind: .conflict, status: 409, detail: detail)
    }

    static func tooLarge(_ detail: String) -> Problem {
        Problem(kind: .tooLarge, status: 413, detail: detail)
    }

    static func mediaType(_ found: String, expected: String) -> Problem {
        Problem(
            kind: .mediaType, status: 415,
            detail:
                "The body is \(found.isEmpty ? "of no named type" : found); expected is \(expected)."
        )
    }

    static func refused(_ refusal: Refusal) -> Problem {
        switch refusal {
        case .overloaded:
            return Problem(
                kind: .overloaded, status: 429,
                detail: "Too many requests wait on this node. Nothing was done.",
                retryAfterSeconds: APILimits.retryAfterSeconds)
        case .noLeader:
            return Problem(
                kind: .noLeader, status: 503,
                detail: "No leader was found in time. Nothing was done.",
                retryAfterSeconds: APILimits.retryAfterSeconds)
        case .outcomeUnknown:
            return Problem(
                kind: .outcomeUnknown, status: 503,
                detail:
                    "The cluster did not answer in time, or this node is no member any more: the request may or may not "
                    + "have been done. "
                    + "Sending a submission, a trigger or the registration of a worker again with the same Idempotency-Key is safe.",
                retryAfterSeconds: APILimits.retryAfterSeconds)
        }
    }

    /// - Parameter things: As many of these are there as may.
    static func full(_ things: String) -> Problem {
        Problem(
            kind: .full, status: 429,
            detail: "The cluster holds as many \(things) as it may. Nothing was done.",
            retryAfterSeconds: APILimits.retryAfterSeconds)
    }

    private static func otherUse(_ noun: String) -> String {
        switch noun {
        case "workflow": "another workflow, or a task"
        case "worker": "a worker with other handlers, tags or slots"
        case "bulk job": "a bulk job with another action, filter or limit"
        default: "a task with another handler or payload, or a workflow"
        }
    }

    /// What the state machine says against a command whose subject is known; `detail` says what a wrong
    /// state means there.
    static func rejected(
        _ rejection: Rejection, noun: String, name: String, wrongState: String
    ) -> Problem {
        switch rejection {
        case .notFound:
            return .notFound(noun, name)
        case .wrongState:
            return .conflict(wrongState)
        case .staleAttempt, .staleIncarnation:
            return .conflict("The \(noun) \"\(name)\" has changed meanwhile.")
        case .full:
            return .full("tasks, queues or remembered keys")
        case .queueFull:
            return Problem(
                kind: .full, status: 429,
                detail: "As many tasks wait in the queue as may (maxPending). Nothing was done.",
                retryAfterSeconds: APILimits.retryAfterSeconds)
        case .namespaceFull:
            return Problem(
                kind: .quota, status: 429,
                detail:
                    "As many tasks of the namespace wait as may (quota \"pending\"). Nothing was done.",
                retryAfterSeconds: APILimits.retryAfterSeconds)
        case .namespaceRate:
            return Problem(
                kind: .quota, status: 429,
                detail:
                    "More tasks are submitted to the namespace than may (quota \"submitRate\"). Nothing was done.",
                retryAfterSeconds: APILimits.retryAfterSeconds)
        case .malformed:
            return Problem(
                kind: .invalid, status: 422,
                detail: "The state machine does not accept the values of this request.")
        case .keyConflict:
            return Problem(
                kind: .keyConflict, status: 409,
                detail: "The key was used for \(otherUse(noun)).")
        case .memberExists:
            return .conflict(
                "\"\(name)\" is a member under another data directory: remove it first.")
        case .notSupportedYet:
            return .conflict(
                """
                Not every member has said that its program can do this: update them all first. One that has lost \
                its data directory has to be started anew under its name.
                """)
        case .tooOld:
            return .conflict(
                "The program of \"\(name)\" is too old for the rules that the cluster works by: update it first."
            )
        case .lastMember:
            return .conflict("\"\(name)\" is the last member.")
        case .missingDependency:
            return Problem(
                kind: .invalid, status: 422,
                detail: "A task to wait for does not exist, or is not kept any more.")
        case .tooManyBulkJobs:
            return Problem(
                kind: .overloaded, status: 429,
                detail:
                    "\(Limits.maxRunningBulkJobs) bulk jobs go on, and no more may. Nothing was done.",
                retryAfterSeconds: APILimits.retryAfterSeconds)
        case .nodeName:
            return .conflict("\"\(name)\" is, or was, a node: its worker can't have that name.")
        }
    }
}
