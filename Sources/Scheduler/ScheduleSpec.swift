/// A recurring task. The state machine never evaluates `timing`: the proposer computes each next instant
/// and puts it in the command, because nodes may hold different time-zone data.
public struct ScheduleSpec: Equatable, Sendable {
    public var timing: Timing
    /// An IANA name; used with `cron`.
    public var zone: String
    /// `start` and `key` are not used.
    public var task: TaskSpec

    public init(timing: Timing, zone: String, task: TaskSpec) {
        self.timing = timing
        self.zone = zone
        self.task = task
    }

    public enum Timing: Equatable, Sendable {
        case cron(String)
        /// Multiples of the period since the epoch.
        case every(milliseconds: Milliseconds)
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

    public init(
        revision: UInt64, expectedNext: Milliseconds?, skipped: UInt32, next: Milliseconds?
    ) {
        self.revision = revision
        self.expectedNext = expectedNext
        self.skipped = skipped
        self.next = next
    }
}

/// One schedule that is due, as the leader proposes it.
public struct Firing: Equatable, Sendable {
    public var schedule: String
    /// Told apart from an older schedule of the same name.
    public var revision: UInt64
    /// The schedule's `next` as the leader saw it: the firing is dropped if the state has moved on.
    public var expectedNext: Milliseconds
    /// The occurrence that runs; nil if the leader is still counting missed ones.
    public var nominal: Milliseconds?
    /// Occurrences from `expectedNext` on, before `nominal`, that came due while no leader could fire
    /// them, and are recorded as missed.
    public var missed: UInt32
    /// The first instant after all of these; nil: never again.
    public var next: Milliseconds?

    public init(
        schedule: String, revision: UInt64, expectedNext: Milliseconds, nominal: Milliseconds?,
        missed: UInt32, next: Milliseconds?
    ) {
        self.schedule = schedule
        self.revision = revision
        self.expectedNext = expectedNext
        self.nominal = nominal
        self.missed = missed
        self.next = next
    }
}
