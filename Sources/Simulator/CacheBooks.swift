import Scheduler

/// Checks by books of its own what a cached result promises: it is what a task of the same handler and payload came to by
/// running, no longer ago than was asked for; and whoever is answered so does not run.
struct CacheBooks {
    private struct Source {
        let handler: String
        let payload: [UInt8]
        let result: [UInt8]?
        let stored: StoredResult?
        let finishedAt: Milliseconds
    }

    private var sources: [TaskID: Source] = [:]
    private(set) var answers = 0

    /// Takes in one entry; `state` as it is after it.
    mutating func note(_ events: [Event], _ state: Scheduler) throws(Violation) {
        for event in events {
            guard case .taskChanged(let id, .succeeded) = event, let task = state.task(id),
                let age = task.spec.cacheMilliseconds
            else { continue }
            guard let asked = task.cachedFrom else {
                sources[id] = Source(
                    handler: task.spec.handler, payload: task.spec.payload, result: task.result,
                    stored: task.stored, finishedAt: state.time)
                continue
            }
            answers += 1
            // Of one that ended and was deleted in this very entry nothing is known.
            if sources[asked] == nil, state.state(of: asked) == nil { continue }
            guard let source = sources[asked], source.handler == task.spec.handler,
                source.payload == task.spec.payload, source.result == task.result,
                source.stored == task.stored
            else {
                throw Violation("a cached result answers the same question", "\(id) from \(asked)")
            }
            guard source.finishedAt + age >= state.time, task.attempt == 0 else {
                throw Violation(
                    "a cached result is no older than was asked for, and nothing runs for it",
                    "\(id) from \(asked) of \(source.finishedAt) at \(state.time)")
            }
        }
    }
}
