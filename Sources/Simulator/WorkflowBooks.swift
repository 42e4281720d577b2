import Scheduler

/// Holds every task that waits for others to what it was promised, from the log alone: when it may start, what it
/// gets, that it ends, and that a cancelled workflow is over.
struct WorkflowBooks {
    private struct Account {
        var after: [TaskID]
        var policy: TaskSpec.DependencyPolicy
        var state: TaskState
        /// A user asked for another try: what had failed by then is not waited for.
        var isRetried = false
    }

    /// Of tasks that wait, or waited, for others.
    private var accounts: [TaskID: Account] = [:]
    private var blocked: Set<TaskID> = []
    private var current: [TaskID: TaskState] = [:]
    private var hasSucceeded: Set<TaskID> = []
    private var hasFailed: Set<TaskID> = []
    /// Tasks of cancelled workflows that nobody has brought back.
    private var cancelled: Set<TaskID> = []
    /// Something has ended since the blocked ones were looked at.
    private var isUnchecked = false
    private(set) var successorsStarted = 0
    private(set) var graphs = 0

    // MARK: The log

    /// Takes in one entry, without its outcomes. `retried`: tasks that it asks to run again.
    mutating func note(
        _ events: [Event], retried: [TaskID], _ state: Scheduler
    ) throws(Violation) {
        for task in retried {
            accounts[task]?.isRetried = true
            cancelled.remove(task)
        }
        for event in events {
            switch event {
            case .taskChanged(let id, let new):
                open(id, state)
                note(id, became: new)
                isUnchecked = isUnchecked || new.isFinal
            case .assigned(let assignment):
                open(assignment.task, state)
                try check(assignment, state)
            default: continue
            }
        }
        for event in events {
            guard case .taskChanged(let id, .cancelled) = event else { continue }
            try checkCancelled(id, state)
        }
        // What one entry had no room for follows in the next one, which is due at once.
        let isPending = state.nextWake.map { $0 <= state.time } ?? false
        if isUnchecked, !isPending { try checkBlocked(state) }
    }

    private mutating func open(_ id: TaskID, _ state: Scheduler) {
        guard current[id] == nil else { return }
        current[id] = .scheduled
        guard let view = state.task(id), !view.spec.after.isEmpty else { return }
        accounts[id] = Account(
            after: view.spec.after, policy: view.spec.onDependencyFailure, state: .scheduled)
    }

    private mutating func note(_ id: TaskID, became new: TaskState) {
        current[id] = new
        if new == .succeeded { hasSucceeded.insert(id) }
        if new.isFinal, new != .succeeded { hasFailed.insert(id) }
        guard accounts[id] != nil else { return }
        accounts[id]?.state = new
        if new == .blocked { blocked.insert(id) } else { blocked.remove(id) }
    }

    /// `error` is of the end of the entry, in which a task may be cancelled for one reason, be asked to run again, and
    /// be cancelled for another. So all failures of the entry have to be known.
    private func checkCancelled(_ id: TaskID, _ state: Scheduler) throws(Violation) {
        guard let account = accounts[id], let error = state.task(id)?.error,
            error.kind == "dependency",
            !account.after.contains(where: { hasFailed.contains($0) || state.state(of: $0) == nil })
        else { return }
        throw Violation("only a failure cancels successors", "\(id): \(error.message)")
    }

    private mutating func check(
        _ assignment: Assignment, _ state: Scheduler
    ) throws(Violation) {
        let id = assignment.task
        guard !cancelled.contains(id) else {
            throw Violation("a cancelled workflow starts nothing more", "\(id) starts")
        }
        guard let account = accounts[id] else { return }
        successorsStarted += assignment.attempt == 1 ? 1 : 0
        guard assignment.inputs.count == account.after.count else {
            throw Violation("successors get all results", "\(id) has \(assignment.inputs)")
        }
        for (task, input) in zip(account.after, assignment.inputs) {
            let mayStart =
                account.policy == .run || account.isRetried
                ? hasSucceeded.contains(task) || hasFailed.contains(task)
                : hasSucceeded.contains(task)
            guard mayStart else {
                throw Violation(
                    "a successor starts when its predecessors allow it",
                    "\(id) (\(account.policy)) starts, \(task) is \(String(describing: current[task]))"
                )
            }
            guard let result = input.result else { continue }
            // A task that is not kept any more can't be asked.
            guard state.task(task).map({ $0.result == result }) ?? hasSucceeded.contains(task)
            else {
                throw Violation("successors get the results there are", "\(id) of \(task)")
            }
        }
    }

    /// Nobody waits for what has happened, or can't happen any more.
    private mutating func checkBlocked(_ state: Scheduler) throws(Violation) {
        isUnchecked = false
        for id in blocked.sorted() {
            guard let account = accounts[id] else { continue }
            let waits = account.after.contains { task in
                guard let now = current[task], state.state(of: task) != nil else { return false }
                return !now.isFinal || account.policy == .hold && now != .succeeded
            }
            guard !waits else { continue }
            throw Violation(
                "a blocked task ends when its predecessors have",
                "\(id) (\(account.policy)) waits for \(account.after)")
        }
    }

    // MARK: Outcomes

    /// A graph was taken in: all of its tasks are there.
    mutating func submitted(_ graph: GraphSpec, _ first: TaskID) throws(Violation) {
        graphs += 1
        for place in 0..<graph.items.count
        where current[TaskID(first.number + UInt64(place))] == nil {
            throw Violation("a workflow comes as a whole", "w\(first.number) without task \(place)")
        }
    }

    /// `retried`: tasks that the same entry asks to run again, before or after.
    mutating func cancelled(
        _ id: WorkflowID, retried: [TaskID], _ state: Scheduler
    ) throws(Violation) {
        for member in state.workflow(id)?.tasks ?? [] where !retried.contains(member.id) {
            guard member.state.isFinal else {
                throw Violation(
                    "a cancelled workflow is over", "\(member.id) is \(member.state.name)")
            }
            cancelled.insert(member.id)
        }
    }

    // MARK: Rest

    /// Waits for somebody to bring a failed task back, or for one that waits so, or that nobody can run.
    func stuck(_ tasks: [TaskID], canRun: (TaskID) -> Bool) -> Set<TaskID> {
        var stuck: Set<TaskID> = []
        for id in tasks {
            guard let now = current[id], !now.isFinal else { continue }
            guard canRun(id) else {
                stuck.insert(id)
                continue
            }
            guard now == .blocked, let account = accounts[id] else { continue }
            let isStuck = account.after.contains { task in
                stuck.contains(task)
                    || account.policy == .hold && current[task]?.isFinal == true
                        && !hasSucceeded.contains(task)
            }
            if isStuck { stuck.insert(id) }
        }
        return stuck
    }
}
