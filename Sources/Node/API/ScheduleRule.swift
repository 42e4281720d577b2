import Scheduler

/// When a schedule's occurrences are, ready to be computed.
enum ScheduleRule {
    case cron(Cron, Zone)
    case every(milliseconds: Milliseconds)

    /// The rule of a schedule that is in the state already.
    init(_ spec: ScheduleSpec, zones: inout ZoneTable) throws(ScheduleRuleError) {
        switch spec.timing {
        case .every(let period):
            self = .every(milliseconds: period)
        case .cron(let text):
            let cron: Cron
            do {
                cron = try Cron(text)
            } catch {
                throw ScheduleRuleError(field: "cron", reason: error.description)
            }
            do {
                self = .cron(cron, try zones.zone(cron.zoneName ?? spec.zone))
            } catch {
                throw ScheduleRuleError(field: "zone", reason: error.description)
            }
        }
    }

    /// The first occurrence after an instant; nil if there is none within 41 years.
    func next(after instant: Milliseconds) -> Cron.Occurrence? {
        switch self {
        case .cron(let cron, let zone): cron.nextOccurrence(after: instant, in: zone)
        case .every(let period):
            Cron.Occurrence(instant: Cron.nextMultiple(of: period, after: instant), change: .none)
        }
    }
}

/// Why a schedule's occurrences can't be computed here.
struct ScheduleRuleError: Error, Equatable {
    /// The field of the schedule that is to blame.
    let field: String
    let reason: String
}
