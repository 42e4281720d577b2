import Scheduler

extension EventFeed.Position {
    /// Appends `description`.
    func append(to text: inout [UInt8]) {
        text.append(decimal: index)
        text.append(UInt8(ascii: "-"))
        text.append(decimal: UInt64(place))
    }
}

extension JSONWriter {
    mutating func event(_ record: EventFeed.Record) {
        beginObject()
        key("id")
        plainString { record.position.append(to: &$0) }
        field("type", EventType(of: record.what).name)
        timestampField("time", record.time)
        switch record.what {
        case .task(let id, let state, let subject):
            field("task", id)
            field("state", state.name)
            if let subject {
                qualifiedField("queue", subject.queue)
                field("handler", subject.handler)
                if let schedule = subject.schedule {
                    field("schedule", Namespace.bare(schedule))
                }
                if subject.attempt > 0 { field("attempt", Int64(subject.attempt)) }
                if let worker = subject.worker { field("worker", worker) }
            }
        case .scheduleFired(let name, let nominal, let task):
            qualifiedField("schedule", name)
            timestampField("nominal", nominal)
            field("task", task)
        case .occurrencesPassed(let name, let nominal, let count, _, let reason):
            qualifiedField("schedule", name)
            timestampField("nominal", nominal)
            field("count", Int64(count))
            field("reason", reason.name)
        case .queue(let standing):
            qualifiedField("queue", standing.name)
            field("paused", standing.isPaused)
            if let breaker = standing.breaker { field("breaker", breaker.name) }
        case .worker(let id, let state):
            field("worker", id)
            if let state { field("state", state.name) }
        }
        endObject()
    }

    /// `namespace`, and a qualified name as it is called there.
    private mutating func qualifiedField(_ name: JSONName, _ qualified: String) {
        let text = qualified.utf8Span.span
        guard let end = Namespace.separatorPlace(in: text) else {
            field("namespace", Namespace.standard.name)
            return field(name, qualified)
        }
        key("namespace")
        string(text.extracting(first: end))
        key(name)
        string(text.extracting(droppingFirst: end + 1))
    }
}
