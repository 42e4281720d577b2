/// How long tasks that have ended are kept, by how they ended, and at most how many of them.
public struct Retention: Equatable, Sendable {
    public var succeededMilliseconds = Limits.finishedRetentionMilliseconds
    public var cancelledMilliseconds = Limits.finishedRetentionMilliseconds
    public var expiredMilliseconds = Limits.finishedRetentionMilliseconds
    public var deadMilliseconds = Limits.deadRetentionMilliseconds
    /// Succeeded, cancelled and expired ones together; those whose time is up first go first.
    public var maxFinished = UInt32(Limits.maxFinishedTasks)
    public var maxDead = UInt32(Limits.maxDeadTasks)

    public static let ageRange: ClosedRange<Milliseconds> = 0...Limits.maxDelayMilliseconds
    public static let countRange: ClosedRange<UInt32> = 0...UInt32(Limits.maxKeptTasks)

    public init() {}

    func milliseconds(_ state: TaskState) -> Milliseconds? {
        switch state {
        case .succeeded: succeededMilliseconds
        case .cancelled: cancelledMilliseconds
        case .expired: expiredMilliseconds
        case .dead: deadMilliseconds
        case .scheduled, .blocked, .ready, .running: nil
        }
    }
}

/// ```
/// retention  succeeded i64 · cancelled i64 · expired i64 · dead i64 (ms) · maxFinished u32 · maxDead u32
/// ```
extension Retention {
    func encode(into writer: inout ByteWriter) {
        writer.put(succeededMilliseconds)
        writer.put(cancelledMilliseconds)
        writer.put(expiredMilliseconds)
        writer.put(deadMilliseconds)
        writer.put(maxFinished)
        writer.put(maxDead)
    }

    /// Throws if the bytes are damaged or a value is over its limit.
    init(from reader: inout ByteReader) throws(CodecError) {
        succeededMilliseconds = try reader.milliseconds("retention", in: Self.ageRange)
        cancelledMilliseconds = try reader.milliseconds("retention", in: Self.ageRange)
        expiredMilliseconds = try reader.milliseconds("retention", in: Self.ageRange)
        deadMilliseconds = try reader.milliseconds("retention", in: Self.ageRange)
        maxFinished = try reader.uint32()
        maxDead = try reader.uint32()
        guard Self.countRange.contains(maxFinished), Self.countRange.contains(maxDead) else {
            throw CodecError("\(maxFinished) and \(maxDead) tasks can't be kept")
        }
    }
}

extension Scheduler {
    public var retention: Retention { state.retention }

    /// Holds for what has ended already as well; what is over goes with the next `advance`, portion by portion.
    mutating func setRetention(_ retention: Retention) -> Outcome {
        guard retention != state.retention else { return .done }
        state.retention = retention
        index.wakes.removeAll(.finished)
        index.wakes.removeAll(.dead)
        for (number, chunk) in zip(state.tasks.numbers, state.tasks.chunks) {
            for (slot, row) in chunk.places where chunk.records[row].state.isFinal {
                let record = chunk.records[row]
                let reason: Wakes.Reason = record.state == .dead ? .dead : .finished
                guard let wake = state.wakeTime(reason, record) else { continue }
                index.wakes.push(reason, at: wake, id: number << 8 + UInt64(slot))
            }
        }
        return .done
    }

    /// Whether more tasks are kept than shall be.
    func isOverfull(_ reason: Wakes.Reason) -> Bool {
        let limit = reason == .dead ? state.retention.maxDead : state.retention.maxFinished
        return keptCount(reason) > limit
    }

    /// Drops those whose time would be up first, at most so many. Returns how many.
    mutating func dropOverflow(_ reason: Wakes.Reason, atMost budget: Int) -> Int {
        var dropped = 0
        while dropped < budget, isOverfull(reason) {
            clean(reason, through: .max)
            guard let oldest = index.wakes.top(reason) else {
                preconditionFailure("a final task without an end of its retention")
            }
            index.wakes.pop(reason)
            remove(TaskID(oldest.id))
            dropped += 1
        }
        return dropped
    }
}
