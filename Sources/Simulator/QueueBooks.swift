import Scheduler

/// Checks by books of its own what queues promise: nothing starts in a paused one, no more runs than its concurrency,
/// no more starts than its rate allows in any interval, and its breaker opens and lets probes through by its rule.
struct QueueBooks {
    private struct Book {
        var spec = QueueSpec()
        var isPaused = false
        /// Tasks that run, with the number of the attempt.
        var running: [TaskID: UInt32] = [:]
        /// When the bucket would be full again if nothing started any more, in ms × count of the rate.
        var fullAt: Int64 = 0
        var breaker = BreakerBook()
    }

    private var books: [String: Book] = [:]
    private var states: [TaskID: TaskState] = [:]
    /// Tasks that wait, by queue.
    private var pending: [String: Int] = [:]
    private(set) var checkedStarts = 0
    private(set) var openings = 0

    /// Takes in one entry: `requests` and `events` as they stand in it, `state` after it.
    mutating func note(
        _ requests: [Request], _ events: [Event], _ state: Scheduler,
        _ tasks: [TaskID: Oracle.TaskAccount]
    ) throws(Violation) {
        var changed: [String] = []
        var puts: [String: Int] = [:]
        for request in requests {
            switch request.command {
            case .putQueue(let name, _, _, _), .resetQueue(let name):
                puts[name, default: 0] += 1
                changed.append(name)
            case .pauseQueue(let name), .resumeQueue(let name): changed.append(name)
            default: continue
            }
        }
        for case .taskChanged(let id, let new) in events where new.isFinal {
            // Dropped in the entry in which it ended: how its attempt did can't be asked.
            if state.state(of: id) == nil, let queue = tasks[id]?.queue { changed.append(queue) }
        }
        for event in events {
            switch event {
            case .assigned(let assignment):
                guard let queue = tasks[assignment.task]?.queue else { continue }
                let isChanged = changed.contains(queue)
                try noteState(assignment.task, .running, queue, state, isChanged: isChanged)
                try noteStart(assignment, queue, state, isChanged: isChanged)
            case .taskChanged(let id, let new):
                guard let queue = tasks[id]?.queue else { continue }
                try noteState(id, new, queue, state, isChanged: changed.contains(queue))
                if new != .running { noteEnd(id, queue, state) }
            default: continue
            }
        }
        for name in changed { rebase(name, puts[name] ?? 0, state) }
        for name in books.keys.sorted() where !changed.contains(name) {
            guard let spec = books[name]?.spec.breaker, let phase = state.queue(name)?.breaker
            else { continue }
            try books[name]?.breaker.check(phase, spec, state.time, name)
        }
    }

    /// What a schedule makes is not held back, and neither is what tells of an end.
    private mutating func noteState(
        _ id: TaskID, _ new: TaskState, _ name: String, _ state: Scheduler, isChanged: Bool
    ) throws(Violation) {
        let old = states.updateValue(new, forKey: id)
        let waiting = pending[name] ?? 0
        if old == nil, !isChanged, let limit = books[name]?.spec.maxPending, waiting >= limit,
            let view = state.task(id), view.schedule == nil, view.spec.handler != Webhook.handler
        {
            throw Violation(
                "no more wait than a queue takes", "\(id) comes to \(waiting) in \(name)")
        }
        func count(_ state: TaskState?) -> Int {
            state == .scheduled || state == .blocked || state == .ready ? 1 : 0
        }
        pending[name] = waiting + count(new) - count(old)
    }

    private mutating func noteStart(
        _ assignment: Assignment, _ name: String, _ state: Scheduler, isChanged: Bool
    ) throws(Violation) {
        var book = books[name] ?? Book()
        book.running[assignment.task] = assignment.attempt
        let spec = book.spec
        var hasTokens = true
        if let rate = spec.rate {
            let now = state.time * Int64(rate.count)
            book.fullAt = max(book.fullAt, now) + rate.perMilliseconds
            hasTokens = book.fullAt - now <= Int64(rate.burst) * rate.perMilliseconds
        }
        let mayStart = spec.breaker.map { book.breaker.start(assignment, $0, state.time) } ?? true
        let isPaused = book.isPaused
        let runs = book.running.count
        books[name] = book
        // What holds from some command of the entry on can't be told here.
        guard !isChanged else { return }
        checkedStarts += 1
        let text = "\(assignment.task)/\(assignment.attempt) of \(name)"
        guard !isPaused else { throw Violation("a paused queue starts nothing", text) }
        guard runs <= spec.concurrency ?? .max else {
            throw Violation("no more runs than the queue's concurrency", "\(text) makes \(runs)")
        }
        guard hasTokens else {
            throw Violation("no more starts than the queue's rate", "\(text) at \(state.time)")
        }
        guard mayStart else {
            throw Violation("an open breaker starts nothing", "\(text): \(book.breaker)")
        }
    }

    private mutating func noteEnd(_ id: TaskID, _ name: String, _ state: Scheduler) {
        guard let number = books[name]?.running.removeValue(forKey: id),
            let spec = books[name]?.spec.breaker
        else { return }
        let outcome = state.task(id)?.attempts.first { $0.number == number }?.outcome
        let wasOpen = books[name]?.breaker.isOpen ?? false
        books[name]?.breaker.end(id, number, outcome, spec, state.time)
        if !wasOpen, books[name]?.breaker.isOpen ?? false { openings += 1 }
    }

    private mutating func rebase(_ name: String, _ puts: Int, _ state: Scheduler) {
        guard let view = state.queue(name) else {
            // It went with what was said of it.
            books[name] = nil
            return
        }
        var book = books[name] ?? Book()
        // Another rate begins with a full bucket; and it may have been another one meanwhile.
        if puts > 1 || book.spec.rate != view.spec.rate { book.fullAt = 0 }
        book.breaker = BreakerBook(view.breaker ?? .closed)
        book.spec = view.spec
        book.isPaused = view.isPaused
        books[name] = book
    }
}
