import Scheduler

/// Computes the instants of schedules, on behalf of whoever proposes a command: the state machine does not,
/// because nodes may hold different time-zone data.
public struct OccurrencePlanner {
    struct Plan {
        var firings: [Firing] = []
        /// Schedules that are due and can't be evaluated here; they stay due.
        var unresolved: [String] = []
    }

    private enum Rule {
        case cron(Cron, Zone)
        case every(milliseconds: Int64)

        func next(after instant: Milliseconds) -> Milliseconds? {
            switch self {
            case .cron(let cron, let zone): cron.next(after: instant, in: zone)
            case .every(let period): Cron.nextMultiple(of: period, after: instant)
            }
        }
    }

    /// Missed occurrences counted in one firing; more follow in the next one.
    private static let maxMissedPerFiring: UInt32 = 1_000

    private var zones: ZoneTable

    init(zones: ZoneTable) {
        self.zones = zones
    }

    /// For a replica without time-zone files: only UTC is known.
    public static var utcOnly: OccurrencePlanner {
        OccurrencePlanner(zones: ZoneTable(directories: [], read: { _ in nil }))
    }

    /// The first instant after `instant`; nil if there is none. Throws in plain words what is wrong with the
    /// expression or its zone.
    mutating func next(
        _ timing: ScheduleSpec.Timing, zone: String, after instant: Milliseconds
    ) throws(PlanError) -> Milliseconds? {
        try rule(timing, zone).next(after: instant)
    }

    private mutating func rule(
        _ timing: ScheduleSpec.Timing, _ zoneName: String
    ) throws(PlanError) -> Rule {
        switch timing {
        case .every(let period):
            guard Cron.periodRangeMilliseconds.contains(period) else {
                throw .expression("a period of \(period) ms is out of range")
            }
            return .every(milliseconds: period)
        case .cron(let text):
            let cron: Cron
            do { cron = try Cron(text) } catch { throw .expression(error.description) }
            do {
                return .cron(cron, try zones.zone(cron.zoneName ?? zoneName))
            } catch { throw .zone(error.description) }
        }
    }

    /// Firings for everything that is due, in order: occurrences younger than the catch-up time each on their
    /// own, of older ones the latest alone.
    mutating func plan(
        _ due: [DueSchedule], at time: Milliseconds, settings: ReplicaSettings
    ) -> Plan {
        var plan = Plan()
        for schedule in due where plan.firings.count < settings.maxFiringsPerAdvance {
            do {
                let rule = try rule(schedule.timing, schedule.zone)
                append(schedule, rule, time, settings, &plan)
            } catch {
                plan.unresolved.append(schedule.name)
            }
        }
        return plan
    }

    private func append(
        _ schedule: DueSchedule, _ rule: Rule, _ time: Milliseconds, _ settings: ReplicaSettings,
        _ plan: inout Plan
    ) {
        var expected = schedule.next
        var nominal = schedule.next
        var missed: UInt32 = 0
        while plan.firings.count < settings.maxFiringsPerAdvance {
            let next = rule.next(after: nominal)
            let isLast = next.map { $0 > time } ?? true
            let isRecent = time - nominal <= settings.catchUpMilliseconds
            if isLast || isRecent || missed + 1 >= Self.maxMissedPerFiring {
                let runs = isLast || isRecent
                plan.firings.append(
                    Firing(
                        schedule: schedule.name, revision: schedule.revision,
                        expectedNext: expected, nominal: runs ? nominal : nil,
                        missed: runs ? missed : missed + 1, next: next))
                missed = 0
                expected = next ?? expected
            } else {
                missed += 1
            }
            guard let next, next <= time else { return }
            nominal = next
        }
    }
}

/// Why a schedule's next instant can't be computed.
public enum PlanError: Error, Equatable, Sendable {
    case expression(String)
    case zone(String)
}
