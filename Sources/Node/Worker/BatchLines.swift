import Scheduler

/// What a batch is told, and what it answers: a line of JSON for each task.
///
/// ```
/// {"task":"t5","attempt":1,"fence":2577,"payload":…}
/// {"task":"t5","result":…}
/// {"task":"t6","error":"no such user","kind":"error","retry":false,"retryAfter":"10s"}
/// ```
enum BatchLines {
    /// One line for each attempt, in order.
    static func input(_ assignments: [Assignment]) -> [UInt8] {
        var bytes: [UInt8] = []
        for assignment in assignments {
            var writer = JSONWriter(capacity: assignment.payload.count + 80)
            writer.beginObject()
            writer.field("task", assignment.task.description)
            writer.field("attempt", Int64(assignment.attempt))
            writer.field("fence", assignment.fence)
            writer.rawField("payload", oneLine(assignment.payload))
            writer.endObject()
            bytes += writer.bytes
            bytes.append(0x0A)
        }
        return bytes
    }

    /// Line ends in JSON stand between its tokens only, where a space means the same.
    private static func oneLine(_ json: [UInt8]) -> [UInt8] {
        json.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
    }

    /// The first answer for each task. What is no answer is passed over: the task it was meant for has none.
    static func answers(_ output: [UInt8]) -> [TaskID: AttemptResult] {
        var answers: [TaskID: AttemptResult] = [:]
        for line in output.split(separator: 0x0A) {
            guard let document = try? JSONDocument(Array(line)),
                let task = document.root["task"]?.string.flatMap({ TaskID($0) }),
                answers[task] == nil, let answer = answer(document.root)
            else { continue }
            answers[task] = answer
        }
        return answers
    }

    private static func answer(_ line: JSONValue) -> AttemptResult? {
        if let result = line["result"] { return .success(json: result.raw) }
        guard let error = line["error"] else { return nil }
        let kind = line["kind"]?.string ?? FailureKind.error.rawValue
        guard !kind.isEmpty, kind.utf8.count <= Limits.maxNameBytes, NameRule.isPlain(kind) else {
            return nil
        }
        let delay = line["retryAfter"]?.string.flatMap { try? DurationText.parse($0) }
        return .failed(
            AttemptResult.Failure(
                message: (error.string ?? error.source)
                    .prefixOfBytes(WorkerLimits.maxErrorMessageBytes),
                kind: kind, isRetryable: line["retry"]?.bool ?? true,
                retryAfterMilliseconds: delay.map {
                    min($0, WorkerLimits.maxRetryAfterMilliseconds)
                }
            ))
    }
}
