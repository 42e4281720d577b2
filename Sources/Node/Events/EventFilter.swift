import Scheduler

/// Which events a client wants: those that agree with everything it named.
struct EventFilter: Equatable {
    var task: TaskID?
    var queue: String?
    var handler: String?
    var schedule: String?
    var worker: String?
    var types = EventTypes.all
    /// Workers live in none: what becomes of them is told in all.
    var namespace = Namespace.standard

    /// First words of all types.
    static let kinds = ["task", "schedule", "queue", "worker"]

    func matches(_ what: EventFeed.What) -> Bool {
        guard types.contains(EventType(of: what)) else { return false }
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
}
