import Scheduler

/// A task as clients read it. Every field always stands there; what does not apply is null.
extension JSONWriter {
    mutating func task(_ task: TaskView) {
        beginObject()
        field("id", task.id)
        field("namespace", Namespace(of: task.spec.queue).name)
        field("state", task.state.name)
        specFields(task.spec)
        timestampField("runAt", task.dueAt)
        optionalField("key", task.spec.key)
        field("after", task.spec.after.map(\.description))
        field("onDependencyFailure", task.spec.onDependencyFailure.name)
        field("attempt", Int64(task.attempt))
        optionalField("worker", task.worker)
        timestampField("createdAt", task.createdAt)
        optionalTimestampField("startedAt", task.startedAt)
        optionalTimestampField("finishedAt", task.finishedAt)
        key("result")
        if let result = task.result { raw(result) } else { null() }
        key("storedResult")
        if let stored = task.stored {
            beginObject()
            field("bytes", stored.output.bytes)
            field("sha256", stored.output.checksum.hexadecimal)
            field("node", stored.output.node)
            endObject()
        } else {
            null()
        }
        key("error")
        if let error = task.error {
            beginObject()
            field("message", error.message)
            field("kind", error.kind)
            field("attempt", Int64(error.attempt))
            endObject()
        } else {
            null()
        }
        key("progress")
        if let percent = task.progress?.percent { int(Int64(percent)) } else { null() }
        optionalField("progressNote", task.progress?.note)
        field("cached", task.cachedFrom != nil)
        optionalField("cachedFrom", task.cachedFrom?.description)
        optionalField("schedule", task.occurrence.map(Namespace.bare))
        optionalField("workflow", task.workflow?.description)
        optionalField("template", task.spec.template)
        key("attempts")
        beginArray()
        for attempt in task.attempts {
            self.attempt(attempt, task.logs.last { $0.attempt == attempt.number })
        }
        endArray()
        endObject()
    }

    /// What was submitted, but for time and key.
    mutating func specFields(_ spec: TaskSpec) {
        field("handler", spec.handler)
        rawField("payload", spec.payload)
        field("queue", Namespace.bare(spec.queue))
        field("priority", Int64(spec.priority))
        key("retry")
        beginObject()
        field("attempts", Int64(spec.retry.attempts))
        field("backoff", spec.retry.backoff.name)
        durationField("initial", spec.retry.initialMilliseconds)
        durationField("max", spec.retry.maxMilliseconds)
        field("jitter", spec.retry.jitter)
        if spec.retry.kinds.isEmpty { nullField("kinds") } else { field("kinds", spec.retry.kinds) }
        endObject()
        durationField("timeout", spec.timeoutMilliseconds)
        optionalDurationField("overallTimeout", spec.overallTimeoutMilliseconds)
        optionalDurationField("expires", spec.expiresMilliseconds)
        field("tags", spec.tags)
        optionalField("routingKey", spec.routingKey)
        field("delivery", spec.delivery.name)
        optionalField("webhook", spec.webhook)
        key("meta")
        beginObject()
        for label in spec.meta { field(JSONName(label.name), label.value) }
        endObject()
        if let cache = spec.cacheMilliseconds {
            durationField("cache", cache)
        } else {
            nullField("cache")
        }
    }

    private mutating func attempt(_ attempt: AttemptView, _ log: AttemptLog?) {
        beginObject()
        field("attempt", Int64(attempt.number))
        field("worker", attempt.worker)
        timestampField("startedAt", attempt.startedAt)
        optionalTimestampField("finishedAt", attempt.finishedAt)
        field("outcome", attempt.outcome)
        key("logBytes")
        if let log { int(Int64(log.bytes)) } else { null() }
        endObject()
    }

    mutating func field(_ name: JSONName, _ id: TaskID) {
        key(name)
        plainString {
            $0.append(UInt8(ascii: "t"))
            $0.append(decimal: id.number)
        }
    }

    mutating func durationField(_ name: JSONName, _ milliseconds: Milliseconds) {
        key(name)
        plainString { DurationText.append(milliseconds, to: &$0) }
    }

    mutating func optionalDurationField(_ name: JSONName, _ milliseconds: Milliseconds?) {
        if let milliseconds { durationField(name, milliseconds) } else { nullField(name) }
    }

    mutating func optionalField(_ name: JSONName, _ value: String?) {
        if let value { field(name, value) } else { nullField(name) }
    }

    mutating func optionalTimestampField(_ name: JSONName, _ milliseconds: Milliseconds?) {
        if let milliseconds { timestampField(name, milliseconds) } else { nullField(name) }
    }
}

extension TaskSpec.DependencyPolicy {
    /// As it stands in the API.
    var name: String {
        switch self {
        case .cancel: "cancel"
        case .run: "run"
        case .hold: "hold"
        }
    }
}

extension RetryPolicy.Backoff {
    /// As it stands in the API.
    var name: String {
        switch self {
        case .exponential: "exponential"
        case .linear: "linear"
        case .fixed: "fixed"
        }
    }
}
