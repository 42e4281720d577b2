import Scheduler

/// Checks by books of its own what quotas of namespaces promise: when a task is taken in, no more wait than may and no
/// more were submitted than the rate allows in any interval; and no more run at the same time than may.
struct NamespaceBooks {
    private struct Book {
        var quota = NamespaceQuota()
        var pending: Set<TaskID> = []
        var running: Set<TaskID> = []
        /// When the bucket would be full again if nothing were submitted any more, in ms × count of the rate.
        var fullAt: Int64 = 0
    }

    private struct Identity: Hashable {
        var origin: String
        var incarnation: UInt64
        var sequence: UInt64
    }

    /// Of namespaces that somebody has said something of.
    private var books: [String: Book] = [:]
    /// First tasks of submissions that were counted: an outcome may be told again.
    private var counted: Set<TaskID> = []
    private(set) var checkedStarts = 0
    private(set) var checkedSubmits = 0

    /// Takes in one entry: `requests` and `events` as they stand in it, `state` after it.
    mutating func note(
        _ requests: [Request], _ events: [Event], _ state: Scheduler,
        _ tasks: [TaskID: Oracle.TaskAccount]
    ) throws(Violation) {
        var changed: Set<String> = []
        var commands: [Identity: Command] = [:]
        for request in requests {
            let identity = Identity(
                origin: request.origin, incarnation: request.incarnation,
                sequence: request.sequence)
            commands[identity] = request.command
            if case .putNamespace(let name, _, _) = request.command { changed.insert(name) }
        }
        for event in events {
            switch event {
            case .assigned(let assignment) where !books.isEmpty:
                try noteStart(assignment.task, tasks, changed)
            case .taskChanged(let id, let new) where !books.isEmpty:
                note(id, became: new, tasks)
            // Those of namespaces of which nobody has said anything as well: they may be told again afterwards.
            case .outcome(let origin, let incarnation, let sequence, .task(let id, false)):
                let identity = Identity(
                    origin: origin, incarnation: incarnation, sequence: sequence)
                guard let command = commands[identity] else { continue }
                try noteSubmission(command, id, state.time, changed)
            default: continue
            }
        }
        for name in changed { rebase(name, state, tasks) }
    }

    private mutating func noteStart(
        _ id: TaskID, _ tasks: [TaskID: Oracle.TaskAccount], _ changed: Set<String>
    ) throws(Violation) {
        guard let name = name(of: id, tasks), books[name] != nil else { return }
        books[name]?.pending.remove(id)
        books[name]?.running.insert(id)
        // What holds from some command of the entry on can't be told here.
        guard !changed.contains(name), let quota = books[name]?.quota.running else { return }
        checkedStarts += 1
        let runs = books[name]?.running.count ?? 0
        guard runs <= Int(quota) else {
            throw Violation(
                "no more runs than the namespace's quota", "\(id) makes \(runs) in \(name)")
        }
    }

    private mutating func note(
        _ id: TaskID, became new: TaskState, _ tasks: [TaskID: Oracle.TaskAccount]
    ) {
        guard let name = name(of: id, tasks), books[name] != nil else { return }
        if new != .running { books[name]?.running.remove(id) }
        if new.isFinal || new == .running {
            books[name]?.pending.remove(id)
        } else {
            books[name]?.pending.insert(id)
        }
    }

    private mutating func noteSubmission(
        _ command: Command, _ first: TaskID, _ now: Milliseconds, _ changed: Set<String>
    ) throws(Violation) {
        let count: Int
        let name: String
        switch command {
        case .submit(let spec):
            count = 1
            name = Namespace(of: spec.queue).name
        case .submitGraph(let graph):
            count = graph.items.count
            name = Namespace(of: graph.items[0].spec.queue).name
        default: return
        }
        guard counted.insert(first).inserted, var book = books[name], !changed.contains(name)
        else { return }
        checkedSubmits += 1
        let own = (0..<UInt64(count)).count { book.pending.contains(TaskID(first.number + $0)) }
        let waited = book.pending.count - own
        guard waited + count <= Int(book.quota.pending ?? .max) else {
            throw Violation(
                "no more wait than the namespace's quota",
                "\(first) and \(count - 1) others came when \(waited) waited in \(name)")
        }
        guard let rate = book.quota.submitRate else { return }
        let instant = now * Int64(rate.count)
        book.fullAt = max(book.fullAt, instant) + Int64(count) * rate.perMilliseconds
        guard book.fullAt - instant <= Int64(rate.burst) * rate.perMilliseconds else {
            throw Violation(
                "no more submissions than the namespace's rate", "\(first) in \(name) at \(now)")
        }
        books[name] = book
    }

    private func name(of id: TaskID, _ tasks: [TaskID: Oracle.TaskAccount]) -> String? {
        tasks[id].map { Namespace(of: $0.queue).name }
    }

    /// It may have been put more than once: each time, the bucket may have been filled.
    private mutating func rebase(
        _ name: String, _ state: Scheduler, _ tasks: [TaskID: Oracle.TaskAccount]
    ) {
        guard let view = state.namespace(name) else { return }
        var book = Book()
        book.quota = view.quota
        for (id, task) in tasks where Namespace(of: task.queue).name == name {
            if task.state == .running {
                book.running.insert(id)
            } else if !task.state.isFinal {
                book.pending.insert(id)
            }
        }
        books[name] = book
    }
}
