/// What a schedule does beside its instants: decided in the state machine, for every occurrence, when it fires.
public struct SchedulePolicy: Equatable, Sendable {
    public var overlap = OverlapPolicy.allow
    public var catchUp = CatchUpPolicy.latest
    /// An occurrence that fires no later than this is on time, whatever `catchUp` says; `within` sets its own.
    public var graceMilliseconds: Milliseconds = 60_000
    /// Occurrences start up to this much after their instants, by a hash of their ids.
    public var jitterMilliseconds: Milliseconds = 0
    /// No occurrence is later than this.
    public var until: Milliseconds?
    /// For the proposer, who computes the instants.
    public var daylight = DaylightPolicy.automatic

    /// Everything as if no policy were given.
    public init() {}

    /// nil if `until` comes before.
    func within(_ next: Milliseconds?) -> Milliseconds? {
        guard let next, let until else { return next }
        return next <= until ? next : nil
    }

    /// When the task of an occurrence is due. The same on every node and in every life: an occurrence that is
    /// looked at twice has one instant.
    func dueTime(of occurrence: String, at nominal: Milliseconds) -> Milliseconds {
        guard jitterMilliseconds > 0 else { return nominal }
        let offset = StableHash.of(occurrence) % UInt64(jitterMilliseconds + 1)
        return min(nominal + Milliseconds(offset), Limits.maxTime)
    }
}

/// What happens when an occurrence comes while a task of its schedule has not ended.
public enum OverlapPolicy: UInt8, Sendable, CaseIterable {
    /// Both run.
    case allow = 0
    /// The new one is skipped.
    case skip = 1
    /// The new one starts when nothing of the schedule is left to end; if one waits already it is skipped.
    case buffer = 2
    /// Those before are cancelled, and the new one starts.
    case cancelOther = 3

    /// As it stands in the API.
    public var name: String {
        switch self {
        case .allow: "allow"
        case .skip: "skip"
        case .buffer: "buffer"
        case .cancelOther: "cancelOther"
        }
    }
}

/// What happens to occurrences that came due while nobody could fire them.
public enum CatchUpPolicy: Equatable, Sendable {
    /// They are missed.
    case none
    /// The latest runs.
    case latest
    /// The latest so many run.
    case all(UInt32)
    /// Those run that are late by no more than this.
    case within(milliseconds: Milliseconds)

    /// Most occurrences that `all` may bring back: each looks at so many behind it.
    public static let maxAll: UInt32 = 1_000

    /// How many due occurrences behind one have to be known to decide about it.
    public var horizon: UInt32 {
        switch self {
        case .none, .within: 0
        case .latest: 1
        case .all(let count): count
        }
    }

    /// Whether an occurrence runs that fires `late` milliseconds after its instant, with `later` due ones behind it
    /// (counted up to `horizon`).
    public func runs(late: Milliseconds, later: UInt32, grace: Milliseconds) -> Bool {
        switch self {
        case .none: late <= grace
        case .latest: late <= grace || later == 0
        case .all(let count): late <= grace || later < count
        case .within(let longest): late <= longest
        }
    }
}
