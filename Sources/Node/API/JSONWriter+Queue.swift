import Scheduler

/// A queue as clients read it.
extension JSONWriter {
    mutating func queue(_ queue: QueueView) {
        beginObject()
        field("name", Namespace.bare(queue.name))
        optionalNumber("concurrency", queue.spec.concurrency.map(Int.init))
        optionalField("rate", queue.spec.rate.map(RateText.format))
        optionalNumber("burst", queue.spec.rate.map { Int($0.burst) })
        optionalNumber("priority", queue.spec.priority.map(Int.init))
        optionalNumber("maxPending", queue.spec.maxPending.map(Int.init))
        field("paused", queue.isPaused)
        key("breaker")
        if let spec = queue.spec.breaker, let phase = queue.breaker {
            breaker(spec, phase)
        } else {
            null()
        }
        optionalField("errorWebhook", queue.spec.errorWebhook)
        key("limits")
        beginArray()
        for limit in queue.spec.limits {
            beginObject()
            field("key", limit.key)
            optionalNumber("concurrency", limit.concurrency.map(Int.init))
            optionalField("rate", limit.rate.map(RateText.format))
            optionalNumber("burst", limit.rate.map { Int($0.burst) })
            endObject()
        }
        endArray()
        field("pending", queue.pending)
        field("ready", queue.tasksByState[Int(TaskState.ready.rawValue)])
        field("held", queue.held)
        field("running", queue.running)
        optionalTimestampField("nextTokenAt", queue.nextTokenAt)
        endObject()
    }

    private mutating func breaker(_ spec: BreakerSpec, _ phase: BreakerPhase) {
        beginObject()
        switch spec.trip {
        case .failures(let count): field("failures", Int(count))
        case .ratio(let permille, let minimum, let window):
            field("ratio", Double(permille) / 1_000)
            field("minimum", Int(minimum))
            durationField("window", window)
        }
        durationField("open", spec.openMilliseconds)
        field("probes", Int(spec.probes))
        field("state", phase.name)
        if case .open(let until) = phase {
            timestampField("until", until)
        } else {
            nullField("until")
        }
        endObject()
    }

    mutating func optionalNumber(_ name: JSONName, _ value: Int?) {
        if let value { field(name, value) } else { nullField(name) }
    }
}
