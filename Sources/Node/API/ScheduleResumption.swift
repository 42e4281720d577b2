import Scheduler

/// Counts what a paused schedule has let pass, a slice a turn, and then resumes it: every occurrence is
/// recorded, and a schedule of every second may have a week of them.
final class ScheduleResumption {
    private let call: Call
    private let options: Call.Options
    private let schedule: ScheduleView
    private let rule: ScheduleRule
    /// The first occurrence that is not counted yet.
    private var next: Milliseconds?
    private var skipped = 0

    init(
        _ call: Call, _ options: Call.Options, _ schedule: ScheduleView, _ rule: ScheduleRule
    ) {
        self.call = call
        self.options = options
        self.schedule = schedule
        self.rule = rule
        next = schedule.next
    }

    func countSlice(then: @escaping () -> Void) {
        let now = call.context.clusterTime
        if let period = rule.periodMilliseconds, let first = next, first <= now, schedule.isPaused {
            let passed = (now - first) / period + 1
            skipped = Int(passed)
            next = first + passed * period
        }
        var budget = APILimits.maxSkippedPerTurn
        while let occurrence = next, occurrence <= now, schedule.isPaused, budget > 0 {
            next = rule.next(after: occurrence)?.instant
            skipped += 1
            budget -= 1
        }
        if let occurrence = next, occurrence <= now, schedule.isPaused,
            skipped < APILimits.maxSkipped
        {
            call.context.facts.later { self.countSlice(then: then) }
            return
        }
        resume(then)
    }

    private func resume(_ then: @escaping () -> Void) {
        call.perform(
            .resumeSchedule(
                name: schedule.name,
                Resumption(
                    revision: schedule.revision, expectedNext: schedule.next,
                    skipped: UInt32(min(skipped, Int(UInt32.max))), next: next,
                    zoneData: call.context.zoneData)),
            options, noun: "schedule", name: schedule.name,
            wrongState: { "" }
        ) { _ in then() }
    }
}
