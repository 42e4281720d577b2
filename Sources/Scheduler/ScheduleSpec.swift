/// A recurring task. The state machine never evaluates `timing`: the proposer computes each next instant
/// and puts it in the command, because nodes may hold different time-zone data.
public struct ScheduleSpec: Equatable, Sendable {
    public var timing: Timing
    /// An IANA name; used with `cron`.
    public var zone: String
    /// The release of the time-zone data that the first instant was computed by, if it says so.
    public var zoneData: String?
    public var policy: SchedulePolicy
    /// `start` and `key` are not used.
    public var task: TaskSpec

    /// - Parameter policy: By default occurrences may overlap, and of missed ones the latest runs.
    public init(
        timing: Timing, zone: String, policy: SchedulePolicy = SchedulePolicy(), task: TaskSpec
    ) {
        self.timing = timing
        self.zone = zone
        self.policy = policy
        self.task = task
    }

    public enum Timing: Equatable, Sendable {
        case cron(String)
        /// Multiples of the period since the epoch, moved by the phase, which is smaller than the period.
        case every(milliseconds: Milliseconds, phase: Milliseconds = 0)
        /// These instants; ascending, at most `Limits.maxScheduleInstants`.
        case at([Milliseconds])
    }
}

/// How a paused schedule goes on, as the proposer computed it from what it saw. If the schedule was replaced, or
/// has gone on by itself, since then, it is resumed all the same, and what it missed is for the leader to tell.
public struct Resumption: Equatable, Sendable {
    public var revision: UInt64
    /// The `next` that the schedule kept while it was paused.
    public var expectedNext: Milliseconds?
    /// Occurrences from `expectedNext` on, before `next`.
    public var skipped: UInt32
    /// The first instant after the proposer's now; nil: never again.
    public var next: Milliseconds?
    /// The release of the time-zone data that `next` was computed by, if it says so.
    public var zoneData: String?

    /// - Parameter zoneData: nil if the proposer's files do not say.
    public init(
        revision: UInt64, expectedNext: Milliseconds?, skipped: UInt32, next: Milliseconds?,
        zoneData: String? = nil
    ) {
        self.revision = revision
        self.expectedNext = expectedNext
        self.skipped = skipped
        self.next = next
        self.zoneData = zoneData
    }
}

/// What a schedule that is replaced has let pass, as the proposer counted it: occurrences end in a state each, whatever
/// becomes of their schedule.
public struct Replacement: Equatable, Sendable {
    /// What the proposer saw. If the schedule has gone on since then, what was due meanwhile counts as one.
    public var revision: UInt64
    public var expectedNext: Milliseconds
    /// Occurrences from `expectedNext` on, up to the proposer's now.
    public var passed: UInt32
    /// The next ones behind these, ascending: some of them may be over when the command is applied.
    public var upcoming: [Milliseconds]

    public init(
        revision: UInt64, expectedNext: Milliseconds, passed: UInt32, upcoming: [Milliseconds]
    ) {
        self.revision = revision
        self.expectedNext = expectedNext
        self.passed = passed
        self.upcoming = upcoming
    }
}

extension Replacement {
    func encode(into writer: inout ByteWriter) {
        writer.put(revision)
        writer.put(expectedNext)
        writer.put(passed)
        writer.put(UInt32(upcoming.count))
        for instant in upcoming { writer.put(instant) }
    }

    /// Throws if the bytes are damaged or a value is over its limit.
    init(from reader: inout ByteReader) throws(CodecError) {
        revision = try reader.uint64()
        expectedNext = try reader.instant("occurrence")
        passed = try reader.uint32()
        let count = try reader.count(minimumBytes: 8)
        guard count <= Limits.maxUpcomingOccurrences else {
            throw CodecError("\(count) occurrences are too many")
        }
        upcoming = []
        for _ in 0..<count { upcoming.append(try reader.instant("occurrence")) }
    }
}

/// One schedule that is due, as the leader proposes it.
public struct Firing: Equatable, Sendable {
    public var schedule: String
    /// Told apart from an older schedule of the same name.
    public var revision: UInt64
    /// The schedule's `next` as the leader saw it: the firing is dropped if the state has moved on.
    public var expectedNext: Milliseconds
    /// The occurrence to be decided about; nil if the leader is still counting missed ones.
    public var nominal: Milliseconds?
    /// Occurrences that are due behind it, counted up to `CatchUpPolicy.horizon`.
    public var later: UInt32
    /// Occurrences from `expectedNext` on, before `nominal`, that came due while no leader could fire
    /// them, and are recorded as missed.
    public var missed: UInt32
    /// The first instant after all of these; nil: never again.
    public var next: Milliseconds?
    /// The release of the time-zone data that `next` was computed by, if it says so.
    public var zoneData: String?

    /// - Parameter later: 0: `nominal` is the last that is due.
    public init(
        schedule: String, revision: UInt64, expectedNext: Milliseconds, nominal: Milliseconds?,
        missed: UInt32, later: UInt32 = 0, next: Milliseconds?, zoneData: String? = nil
    ) {
        self.schedule = schedule
        self.revision = revision
        self.expectedNext = expectedNext
        self.nominal = nominal
        self.missed = missed
        self.later = later
        self.next = next
        self.zoneData = zoneData
    }
}
