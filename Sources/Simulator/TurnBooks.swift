import Scheduler

/// Checks by books of its own who is first: tasks of one queue and priority take turns by routing key, and between
/// priorities the earliest due time goes first, with a head start for each step of priority.
///
/// Tags are given as `Flow` says, from nothing but the events. Of a queue that has had limits by key nothing is asked:
/// some of its waiting tasks are held back, and events do not tell which.
struct TurnBooks {
    /// Whatever can start one task of a lane can start any other.
    private struct Lane: Hashable {
        var queue: String
        var handler: String
        var tags: [String]
    }

    private struct Level: Hashable {
        var queue: String
        var priority: UInt8
    }

    private struct Place {
        var lane: Lane
        var priority: UInt8
        var flow: String?
        var level: Level { Level(queue: lane.queue, priority: priority) }
    }

    private struct Waiting {
        var place: Place
        var tag: UInt64
        var dueAt: Milliseconds
    }

    private static let headStart: Milliseconds = 30_000

    private var places: [TaskID: Place] = [:]
    private var waiting: [String: [TaskID: Waiting]] = [:]
    /// Of the last start.
    private var tags: [TaskID: UInt64] = [:]
    private var running: [TaskID: UInt32] = [:]
    private var virtualTimes: [Level: UInt64] = [:]
    private var unasked: Set<String> = []
    private(set) var checkedStarts = 0

    /// Takes in one entry: `requests` and `events` as they stand in it, `state` after it.
    mutating func note(
        _ requests: [Request], _ events: [Event], _ state: Scheduler
    ) throws(Violation) {
        for request in requests {
            if case .putQueue(let name, let spec, _, _) = request.command, !spec.limits.isEmpty {
                unasked.insert(name)
            }
        }
        for event in events {
            switch event {
            case .assigned(let assignment):
                open(assignment.task, state)
                try start(assignment)
            case .taskChanged(let id, let new):
                open(id, state)
                guard new != .running, let place = places[id] else { continue }
                waiting[place.lane.queue]?[id] = nil
                let attempt = running.removeValue(forKey: id)
                if new == .ready { wait(id, place, behind: attempt, state) }
            default: continue
            }
        }
    }

    private mutating func open(_ id: TaskID, _ state: Scheduler) {
        guard places[id] == nil, let spec = state.task(id)?.spec else { return }
        places[id] = Place(
            lane: Lane(queue: spec.queue, handler: spec.handler, tags: spec.tags),
            priority: spec.priority, flow: spec.routingKey)
    }

    private mutating func wait(
        _ id: TaskID, _ place: Place, behind attempt: UInt32?, _ state: Scheduler
    ) {
        // While it waits, a task's due time is what it was; if it has moved on in this entry, it is later. It may have ended
        // and been deleted as well.
        let view = state.task(id)
        let outcome = view?.attempts.first { $0.number == attempt }?.outcome
        let keepsPlace = outcome == "lost" || outcome == "returned"
        let tag = keepsPlace ? tags[id] : nil
        waiting[place.lane.queue, default: [:]][id] = Waiting(
            place: place, tag: tag ?? nextTag(place), dueAt: view?.dueAt ?? state.time)
    }

    private func nextTag(_ place: Place) -> UInt64 {
        var last = virtualTimes[place.level] ?? 0
        for other in (waiting[place.lane.queue] ?? [:]).values
        where other.place.priority == place.priority && other.place.flow == place.flow {
            last = max(last, other.tag)
        }
        return last + 1
    }

    private mutating func start(_ assignment: Assignment) throws(Violation) {
        let id = assignment.task
        guard let place = places[id] else { return }
        let known = waiting[place.lane.queue]?.removeValue(forKey: id)
        let own = Waiting(
            place: place, tag: known?.tag ?? nextTag(place), dueAt: assignment.scheduledAt)
        if !unasked.contains(place.lane.queue) { try check(id, own) }
        virtualTimes[place.level] = max(virtualTimes[place.level] ?? 0, own.tag)
        tags[id] = own.tag
        running[id] = assignment.attempt
    }

    private mutating func check(_ id: TaskID, _ own: Waiting) throws(Violation) {
        checkedStarts += 1
        var heads: [UInt8: (id: TaskID, waiting: Waiting)] = [:]
        for (other, waiting) in waiting[own.place.lane.queue] ?? [:]
        where waiting.place.lane == own.place.lane {
            if let head = heads[waiting.place.priority],
                (head.waiting.tag, head.id.number) < (waiting.tag, other.number)
            {
                continue
            }
            heads[waiting.place.priority] = (other, waiting)
        }
        if let head = heads[own.place.priority],
            (head.waiting.tag, head.id.number) < (own.tag, id.number)
        {
            throw Violation(
                "tasks of a queue take turns by routing key",
                "\(id) starts, \(own), before \(head.id), \(head.waiting)")
        }
        for priority in heads.keys.sorted() where priority != own.place.priority {
            guard let head = heads[priority],
                (startKey(head.waiting), head.id.number) < (startKey(own), id.number)
            else { continue }
            throw Violation(
                "a priority is a head start and no privilege",
                "\(id) starts, \(own), before \(head.id), \(head.waiting)")
        }
    }

    private func startKey(_ task: Waiting) -> Milliseconds {
        task.dueAt + Milliseconds(9 - task.place.priority) * Self.headStart
    }
}
