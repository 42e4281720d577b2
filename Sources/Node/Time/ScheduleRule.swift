import Scheduler

/// When a schedule's occurrences are, ready to be computed.
struct ScheduleRule {
    private enum Kind {
        case cron(Cron, Zone, DaylightPolicy)
        case every(milliseconds: Milliseconds, phase: Milliseconds)
        case at([Milliseconds])
    }

    private let kind: Kind
    private let until: Milliseconds?

    /// The rule of a schedule, by this machine's time-zone data.
    ///
    /// - Parameter name: Decides what `H` and `~` stand for.
    init(
        _ timing: ScheduleSpec.Timing, name: String, zone: String, policy: SchedulePolicy,
        zones: inout ZoneTable
    ) throws(ScheduleRuleError) {
        until = policy.until
        switch timing {
        case .every(let period, let phase):
            guard Cron.periodRangeMilliseconds.contains(period) else {
                throw ScheduleRuleError(
                    field: "every", reason: "a period of \(period) ms is out of range")
            }
            kind = .every(milliseconds: period, phase: phase)
        case .at(let instants): kind = .at(instants)
        case .cron(let text):
            let cron: Cron
            do {
                cron = try Cron(text, name: name)
            } catch {
                throw ScheduleRuleError(field: "cron", reason: error.description)
            }
            do {
                kind = .cron(cron, try zones.zone(cron.zoneName ?? zone), policy.daylight)
            } catch {
                throw ScheduleRuleError(field: "zone", reason: error.description)
            }
        }
    }

    /// The first occurrence after an instant; nil if there is none until the schedule's end, or within 41 years.
    func next(after instant: Milliseconds) -> Cron.Occurrence? {
        let found: Cron.Occurrence?
        switch kind {
        case .cron(let cron, let zone, let daylight):
            found = cron.nextOccurrence(after: instant, in: zone, daylight: daylight)
        case .every(let period, let phase):
            let next = Cron.nextMultiple(of: period, phase: phase, after: instant)
            found = next > Limits.maxTime ? nil : Cron.Occurrence(instant: next, change: .none)
        case .at(let instants):
            let next = instants.first { $0 > instant }
            found = next.map { Cron.Occurrence(instant: $0, change: .none) }
        }
        guard let found, found.instant <= until ?? .max else { return nil }
        return found
    }

    /// Readings of the clock between two instants that are left out because the clocks were put forward over them.
    func skipped(
        after first: Milliseconds, before last: Milliseconds, limit: Int
    ) -> [Cron.SkippedReading] {
        guard case .cron(let cron, let zone, let daylight) = kind else { return [] }
        return cron.skipped(
            after: first, before: last, in: zone, daylight: daylight, limit: limit)
    }

    /// Never fires by itself, and is meant so.
    var isManual: Bool {
        guard case .cron(let cron, _, _) = kind else { return false }
        return cron.kind == .never
    }

    /// What is known without walking from one to the next: the period, if nothing else decides.
    var periodMilliseconds: Milliseconds? {
        guard case .every(let period, _) = kind, until == nil else { return nil }
        return period
    }
}

/// Why a schedule's occurrences can't be computed here.
struct ScheduleRuleError: Error, Equatable {
    /// The field of the schedule that is to blame.
    let field: String
    let reason: String
}
