/// How an occurrence of a schedule ended, as far as the schedule is concerned: what becomes of its task stands in
/// the task.
public enum OccurrenceState: UInt8, Sendable, CaseIterable {
    /// It has, or had, a task.
    case ran = 0
    case skipped = 1
    case missed = 2
    /// Its task was there and could not start in time.
    case expired = 3

    /// As it stands in the API.
    public var name: String {
        switch self {
        case .ran: "ran"
        case .skipped: "skipped"
        case .missed: "missed"
        case .expired: "expired"
        }
    }
}

/// Why an occurrence ended as it did.
public enum OccurrenceReason: UInt8, Sendable, CaseIterable {
    /// Nothing but its time.
    case time = 0
    /// By hand, at no nominal instant.
    case trigger = 1
    /// One before it had not ended, or waited already.
    case overlap = 2
    /// The schedule was paused.
    case paused = 3
    /// The cluster holds as many tasks as it may, or as many queues.
    case full = 4
    /// The payload grew too large by the occurrence's name.
    case payload = 5
    /// An occurrence of this name was there before: the schedule was replaced by one that begins earlier.
    case repeated = 6
    /// Nobody could fire it in time, and the schedule does not catch up with it.
    case late = 7
    /// It waited for one before it to end when the schedule was replaced by one that lets nothing wait.
    case replaced = 8
    /// Long after its time, because somebody asked for it.
    case backfill = 9
    /// As many tasks of its namespace wait as may.
    case quota = 75

    /// As it stands in the API.
    public var name: String {
        switch self {
        case .time: "time"
        case .trigger: "trigger"
        case .overlap: "overlap"
        case .paused: "paused"
        case .full: "full"
        case .payload: "payload"
        case .repeated: "repeated"
        case .late: "late"
        case .replaced: "replaced"
        case .backfill: "backfill"
        case .quota: "quota"
        }
    }
}

/// The ends of a schedule's last occurrences, oldest first. Occurrences that ended together in the same way, such as
/// those that nobody could fire while the cluster was down, are one entry.
struct ScheduleHistory: Equatable, Sendable {
    static let maxEntries = 100

    /// 16 bytes: there may be a hundred for each of a hundred thousand schedules.
    struct Entry: Equatable, Sendable {
        /// Instant of the first · state u8 · reason u8. An instant in the state fits into 48 bits.
        let word: UInt64
        /// The task's number if there is one, else how many there were.
        let value: UInt64

        init(
            at instant: Milliseconds, _ state: OccurrenceState, _ reason: OccurrenceReason,
            value: UInt64
        ) {
            precondition((0...Limits.maxTime).contains(instant))
            word = UInt64(instant) << 16 | UInt64(state.rawValue) << 8 | UInt64(reason.rawValue)
            self.value = value
        }

        var instant: Milliseconds { Milliseconds(word >> 16) }
        /// Nothing but a state and a reason is ever put there.
        var state: OccurrenceState { OccurrenceState(rawValue: UInt8(word >> 8 & 0xFF)) ?? .ran }
        var reason: OccurrenceReason { OccurrenceReason(rawValue: UInt8(word & 0xFF)) ?? .time }
        var hasTask: Bool { state == .ran || state == .expired }
    }

    private(set) var entries: [Entry] = []

    mutating func append(_ entry: Entry) {
        if entries.count == Self.maxEntries { entries.removeFirst() }
        entries.append(entry)
    }

    /// The task could not start in time, or was brought back.
    mutating func note(_ task: TaskID, _ state: OccurrenceState) {
        guard let place = entries.lastIndex(where: { $0.hasTask && $0.value == task.number })
        else { return }
        let old = entries[place]
        entries[place] = Entry(at: old.instant, state, old.reason, value: old.value)
    }

    func encode(into writer: inout ByteWriter) {
        writer.put(UInt32(entries.count))
        for entry in entries {
            writer.put(entry.word)
            writer.put(entry.value)
        }
    }

    init() {}

    init(from reader: inout ByteReader) throws(CodecError) {
        let count = try reader.count(minimumBytes: 16)
        guard count <= Self.maxEntries else {
            throw CodecError("\(count) occurrences are too many")
        }
        entries.reserveCapacity(count)
        for _ in 0..<count {
            let word = try reader.uint64()
            guard let state = OccurrenceState(rawValue: UInt8(word >> 8 & 0xFF)),
                let reason = OccurrenceReason(rawValue: UInt8(word & 0xFF)),
                word >> 16 <= UInt64(Limits.maxTime)
            else { throw CodecError("\(word) is not the end of an occurrence") }
            let instant = Milliseconds(word >> 16)
            entries.append(Entry(at: instant, state, reason, value: try reader.uint64()))
        }
    }
}
