/// Occurrences of a schedule between two instants in the past, which are made up for: one backfill at a time for each
/// schedule. The last one is kept.
public struct Backfill: Equatable, Sendable {
    public var from: Milliseconds
    /// Included.
    public var to: Milliseconds
    /// Each waits for those before it to end; else they run beside each other.
    public var isSequential: Bool
    /// The first occurrence that is not dealt with; nil: none is left.
    public var next: Milliseconds?
    public var state = State.running
    public var startedAt: Milliseconds = 0
    public var finishedAt: Milliseconds?
    public var ran: UInt64 = 0
    /// They had fired before.
    public var repeated: UInt64 = 0
    /// Their payloads grew too large by their names.
    public var skipped: UInt64 = 0

    /// - Parameter next: the first occurrence not before `from`; nil: there is none until `to`.
    public init(from: Milliseconds, to: Milliseconds, isSequential: Bool, next: Milliseconds?) {
        self.from = from
        self.to = to
        self.isSequential = isSequential
        self.next = next.flatMap { $0 <= to ? $0 : nil }
    }

    public enum State: UInt8, Sendable {
        case running = 0
        case done = 1
        /// By hand, or because the schedule was replaced.
        case cancelled = 2

        /// As it stands in the API.
        public var name: String {
            switch self {
            case .running: "running"
            case .done: "done"
            case .cancelled: "cancelled"
            }
        }
    }
}

/// The next occurrences of a backfill, as the leader proposes them.
public struct BackfillPortion: Equatable, Sendable {
    public static let maxInstants = 100

    public var schedule: String
    public var revision: UInt64
    /// Ascending, from the backfill's `next` on, which tells whether the state has moved on since.
    public var instants: [Milliseconds]
    /// The first occurrence after these; nil: none.
    public var next: Milliseconds?

    public init(
        schedule: String, revision: UInt64, instants: [Milliseconds], next: Milliseconds?
    ) {
        self.schedule = schedule
        self.revision = revision
        self.instants = instants
        self.next = next
    }
}

/// ```
/// backfill  from i64 · to i64 · isSequential bool · next (bool · i64) · state u8 · startedAt i64
///           · finishedAt (bool · i64) · ran u64 · repeated u64 · skipped u64
/// portion   schedule string · revision u64 · instants (count u32 · i64…) · next (bool · i64)
/// ```
extension Backfill {
    func encode(into writer: inout ByteWriter) {
        writer.put(from)
        writer.put(to)
        writer.put(isSequential)
        writer.put(next)
        writer.put(state.rawValue)
        writer.put(startedAt)
        writer.put(finishedAt)
        writer.put(ran)
        writer.put(repeated)
        writer.put(skipped)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        from = try reader.instant("begin of a backfill")
        to = try reader.instant("end of a backfill")
        isSequential = try reader.bool()
        next = try reader.optionalInstant("next occurrence")
        let byte = try reader.byte()
        guard let state = State(rawValue: byte) else {
            throw CodecError("\(byte) is not a backfill's state")
        }
        self.state = state
        startedAt = try reader.instant("start")
        finishedAt = try reader.optionalInstant("end")
        ran = try reader.uint64()
        repeated = try reader.uint64()
        skipped = try reader.uint64()
        guard from <= to, next.map({ (from...to).contains($0) }) ?? true else {
            throw CodecError("a backfill's occurrence is not in its range")
        }
    }
}

extension BackfillPortion {
    func encode(into writer: inout ByteWriter) {
        writer.put(schedule)
        writer.put(revision)
        writer.put(UInt32(instants.count))
        for instant in instants { writer.put(instant) }
        writer.put(next)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        schedule = try reader.string()
        revision = try reader.uint64()
        let count = try reader.count(minimumBytes: 8)
        guard (1...Self.maxInstants).contains(count) else {
            throw CodecError("\(count) occurrences are no portion of a backfill")
        }
        instants = []
        instants.reserveCapacity(count)
        for _ in 0..<count {
            let instant = try reader.instant("occurrence")
            guard instants.last.map({ $0 < instant }) ?? true else {
                throw CodecError("occurrences do not ascend")
            }
            instants.append(instant)
        }
        next = try reader.optionalInstant("next occurrence")
    }
}
