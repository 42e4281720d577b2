/// Requests that tell somebody of a task's end.
///
/// Each is a task itself, of the built-in handler `webhook`, made in the entry in which the other one ends: so it is
/// made once, is not lost, and is tried again as any task is. Its payload names whom to tell, and of what:
///
/// ```
/// {"url":"https://…","task":"t5","state":"dead","time":1795248260500}
/// ```
public enum Webhook {
    public static let handler = "webhook"
    /// In the namespace of the task whose end it tells.
    public static let queue = "webhooks"
    public static let attempts: UInt32 = 10
    public static let timeoutMilliseconds: Milliseconds = 30_000
    /// The label that says whose end it tells.
    public static let label = "task"

    /// A task's end that somebody wants to be told of.
    struct Notice: Equatable, Sendable {
        let url: String
        let task: TaskID
        let state: TaskState
        let time: Milliseconds
        let queue: String

        /// The address has nothing in it that JSON would escape.
        var payload: [UInt8] {
            Array(
                "{\"url\":\"\(url)\",\"task\":\"\(task)\",\"state\":\"\(state.name)\",\"time\":\(time)}"
                    .utf8)
        }

        var spec: TaskSpec {
            var spec = TaskSpec(handler: Webhook.handler)
            spec.payload = payload
            spec.queue = queue
            spec.retry.attempts = Webhook.attempts
            spec.timeoutMilliseconds = Webhook.timeoutMilliseconds
            spec.meta = [Label(name: Webhook.label, value: task.description)]
            return spec
        }
    }

    /// An address of http or https, of visible ASCII, without quotation marks and backslashes (RFC 3986 has neither).
    public static func isAddress(_ bytes: some Collection<UInt8>) -> Bool {
        guard bytes.count <= Limits.maxWebhookBytes else { return false }
        let prefix = ["http://", "https://"].first { bytes.starts(with: $0.utf8) }
        guard let prefix, bytes.count > prefix.utf8.count else { return false }
        return bytes.allSatisfy {
            (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
    }

    static func check(_ bytes: some Collection<UInt8>) throws(CodecError) {
        guard isAddress(bytes) else {
            throw CodecError("a webhook of \(bytes.count) bytes is not an address")
        }
    }
}

extension Scheduler {
    /// The task has reached its final state.
    mutating func noteNotices(of id: TaskID, at position: TaskTable.Position) {
        let record = state.tasks[position]
        let own = record.extra?.fields.webhook
        if let own { note(own, id, record) }
        guard record.state == .dead else { return }
        let queue = index.dispatch.queue(ofProfile: record.profile)
        guard let other = state.queues[queue].spec.errorWebhook, other != own else { return }
        note(other, id, record)
    }

    /// Nobody is told of the end of telling: it could go on for ever.
    private mutating func note(_ url: String, _ id: TaskID, _ record: TaskRecord) {
        let profile = state.profiles[record.profile]
        guard profile.handler != Webhook.handler else { return }
        index.notices.append(
            Webhook.Notice(
                url: url, task: id, state: record.state, time: record.finishedAt,
                queue: Namespace(of: profile.queue).qualified(Webhook.queue)))
    }

    /// At the end of an entry rather than where a task ends, which is in the middle of something else. Not held back
    /// by the limit on tasks: at most two for each task that was let in.
    mutating func submitNotices(_ events: inout [Event]) {
        guard !index.notices.isEmpty else { return }
        let notices = index.notices
        index.notices.removeAll()
        for notice in notices { _ = create(record(of: notice.spec, dueAt: state.time), &events) }
    }
}
