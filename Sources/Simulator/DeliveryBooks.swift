import Scheduler

/// Checks by books of its own that each end somebody wants to be told of is told once, by a task made in the same entry,
/// and that nothing is taken for too late before its time.
struct DeliveryBooks {
    private struct Book {
        let webhook: String?
        let queue: String
        let isTelling: Bool
        let overallTimeout: Milliseconds?
        /// nil: it can't start yet, or has ended.
        var deadline: Milliseconds?
    }

    private var books: [TaskID: Book] = [:]
    /// As they stood before the entry at hand.
    private var errorWebhooks: [String: String] = [:]
    /// Nobody is too late before.
    private var quietUntil: Milliseconds = .max
    private(set) var told = 0
    private(set) var overdue = 0

    /// Takes in one entry: `requests` and `events` as they stand in it, `state` after it.
    mutating func note(
        _ requests: [Request], _ events: [Event], _ state: Scheduler
    ) throws(Violation) {
        var changed: [String] = []
        for request in requests {
            switch request.command {
            case .putQueue(let name, _, _, _), .resetQueue(let name): changed.append(name)
            default: continue
            }
        }
        var expected: [String] = []
        var actual: [String] = []
        /// Ends in queues that were put in this entry: before or after it, nobody can tell here.
        var doubtful: Set<TaskID> = []
        for event in events {
            let id: TaskID
            switch event {
            case .taskChanged(let task, _): id = task
            case .assigned(let assignment): id = assignment.task
            default: continue
            }
            if books[id] == nil, let view = state.task(id) {
                books[id] = Self.book(view)
                if let notice = Self.notice(view) { actual.append(notice) }
            }
            guard case .taskChanged(_, let new) = event else { continue }
            try noteTime(id, new, state)
            guard new.isFinal, let book = books[id], !book.isTelling else { continue }
            if changed.contains(book.queue) { doubtful.insert(id) }
            var urls = [book.webhook].compactMap { $0 }
            if new == .dead, let url = errorWebhooks[book.queue], url != book.webhook {
                urls.append(url)
            }
            expected += urls.map { Self.notice($0, id, new.name) }
        }
        let marks = doubtful.map { Self.mark($0) }
        func isCertain(_ notice: String) -> Bool { !marks.contains { notice.contains($0) } }
        expected = expected.filter(isCertain).sorted()
        actual = actual.filter(isCertain).sorted()
        guard expected == actual else {
            throw Violation("each end is told once", "expected \(expected), there are \(actual)")
        }
        told += actual.count
        if quietUntil <= state.time { try checkLate(state) }
        for name in changed { errorWebhooks[name] = state.queue(name)?.spec.errorWebhook }
    }

    private mutating func noteTime(
        _ id: TaskID, _ new: TaskState, _ state: Scheduler
    ) throws(Violation) {
        guard let limit = books[id]?.overallTimeout else { return }
        guard let view = state.task(id) else {
            // Dropped in the entry in which it ended.
            books[id]?.deadline = nil
            return
        }
        if new == .dead, view.error?.kind == "overallTimeout" {
            guard let deadline = books[id]?.deadline, deadline <= state.time else {
                throw Violation("nothing is too late before its time", "\(id) at \(state.time)")
            }
            overdue += 1
        }
        if new.isFinal || new == .blocked {
            books[id]?.deadline = nil
        } else if books[id]?.deadline == nil {
            let deadline = max(view.dueAt, state.time) + limit
            books[id]?.deadline = deadline
            quietUntil = min(quietUntil, deadline)
        }
    }

    private mutating func checkLate(_ state: Scheduler) throws(Violation) {
        let deadlines = books.compactMapValues(\.deadline)
        quietUntil = deadlines.values.min() ?? .max
        // More end with the next entry, which is due at once.
        guard quietUntil <= state.time, state.nextWake.map({ $0 > state.time }) ?? true else {
            return
        }
        let late = deadlines.filter { $0.value == quietUntil }.keys.min()
        throw Violation(
            "nothing goes on beyond its overall time-out",
            "\(late?.description ?? "") is there at \(state.time), and was to end at \(quietUntil)")
    }

    private static func book(_ view: TaskView) -> Book {
        Book(
            webhook: view.spec.webhook, queue: view.spec.queue,
            isTelling: view.spec.handler == Webhook.handler,
            overallTimeout: view.spec.overallTimeoutMilliseconds)
    }

    private static func mark(_ id: TaskID) -> String { "\"task\":\"\(id)\"," }

    private static func notice(_ url: String, _ id: TaskID, _ state: String) -> String {
        "{\"url\":\"\(url)\",\(mark(id))\"state\":\"\(state)\""
    }

    /// What a task tells of, without the time; nil if it is there for something else.
    private static func notice(_ view: TaskView) -> String? {
        guard view.spec.handler == Webhook.handler else { return nil }
        let text = String(decoding: view.spec.payload, as: UTF8.self)
        return text.firstRange(of: ",\"time\"").map { String(text[..<$0.lowerBound]) }
    }
}
