import Scheduler

/// Counts what a schedule has let pass, a slice a turn: every occurrence is recorded, and a schedule of every second may have
/// a week of them.
final class PassedOccurrences {
    private let context: APIContext
    private let rule: ScheduleRule
    /// The first occurrence that is not counted yet.
    private(set) var next: Milliseconds?
    private(set) var count = 0

    /// - Parameter next: the first one.
    init(_ context: APIContext, _ rule: ScheduleRule, from next: Milliseconds?) {
        self.context = context
        self.rule = rule
        self.next = next
    }

    func countSlice(then: @escaping () -> Void) {
        let now = context.clusterTime
        if let period = rule.periodMilliseconds, let first = next, first <= now {
            let passed = (now - first) / period + 1
            count = Int(passed)
            next = first + passed * period
        }
        var budget = APILimits.maxSkippedPerTurn
        while let occurrence = next, occurrence <= now, budget > 0 {
            next = rule.next(after: occurrence)?.instant
            count += 1
            budget -= 1
        }
        if let occurrence = next, occurrence <= now, count < APILimits.maxSkipped {
            context.facts.later { self.countSlice(then: then) }
            return
        }
        then()
    }

    /// Those behind what was counted that may be over soon.
    func upcoming() -> [Milliseconds] {
        var instants: [Milliseconds] = []
        var instant = next
        while let known = instant, instants.count < Limits.maxUpcomingOccurrences {
            instants.append(known)
            instant = rule.next(after: known)?.instant
        }
        return instants
    }
}
