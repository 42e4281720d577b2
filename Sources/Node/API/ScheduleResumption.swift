import Scheduler

/// Counts what a paused schedule has let pass, and then resumes it.
final class ScheduleResumption {
    private let call: Call
    private let options: Call.Options
    private let schedule: ScheduleView
    private let passed: PassedOccurrences

    init(
        _ call: Call, _ options: Call.Options, _ schedule: ScheduleView, _ rule: ScheduleRule
    ) {
        self.call = call
        self.options = options
        self.schedule = schedule
        passed = PassedOccurrences(call.context, rule, from: schedule.next)
    }

    func begin(then: @escaping () -> Void) {
        guard schedule.isPaused else { return resume(then) }
        passed.countSlice { self.resume(then) }
    }

    private func resume(_ then: @escaping () -> Void) {
        call.perform(
            .resumeSchedule(
                name: schedule.name,
                Resumption(
                    revision: schedule.revision, expectedNext: schedule.next,
                    skipped: UInt32(min(passed.count, Int(UInt32.max))), next: passed.next,
                    zoneData: call.context.zoneData)),
            options, noun: "schedule", name: schedule.name,
            wrongState: { "" }
        ) { _ in then() }
    }
}
