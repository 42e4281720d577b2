import Scheduler

/// A schedule as clients read it.
extension JSONWriter {
    /// - Parameter warnings: What is allowed and probably not meant.
    mutating func schedule(_ schedule: ScheduleView, warnings: [String] = []) {
        beginObject()
        field("name", Namespace.bare(schedule.name))
        timing(schedule.spec)
        policy(schedule.spec.policy)
        key("task")
        beginObject()
        specFields(schedule.spec.task)
        endObject()
        optionalField("template", schedule.spec.task.template)
        field("paused", schedule.isPaused)
        timestampField("createdAt", schedule.createdAt)
        // A paused schedule keeps its time in the state, and will not run then.
        optionalTimestampField("next", schedule.isPaused ? nil : schedule.next)
        optionalTimestampField("last", schedule.last)
        optionalField("lastTask", schedule.lastTask?.description)
        // An occurrence that starts when those before it have ended.
        optionalTimestampField("waiting", schedule.buffered)
        optionalField("zoneData", schedule.zoneData)
        key("counters")
        beginObject()
        field("ran", schedule.ran)
        field("skipped", schedule.skipped)
        field("missed", schedule.missed)
        field("expired", schedule.expired)
        field("backfilled", schedule.backfilled)
        endObject()
        key("backfill")
        if let backfill = schedule.backfill { self.backfill(backfill) } else { null() }
        if !warnings.isEmpty { field("warnings", warnings) }
        endObject()
    }

    private mutating func backfill(_ backfill: Backfill) {
        beginObject()
        field("state", backfill.state.name)
        timestampField("from", backfill.from)
        timestampField("to", backfill.to)
        field("overlap", backfill.isSequential ? "buffer" : "allow")
        optionalTimestampField("next", backfill.next)
        field("ran", backfill.ran)
        field("repeated", backfill.repeated)
        field("skipped", backfill.skipped)
        timestampField("startedAt", backfill.startedAt)
        optionalTimestampField("finishedAt", backfill.finishedAt)
        endObject()
    }

    mutating func occurrence(_ occurrence: OccurrenceView) {
        beginObject()
        timestampField("at", occurrence.nominal)
        field("count", Int(occurrence.count))
        field("state", occurrence.state.name)
        field("reason", occurrence.reason.name)
        optionalField("task", occurrence.task?.description)
        endObject()
    }

    private mutating func policy(_ policy: SchedulePolicy) {
        field("overlap", policy.overlap.name)
        key("catchUp")
        switch policy.catchUp {
        case .none: string("none")
        case .latest: string("latest")
        case .all(let count):
            beginObject()
            field("all", Int(count))
            endObject()
        case .within(let milliseconds):
            beginObject()
            durationField("within", milliseconds)
            endObject()
        }
        durationField("jitter", policy.jitterMilliseconds)
        key("dst")
        beginObject()
        optionalField("gap", policy.daylight.gap?.rawValue)
        optionalField("overlap", policy.daylight.overlap?.rawValue)
        endObject()
        optionalTimestampField("until", policy.until)
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
