/// How far the current or last attempt of a task got, by its own account.
public struct TaskProgress: Equatable, Sendable {
    /// 0 to 100.
    public var percent: UInt8?
    public var note: String?

    public init(percent: UInt8?, note: String?) {
        self.percent = percent
        self.note = note
    }
}

/// What a running attempt says of itself. A part that is nil leaves it as it was. Accepted only while (task, attempt,
/// fence) is current.
public struct ProgressReport: Equatable, Sendable {
    public var task: TaskID
    public var attempt: UInt32
    public var fence: UInt64
    public var progress: TaskProgress

    public init(task: TaskID, attempt: UInt32, fence: UInt64, progress: TaskProgress) {
        self.task = task
        self.attempt = attempt
        self.fence = fence
        self.progress = progress
    }
}

extension Scheduler {
    mutating func note(_ report: ProgressReport) -> Outcome {
        guard let position = state.tasks.position(of: report.task) else {
            return .rejected(.notFound)
        }
        let record = state.tasks[position]
        guard record.state == .running, record.attempt == report.attempt,
            record.fence == report.fence
        else { return .rejected(.staleAttempt) }
        state.tasks[position].changeExtra { fields in
            let known = fields.progress
            fields.progress = TaskProgress(
                percent: report.progress.percent ?? known?.percent,
                note: report.progress.note ?? known?.note)
        }
        return .done
    }
}

extension TaskProgress {
    func encode(into writer: inout ByteWriter) {
        writer.put(percent != nil)
        writer.put(percent ?? 0)
        writer.put(note)
    }

    /// Throws if the bytes are damaged or a value is over its limit.
    init(from reader: inout ByteReader) throws(CodecError) {
        let isKnown = try reader.bool()
        let value = try reader.byte()
        guard value <= 100, isKnown || value == 0 else {
            throw CodecError("\(value) is not a percentage")
        }
        percent = isKnown ? value : nil
        note = try reader.optionalString()
        guard note?.utf8.count ?? 0 <= Limits.maxProgressNoteBytes else {
            throw CodecError("a note of \(note?.utf8.count ?? 0) bytes is too long")
        }
    }
}

extension ProgressReport {
    func encode(into writer: inout ByteWriter) {
        writer.put(task.number)
        writer.put(attempt)
        writer.put(fence)
        progress.encode(into: &writer)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        task = TaskID(try reader.uint64())
        attempt = try reader.uint32()
        fence = try reader.uint64()
        progress = try TaskProgress(from: &reader)
    }
}
