import Scheduler

/// Tells of tasks' ends, for tasks that `Webhook` describes. Only nodes have it: they know the tasks.
struct WebhookHandler: Equatable, Sendable {
    /// nil: requests are not signed.
    let secret: [UInt8]?

    static let signatureHeader = "X-Carillon-Signature"

    /// `t=<seconds>,v1=<HMAC-SHA-256 of "<seconds>.<body>" in hexadecimal digits>`: who has the secret can tell that the
    /// cluster sent this body, and when; so what somebody recorded can't be passed off as new.
    static func signature(secret: [UInt8], body: [UInt8], seconds: Int64) -> String {
        let code = HMAC.sha256(key: secret, Array("\(seconds).".utf8) + body)
        return "t=\(seconds),v1=\(code.hexadecimal)"
    }

    /// What the payload of an assignment names.
    struct Notice: Equatable {
        let url: String
        let task: TaskID
        let state: String
        let time: Milliseconds

        init(_ payload: [UInt8]) throws(TemplateError) {
            let root: JSONValue
            do {
                root = try JSONDocument(payload).root
            } catch {
                throw TemplateError("the payload is not JSON: \(error.description)")
            }
            guard let url = root["url"]?.string, Webhook.isAddress(url.utf8),
                let task = root["task"]?.string.flatMap({ TaskID($0) }),
                let state = root["state"]?.string, let time = root["time"]?.integer,
                (0...Limits.maxTime).contains(time)
            else { throw TemplateError("the payload is none of a webhook") }
            self.url = url
            self.task = task
            self.state = state
            self.time = time
        }

        /// - Parameter view: the task as it is now, as JSON; nil if it is not kept any more.
        func body(_ view: [UInt8]?) -> [UInt8] {
            var writer = JSONWriter(capacity: 128 + (view?.count ?? 0))
            writer.beginObject()
            writer.field("type", "task.\(state)")
            writer.timestampField("time", time)
            writer.field("id", task.description)
            if let view { writer.rawField("task", view) } else { writer.nullField("task") }
            writer.endObject()
            return writer.bytes
        }
    }
}

extension OutgoingRequest {
    /// - Parameters:
    ///   - describe: a task of the namespace as it is now, as JSON; nil if there is none, or not any more. Whoever made the
    ///     assignment is told of no other namespace's tasks.
    ///   - now: milliseconds since the epoch.
    init(
        _ handler: WebhookHandler, for assignment: Assignment, now: Milliseconds,
        describe: (TaskID, Namespace) -> [UInt8]?
    ) throws(TemplateError) {
        let notice = try WebhookHandler.Notice(assignment.payload)
        let body = notice.body(describe(notice.task, assignment.namespace))
        method = "POST"
        url = notice.url
        self.body = body
        readsReply = false
        headers = [("Content-Type", "application/json")]
        headers += Self.identity(of: assignment)
        guard let secret = handler.secret else { return }
        headers.append(
            (
                WebhookHandler.signatureHeader,
                WebhookHandler.signature(secret: secret, body: body, seconds: now / 1_000)
            ))
    }
}
