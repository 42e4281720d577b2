import Raft
import Scheduler

/// What nodes do, held against the ledger.
extension Oracle {
    /// - Parameter known: what the node knew to be committed when its turn ended.
    func checkLaunch(_ assignment: Assignment, on node: NodeID, known: Index) throws(Violation) {
        guard assignment.worker == node.name,
            let attempt = tasks[assignment.task]?.attempts.first(where: {
                $0.number == assignment.attempt
            }), attempt.fence == assignment.fence
        else {
            throw Violation(
                "committed before launched", "\(node) launches \(assignment), not in the ledger")
        }
        guard attempt.assignment == assignment else {
            throw Violation(
                "what is launched is what was assigned",
                "\(node) launches \(assignment), not \(attempt.assignment)")
        }
        if let closed = attempt.closedIndex, closed <= known {
            throw Violation(
                "what is known to be taken back is not launched",
                "\(node) launches \(assignment.task)/\(assignment.attempt), closed at \(closed), knowing \(known)"
            )
        }
    }

    func checkFinished(_ finish: Finish) throws(Violation) {
        let attempt = tasks[finish.task]?.attempts.first { $0.number == finish.attempt }
        guard let attempt, attempt.fence == finish.fence, attempt.isAccepted else {
            throw Violation("accepted results are in the ledger", "\(finish)")
        }
    }

    /// The attempt was given away because its worker was taken for lost.
    func wasLost(_ task: TaskID, attempt: UInt32) -> Bool {
        reference.task(task)?.attempts.contains { $0.number == attempt && $0.outcome == "lost" }
            ?? false
    }
}
