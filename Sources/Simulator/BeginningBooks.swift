import Scheduler

/// Checks that what must not run twice does not begin twice: of the attempts that began since the task was submitted, or
/// brought back by a user, all but one ended with a failure that the handler told of. And that what is handed back as never
/// begun never begins.
struct BeginningBooks {
    private var begun: [TaskID: Set<UInt32>] = [:]
    /// Attempts that were handed back before they began.
    private(set) var neverBegun = 0
    /// Beginnings of tasks that must not run twice.
    private(set) var checked = 0

    mutating func note(
        _ assignment: Assignment, _ account: Oracle.TaskAccount
    ) throws(Violation) {
        let id = assignment.task
        guard let place = account.attempts.firstIndex(where: { $0.number == assignment.attempt })
        else {
            throw Violation("what begins is assigned", "\(id)/\(assignment.attempt)")
        }
        guard account.attempts[place].end != .neverBegun else {
            throw Violation(
                "what was handed back never begins", "\(id)/\(assignment.attempt) begins")
        }
        begun[id, default: []].insert(assignment.attempt)
        guard account.isAtMostOnce else { return }
        checked += 1
        let first = account.attempts[..<place].lastIndex(where: \.isWrittenOff).map { $0 + 1 } ?? 0
        let last =
            account.attempts[place...].firstIndex(where: \.isWrittenOff)
            ?? account.attempts.count - 1
        let doubtful = account.attempts[first...last].filter { attempt in
            begun[id, default: []].contains(attempt.number) && attempt.end != .told
        }
        guard doubtful.count <= 1 else {
            throw Violation(
                "at most once does not begin twice",
                "\(id) began with the attempts \(doubtful.map(\.number))")
        }
    }

    mutating func noteHandedBack(_ finish: Finish) throws(Violation) {
        neverBegun += 1
        guard begun[finish.task]?.contains(finish.attempt) ?? false else { return }
        throw Violation(
            "what is handed back never began", "\(finish.task)/\(finish.attempt) had begun")
    }
}

extension Oracle {
    /// How the end of an attempt was reported.
    enum AttemptEnd {
        /// By the handler itself.
        case told
        case neverBegun
        /// It was lost, stopped or handed back, and may have done its work.
        case untold

        init(_ finish: Finish) {
            switch finish.result {
            case _ where !finish.hasBegun: self = .neverBegun
            case .succeeded, .stored: self = .told
            case .failed(let failure): self = failure.kind == "timeout" ? .untold : .told
            case .returned: self = .untold
            }
        }
    }

    mutating func noteBeginning(of assignment: Assignment) throws(Violation) {
        guard let account = tasks[assignment.task] else {
            throw Violation("what begins is assigned", "\(assignment.task) is not known")
        }
        try beginnings.note(assignment, account)
    }
}
