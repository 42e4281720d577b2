import Scheduler

/// Computes the instants of schedules, on behalf of whoever proposes a command: the state machine does not,
/// because nodes may hold different time-zone data.
public struct OccurrencePlanner {
    struct Plan {
        var firings: [Firing] = []
        var instants = 0
        /// Schedules that are due and can't be evaluated here; they stay due.
        var unresolved: [DueSchedule] = []
    }

    /// Missed occurrences counted in one firing; more follow in the next one.
    private static let maxMissedPerFiring: UInt32 = 1_000
    /// Instants computed for one plan, to within those of one firing: after a day without a leader there may be
    /// millions. The others follow in the next plan.
    static let maxInstantsPerPlan = 10_000

    private var zones: ZoneTable
    private let zoneData: String?

    init(zones: ZoneTable) {
        self.zones = zones
        zoneData = zones.release()
    }

    /// For a replica without time-zone files: only UTC is known.
    public static var utcOnly: OccurrencePlanner {
        OccurrencePlanner(zones: ZoneTable(directories: [], read: { _ in nil }))
    }

    /// Firings for everything that is due, in order. Those that the state will miss for being late are counted; each
    /// of the others is a firing of its own.
    mutating func plan(
        _ due: [DueSchedule], at time: Milliseconds, settings: ReplicaSettings
    ) -> Plan {
        var plan = Plan()
        for schedule in due
        where plan.firings.count < settings.maxFiringsPerAdvance
            && plan.instants < Self.maxInstantsPerPlan
        {
            do {
                let rule = try ScheduleRule(
                    schedule.timing, name: schedule.name, zone: schedule.zone,
                    policy: schedule.policy, zones: &zones)
                append(schedule, rule, time, limit: settings.maxFiringsPerAdvance, &plan)
            } catch {
                plan.unresolved.append(schedule)
            }
        }
        return plan
    }

    /// The next occurrences of a backfill; nil: they can't be computed here.
    mutating func portion(of backfill: DueBackfill) -> BackfillPortion? {
        let schedule = backfill.schedule
        guard
            let rule = try? ScheduleRule(
                schedule.timing, name: schedule.name, zone: schedule.zone,
                policy: schedule.policy, zones: &zones)
        else { return nil }
        var instants = [schedule.next]
        var next = rule.next(after: schedule.next)?.instant
        while instants.count < backfill.maxInstants, let instant = next, instant <= backfill.to {
            instants.append(instant)
            next = rule.next(after: instant)?.instant
        }
        return BackfillPortion(
            schedule: schedule.name, revision: schedule.revision, instants: instants, next: next)
    }

    private func append(
        _ schedule: DueSchedule, _ rule: ScheduleRule, _ time: Milliseconds, limit: Int,
        _ plan: inout Plan
    ) {
        let policy = schedule.policy
        var due = DueInstants(rule, from: schedule.next, through: time)
        var expected = schedule.next
        var missed: UInt32 = 0
        defer { plan.instants += due.computed }
        // What was counted as missed goes into a firing first.
        while plan.firings.count < limit,
            missed > 0 || plan.instants + due.computed < Self.maxInstantsPerPlan,
            let nominal = due.current
        {
            let later = due.countBehind(limit: policy.catchUp.horizon)
            let runs = policy.catchUp.runs(
                late: time - nominal, later: later, grace: policy.graceMilliseconds)
            let next = due.moveOn()
            guard runs || due.current == nil || missed + 1 >= Self.maxMissedPerFiring else {
                missed += 1
                continue
            }
            plan.firings.append(
                Firing(
                    schedule: schedule.name, revision: schedule.revision, expectedNext: expected,
                    nominal: runs ? nominal : nil, missed: runs ? missed : missed + 1,
                    later: runs ? later : 0, next: next, zoneData: zoneData))
            missed = 0
            expected = next ?? expected
        }
    }
}

/// The instants of a schedule that are due, one after the other, with a view of those ahead.
private struct DueInstants {
    private let rule: ScheduleRule
    private let time: Milliseconds
    /// From the current one on, as far as was looked; those before `head` are done with.
    private var known: [Milliseconds]
    private var head = 0
    private(set) var computed = 0
    /// The first instant behind all that are due, once it was come to.
    private var following: Milliseconds?
    private var isComplete = false

    /// `first` is due.
    init(_ rule: ScheduleRule, from first: Milliseconds, through time: Milliseconds) {
        self.rule = rule
        self.time = time
        known = [first]
    }

    var current: Milliseconds? { head < known.count ? known[head] : nil }

    /// How many are due behind the current one, counted up to `limit`.
    mutating func countBehind(limit: UInt32) -> UInt32 {
        look(ahead: Int(limit))
        return min(limit, UInt32(known.count - head - 1))
    }

    /// The instant behind the current one, due or not, which it becomes if it is.
    mutating func moveOn() -> Milliseconds? {
        look(ahead: 1)
        head += 1
        if head > 4_096 {
            known.removeFirst(head)
            head = 0
        }
        return current ?? following
    }

    private mutating func look(ahead count: Int) {
        while !isComplete, known.count - head - 1 < count, let last = known.last {
            following = rule.next(after: last)?.instant
            computed += 1
            if let following, following <= time {
                known.append(following)
            } else {
                isComplete = true
            }
        }
    }
}
