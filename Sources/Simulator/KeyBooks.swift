import Scheduler

/// Checks by books of its own what queues promise of tasks with the same value under a key: no more of them run than
/// may, and no more start than their rate allows in any interval.
struct KeyBooks {
    private struct Book {
        /// Tasks that run, with the number of the attempt.
        var running: Set<TaskID> = []
        /// When the bucket would be full again if nothing started any more, in ms × count of the rate.
        var fullAt: Int64 = 0
    }

    private struct Value: Hashable {
        var queue: String
        var key: String
        var text: String
    }

    private var limits: [String: [KeyLimit]] = [:]
    /// Of tasks that came while their queue had limits. Of those that came in an entry which changed them nothing is
    /// known, and nothing is asked.
    private var values: [TaskID: [Value]] = [:]
    private var books: [Value: Book] = [:]
    private(set) var checkedStarts = 0

    /// Takes in one entry: `requests` and `events` as they stand in it, `state` after it.
    mutating func note(
        _ requests: [Request], _ events: [Event], _ state: Scheduler,
        _ tasks: [TaskID: Oracle.TaskAccount]
    ) throws(Violation) {
        var changed: [String: Int] = [:]
        for request in requests {
            switch request.command {
            case .putQueue(let name, _, _, _), .resetQueue(let name): changed[name, default: 0] += 1
            default: continue
            }
        }
        for event in events {
            switch event {
            case .taskChanged(let id, let new):
                guard let queue = tasks[id]?.queue else { continue }
                open(id, queue, isChanged: changed[queue] != nil, state)
                guard new != .running else { continue }
                for value in values[id] ?? [] { books[value]?.running.remove(id) }
            case .assigned(let assignment):
                guard let queue = tasks[assignment.task]?.queue else { continue }
                let isChanged = changed[queue] != nil
                // A task that starts at once is announced by its assignment.
                open(assignment.task, queue, isChanged: isChanged, state)
                try noteStart(assignment, isChanged: isChanged, state)
            default: continue
            }
        }
        for (name, count) in changed {
            let current = state.queue(name)?.spec.limits ?? []
            // Other limits begin with full buckets; and there may have been others meanwhile.
            if count > 1 || current != limits[name] {
                for value in books.keys where value.queue == name { books[value]?.fullAt = 0 }
            }
            limits[name] = current
        }
    }

    private mutating func open(
        _ id: TaskID, _ queue: String, isChanged: Bool, _ state: Scheduler
    ) {
        guard values[id] == nil else { return }
        values[id] = isChanged ? [] : found(id, queue, state)
    }

    private func found(_ id: TaskID, _ queue: String, _ state: Scheduler) -> [Value] {
        guard let limits = limits[queue], !limits.isEmpty, let spec = state.task(id)?.spec else {
            return []
        }
        return limits.compactMap { limit in
            let name = String(limit.key.split(separator: ".")[1])
            let text =
                limit.key.hasPrefix("meta.")
                ? spec.meta.first { $0.name == name }?.value : number(name, spec.payload)
            return text.map { Value(queue: queue, key: limit.key, text: $0) }
        }
    }

    /// Payloads here are objects with one member, which is a number wherever its name is asked for.
    private func number(_ name: String, _ payload: [UInt8]) -> String? {
        let text = String(decoding: payload, as: UTF8.self)
        guard text.hasPrefix("{\"\(name)\":") else { return nil }
        return String(text.dropFirst(name.count + 4).prefix { $0.isNumber })
    }

    private mutating func noteStart(
        _ assignment: Assignment, isChanged: Bool, _ state: Scheduler
    ) throws(Violation) {
        for value in values[assignment.task] ?? [] {
            books[value, default: Book()].running.insert(assignment.task)
            guard !isChanged,
                let limit = limits[value.queue]?.first(where: { $0.key == value.key })
            else { continue }
            checkedStarts += 1
            let text = "\(assignment.task)/\(assignment.attempt), \(value)"
            let runs = books[value]?.running.count ?? 0
            guard runs <= limit.concurrency ?? .max else {
                throw Violation("no more runs of a value than may", "\(text) makes \(runs)")
            }
            guard let rate = limit.rate else { continue }
            let now = state.time * Int64(rate.count)
            let fullAt = max(books[value]?.fullAt ?? 0, now) + rate.perMilliseconds
            books[value]?.fullAt = fullAt
            guard fullAt - now <= Int64(rate.burst) * rate.perMilliseconds else {
                throw Violation("no more starts of a value than may", "\(text) at \(state.time)")
            }
        }
    }
}
