import Scheduler

/// A schedule as clients read it.
extension JSONWriter {
    /// - Parameter warnings: What is allowed and probably not meant.
    mutating func schedule(_ schedule: ScheduleView, warnings: [String] = []) {
        beginObject()
        field("name", schedule.name)
        timing(schedule.spec)
        key("task")
        beginObject()
        specFields(schedule.spec.task)
        endObject()
        field("paused", schedule.isPaused)
        timestampField("createdAt", schedule.createdAt)
        // A paused schedule keeps its time in the state, and will not run then.
        optionalTimestampField("next", schedule.isPaused ? nil : schedule.next)
        optionalTimestampField("last", schedule.last)
        optionalField("lastTask", schedule.lastTask?.description)
        key("counters")
        beginObject()
        field("ran", schedule.ran)
        field("skipped", schedule.skipped)
        field("missed", schedule.missed)
        field("expired", schedule.expired)
        endObject()
        if !warnings.isEmpty { field("warnings", warnings) }
        endObject()
    }

    private mutating func timing(_ spec: ScheduleSpec) {
        switch spec.timing {
        case .cron(let expression):
            field("cron", expression)
            field("zone", spec.zone)
        case .every(let milliseconds, let phase):
            durationField("every", milliseconds)
            if phase > 0 { durationField("phase", phase) }
        case .at(let instants):
            key("at")
            beginArray()
            for instant in instants { timestamp(instant) }
            endArray()
        }
    }
}
