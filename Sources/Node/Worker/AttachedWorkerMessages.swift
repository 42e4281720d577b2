import Raft
import Scheduler

/// What an attached worker and the nodes write to each other, as JSON.
enum AttachedWorkerMessages {
    struct Begun: Equatable {
        let session: String
        let beatNanoseconds: Nanoseconds
        let leaseNanoseconds: Nanoseconds
    }

    static func registration(_ settings: AttachedWorker.Settings) -> [UInt8] {
        object { writer in
            writer.field("id", settings.id)
            writer.field("handlers", settings.handlers)
            writer.field("tags", settings.tags)
            writer.field("slots", settings.slots)
        }
    }

    static func session(_ bytes: [UInt8]) -> Begun? {
        guard let root = try? JSONDocument(bytes).root, let session = root["session"]?.string,
            let beat = nanoseconds(root["heartbeat"]), let lease = nanoseconds(root["lease"])
        else { return nil }
        return Begun(session: session, beatNanoseconds: beat, leaseNanoseconds: lease)
    }

    static func heartbeat(_ session: String, _ attempts: [AttemptName]) -> [UInt8] {
        object { writer in
            writer.field("session", session)
            writer.key("running")
            writer.beginArray()
            for name in attempts {
                writer.beginObject()
                writer.field("task", name.task.description)
                writer.field("attempt", Int64(name.attempt))
                writer.endObject()
            }
            writer.endArray()
        }
    }

    /// Attempts that are to be stopped.
    static func cancelled(_ bytes: [UInt8]) -> [AttemptName] {
        items("cancel", in: bytes).compactMap(name)
    }

    /// What can't be read is passed over: it is handed out again, and timed out by the log at the latest.
    static func assignments(_ bytes: [UInt8], worker: String) -> [Assignment] {
        items("items", in: bytes).compactMap { item in
            guard let name = name(item), let fence = item["fence"]?.integer,
                let handler = item["handler"]?.string, let payload = item["payload"],
                let timeout = nanoseconds(item["timeout"]),
                let scheduledAt = item["scheduledAt"]?.string.flatMap({ try? Timestamp.parse($0) })
            else { return nil }
            let occurrence = item["schedule"]?.string
            return Assignment(
                worker: worker, incarnation: 0, task: name.task, attempt: name.attempt,
                fence: UInt64(max(0, fence)), handler: handler, payload: payload.raw,
                timeoutMilliseconds: Milliseconds(timeout / 1_000_000), scheduledAt: scheduledAt,
                assignedAt: scheduledAt, occurrence: occurrence,
                schedule: occurrence.map { String($0.prefix { $0 != "@" }) },
                inputs: (item["inputs"]?.members ?? []).map { name, value in
                    TaskInput(name: name, result: value.isNull ? nil : value.raw)
                },
                namespace: item["namespace"]?.string.map(Namespace.init(name:)) ?? .standard,
                // An older server does not say: then nothing is done twice.
                delivery: item["delivery"]?.string == TaskSpec.Delivery.atLeastOnce.name
                    ? .atLeastOnce : .atMostOnce)
        }
    }

    static func finish(_ session: String, _ finish: Finish, log: [UInt8]? = nil) -> [UInt8] {
        object { writer in
            writer.field("session", session)
            switch finish.result {
            case .succeeded(let value):
                writer.field("outcome", "succeeded")
                writer.rawField("result", value)
            case .failed(let failure):
                writer.field("outcome", "failed")
                writer.field("error", failure.message)
                writer.field("kind", failure.kind)
                writer.field("retry", failure.isRetryable)
                if let delay = failure.retryAfterMilliseconds {
                    writer.field("retryAfter", "\(delay)ms")
                }
            case .returned:
                writer.field("outcome", "returned")
            case .stored:
                preconditionFailure("an attached worker has no store")
            }
            if !finish.hasBegun { writer.field("begun", false) }
            if let log {
                let text = String(decoding: log, as: UTF8.self)
                writer.field("log", text.prefixOfBytes(WorkerLimits.maxLogTextBytes))
            }
        }
    }

    static func progress(_ session: String, _ progress: TaskProgress) -> [UInt8] {
        object { writer in
            writer.field("session", session)
            if let percent = progress.percent { writer.field("progress", Int64(percent)) }
            if let note = progress.note { writer.field("note", note) }
        }
    }

    // MARK: Parts

    private static func object(_ body: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        body(&writer)
        writer.endObject()
        return writer.bytes
    }

    private static func items(_ field: String, in bytes: [UInt8]) -> [JSONValue] {
        (try? JSONDocument(bytes).root)?[field]?.elements ?? []
    }

    private static func name(_ item: JSONValue) -> AttemptName? {
        guard let task = item["task"]?.string.flatMap({ TaskID($0) }),
            let number = item["attempt"]?.integer, let attempt = UInt32(exactly: number)
        else { return nil }
        return AttemptName(task, attempt)
    }

    private static func nanoseconds(_ value: JSONValue?) -> Nanoseconds? {
        guard let text = value?.string, let milliseconds = try? DurationText.parse(text),
            milliseconds > 0
        else { return nil }
        return Nanoseconds(milliseconds) * 1_000_000
    }
}
