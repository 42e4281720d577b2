/// How long tasks that have ended are kept, by how they ended, and at most how many of them.
public struct Retention: Equatable, Sendable {
    public var succeededMilliseconds = Limits.finishedRetentionMilliseconds
    public var cancelledMilliseconds = Limits.finishedRetentionMilliseconds
    public var expiredMilliseconds = Limits.finishedRetentionMilliseconds
    public var deadMilliseconds = Limits.deadRetentionMilliseconds
    /// Succeeded, cancelled and expired ones together; those whose time is up first go first.
    public var maxFinished = UInt32(Limits.maxFinishedTasks)
    public var maxDead = UInt32(Limits.maxDeadTasks)
    /// None goes by itself: somebody puts each on record first, and says so (`Departure`). Until then they stay, however many.
    public var isExported = false

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
/// retention  succeeded i64 · cancelled i64 · expired i64 · dead i64 (ms) · maxFinished u32 · maxDead u32 · isExported bool
/// ```
extension Retention {
    func encode(into writer: inout ByteWriter) {
        writer.put(succeededMilliseconds)
        writer.put(cancelledMilliseconds)
        writer.put(expiredMilliseconds)
        writer.put(deadMilliseconds)
        writer.put(maxFinished)
        writer.put(maxDead)
        writer.put(isExported)
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
        isExported = try reader.bool()
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
        index.kept.removeAll()
        pushEnds()
        return .done
    }

    /// Whether more tasks are kept than shall be, and may go by themselves.
    func isOverfull(_ reason: Wakes.Reason) -> Bool {
        !state.retention.isExported && surplus(reason) > 0
    }

    /// How many more tasks are kept than shall be.
    func surplus(_ reason: Wakes.Reason) -> Int {
        let limit = reason == .dead ? state.retention.maxDead : state.retention.maxFinished
        return max(0, keptCount(reason) - Int(limit))
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
