import Raft
import Scheduler

/// Checks by books of its own what bulk jobs promise: what they bring back they bring back once, they do no more than their
/// limit, and when one is done no task is left that was there when it began and matches.
struct BulkBooks {
    private struct Book {
        let spec: BulkSpec
        let begunAt: Index
        /// Tasks that it shall bring back, or delete.
        var expected: Set<TaskID> = []
        var broughtBack: Set<TaskID> = []
        /// Somebody asked for another try meanwhile.
        var excused: Set<TaskID> = []
    }

    private var books: [BulkJobID: Book] = [:]
    private(set) var checkedJobs = 0

    // MARK: The log

    /// The tasks that a job brings back in this entry. `asked`: those that a request in it does.
    mutating func retries(
        _ events: [Event], asked: [TaskID], _ state: Scheduler,
        _ tasks: [TaskID: Oracle.TaskAccount]
    ) -> [TaskID] {
        guard !books.isEmpty else { return [] }
        var found: [TaskID] = []
        var current: [TaskID: TaskState] = [:]
        for event in events {
            guard case .taskChanged(let id, let new) = event else { continue }
            let old = current.updateValue(new, forKey: id) ?? tasks[id]?.state
            guard let old, old.isFinal, !new.isFinal, !asked.contains(id) else { continue }
            if bringBack(id, state, tasks) { found.append(id) }
        }
        return found
    }

    private mutating func bringBack(
        _ id: TaskID, _ state: Scheduler, _ tasks: [TaskID: Oracle.TaskAccount]
    ) -> Bool {
        for job in books.keys.sorted(by: { $0.number < $1.number }) {
            guard let book = books[job], book.spec.action == .retry,
                !book.broughtBack.contains(id), matches(id, book, state, tasks),
                // One of the same entry may have come before the job.
                let account = tasks[id], account.createdIndex <= book.begunAt
            else { continue }
            books[job]?.broughtBack.insert(id)
            return true
        }
        return false
    }

    mutating func begin(
        _ id: BulkJobID, _ spec: BulkSpec, _ index: Index, _ state: Scheduler,
        _ tasks: [TaskID: Oracle.TaskAccount]
    ) {
        var book = Book(spec: spec, begunAt: index)
        if spec.action != .cancel {
            for (task, account) in tasks
            where account.state.isFinal && account.createdIndex < index
                && (spec.action == .delete || account.state != .succeeded)
                && matches(task, book, state, tasks)
            {
                book.expected.insert(task)
            }
        }
        books[id] = book
    }

    /// An entry is done. `retried`: tasks that were to run again in it, whoever asked for that.
    mutating func note(
        retried: [TaskID], _ state: Scheduler, _ tasks: [TaskID: Oracle.TaskAccount]
    ) throws(Violation) {
        for id in books.keys.sorted(by: { $0.number < $1.number }) {
            books[id]?.excused.formUnion(retried)
            guard let book = books[id] else { continue }
            guard let view = state.bulkJob(id) else {
                throw Violation("a bulk job is kept", "\(id) is gone and was running")
            }
            guard view.met <= book.spec.limit ?? .max else {
                throw Violation("a bulk job keeps to its limit", "\(view)")
            }
            guard view.state != .running else { continue }
            books[id] = nil
            guard view.state == .done, book.spec.limit == nil else { continue }
            try check(id, book, state, tasks)
        }
    }

    private mutating func check(
        _ id: BulkJobID, _ book: Book, _ state: Scheduler, _ tasks: [TaskID: Oracle.TaskAccount]
    ) throws(Violation) {
        checkedJobs += 1
        let left: [TaskID]
        switch book.spec.action {
        case .cancel:
            left = tasks.filter {
                !$0.value.state.isFinal && $0.value.createdIndex < book.begunAt
                    && matches($0.key, book, state, tasks)
            }
            .keys.filter { !book.excused.contains($0) }
        case .retry, .delete:
            left = book.expected.filter {
                !book.excused.contains($0) && state.state(of: $0) != nil
            }
        }
        if let task = left.min() {
            throw Violation(
                "a bulk job leaves nothing out", "\(id) (\(book.spec.action)) left \(task)")
        }
    }

    private func matches(
        _ id: TaskID, _ book: Book, _ state: Scheduler, _ tasks: [TaskID: Oracle.TaskAccount]
    ) -> Bool {
        guard let account = tasks[id] else { return false }
        let filter = book.spec.filter
        guard filter.queue ?? account.queue == account.queue,
            filter.handler ?? account.handler == account.handler
        else { return false }
        guard let since = filter.since else { return true }
        return state.task(id).map { $0.createdAt >= since } ?? false
    }
}
