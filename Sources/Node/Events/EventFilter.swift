import Scheduler

/// Which events a client wants: those that agree with everything it named.
struct EventFilter: Equatable {
    var task: TaskID?
    var queue: String?
    var handler: String?
    var schedule: String?
    var worker: String?
    /// Whole types such as `task.dead`, or their first words.
    var types: [String] = []
    /// Workers live in none: what becomes of them is told in all.
    var namespace = Namespace.standard

    static let types = ["task", "schedule", "queue", "worker"]

    func matches(_ what: EventFeed.What) -> Bool {
        guard types.isEmpty || types.contains(where: { Self.isType($0, of: what) }) else {
            return false
        }
        switch what {
        case .task(let id, _, let subject):
            // Of one that was dropped in the same entry nobody can tell whose it was.
            guard let subject, namespace.holds(subject.queue) else { return false }
            return isWanted(id, subject.schedule) && isAmong(queue, subject.queue)
                && isAmong(handler, subject.handler) && isAmong(worker, subject.worker)
        case .scheduleFired(let name, _, let id):
            guard namespace.holds(name) else { return false }
            return isWanted(id, name) && queue == nil && handler == nil && worker == nil
        case .occurrencesPassed(let name, _, _, _, _):
            guard namespace.holds(name) else { return false }
            return task == nil && isAmong(schedule, name) && queue == nil && handler == nil
                && worker == nil
        case .queue(let standing):
            guard namespace.holds(standing.name) else { return false }
            return task == nil && schedule == nil && isAmong(queue, standing.name)
                && handler == nil && worker == nil
        case .worker(let name, _):
            return task == nil && schedule == nil && queue == nil && handler == nil
                && isAmong(worker, name)
        }
    }

    private func isWanted(_ id: TaskID, _ schedule: String?) -> Bool {
        (task == nil || task == id) && isAmong(self.schedule, schedule)
    }

    private func isAmong(_ wanted: String?, _ value: String?) -> Bool {
        wanted == nil || wanted == value
    }

    private static func isType(_ type: String, of what: EventFeed.What) -> Bool {
        type == what.type
            || what.type.hasPrefix(type) && what.type.dropFirst(type.count).first == "."
    }
}

extension EventFeed.What {
    /// As it stands in the API.
    var type: String {
        switch self {
        case .task(_, let state, _): "task.\(state.name)"
        case .scheduleFired: "schedule.fired"
        case .occurrencesPassed(_, _, _, let end, _): "schedule.\(end.name)"
        case .queue: "queue.changed"
        case .worker(_, let state): "worker.\(state?.name ?? "forgotten")"
        }
    }
}

extension JSONWriter {
    mutating func event(_ record: EventFeed.Record) {
        beginObject()
        field("id", record.position.description)
        field("type", record.what.type)
        timestampField("time", record.time)
        switch record.what {
        case .task(let id, let state, let subject):
            field("task", id.description)
            field("state", state.name)
            if let subject {
                field("namespace", Namespace(of: subject.queue).name)
                field("queue", Namespace.bare(subject.queue))
                field("handler", subject.handler)
                if let schedule = subject.schedule {
                    field("schedule", Namespace.bare(schedule))
                }
                if subject.attempt > 0 { field("attempt", Int64(subject.attempt)) }
                if let worker = subject.worker { field("worker", worker) }
            }
        case .scheduleFired(let name, let nominal, let task):
            field("namespace", Namespace(of: name).name)
            field("schedule", Namespace.bare(name))
            timestampField("nominal", nominal)
            field("task", task.description)
        case .occurrencesPassed(let name, let nominal, let count, _, let reason):
            field("namespace", Namespace(of: name).name)
            field("schedule", Namespace.bare(name))
            timestampField("nominal", nominal)
            field("count", Int64(count))
            field("reason", reason.name)
        case .queue(let standing):
            field("namespace", Namespace(of: standing.name).name)
            field("queue", Namespace.bare(standing.name))
            field("paused", standing.isPaused)
            if let breaker = standing.breaker { field("breaker", breaker.name) }
        case .worker(let id, let state):
            field("worker", id)
            if let state { field("state", state.name) }
        }
        endObject()
    }
}
