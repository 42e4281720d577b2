/// That an attempt left a log, although nobody waited for its end any more.
///
/// ```
/// report  task u64 · log, see `AttemptLog`
/// ```
public struct LogReport: Equatable, Sendable {
    public var task: TaskID
    public var log: AttemptLog

    public init(task: TaskID, log: AttemptLog) {
        self.task = task
        self.log = log
    }

    func encode(into writer: inout ByteWriter) {
        writer.put(task.number)
        log.encode(into: &writer)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        task = TaskID(try reader.uint64())
        log = try AttemptLog(from: &reader)
    }
}

extension Scheduler {
    /// Of an attempt that has ended, as the task remembers it, without one.
    mutating func noteLog(_ report: LogReport) -> Outcome {
        guard let position = state.tasks.position(of: report.task) else {
            return .rejected(.notFound)
        }
        let log = report.log
        guard log.node.utf8.count <= Limits.maxNameBytes else { return .rejected(.malformed) }
        let record = state.tasks[position]
        let fields = record.extra?.fields
        let hasEnded =
            record.attempt == log.attempt
            ? record.fence == log.fence && record.state != .running
            : record.fence > log.fence
                && fields?.history.contains { $0.number == log.attempt } ?? false
        guard hasEnded, !(fields?.logs.contains { $0.attempt == log.attempt } ?? false) else {
            return .rejected(.staleAttempt)
        }
        keep(log, at: position)
        return .done
    }

    /// Those of the last attempts.
    mutating func keep(_ log: AttemptLog, at position: TaskTable.Position) {
        state.tasks[position].changeExtra { fields in
            if fields.logs.count >= Limits.maxAttemptHistory { fields.logs.removeFirst() }
            fields.logs.append(log)
        }
    }
}
