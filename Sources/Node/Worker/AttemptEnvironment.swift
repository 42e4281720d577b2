import Glibc
import Scheduler

/// The environment of processes that run attempts: the node's own, and what an attempt is about.
struct AttemptEnvironment: Sendable {
    private let inherited: [String]

    private static let names = [
        "CARILLON_TASK_ID", "CARILLON_ATTEMPT", "CARILLON_FENCE", "CARILLON_SCHEDULED_AT",
        "CARILLON_SCHEDULE", "CARILLON_OCCURRENCE",
    ]

    /// `inherited` as `NAME=value`. A node that is itself run by a task must not pass on that task's
    /// variables.
    init(inherited: [String]) {
        self.inherited = inherited.filter { entry in
            !Self.names.contains { entry.hasPrefix($0 + "=") }
        }
    }

    /// That of this process, as it is now.
    static func ofProcess() -> AttemptEnvironment {
        var entries: [String] = []
        var position = environ
        while let entry = position.pointee {
            entries.append(String(cString: entry))
            position += 1
        }
        return AttemptEnvironment(inherited: entries)
    }

    /// As `NAME=value`.
    func entries(for assignment: Assignment) -> [String] {
        var result = inherited
        result.append("CARILLON_TASK_ID=\(assignment.task)")
        result.append("CARILLON_ATTEMPT=\(assignment.attempt)")
        result.append("CARILLON_FENCE=\(assignment.fence)")
        result.append("CARILLON_SCHEDULED_AT=\(Timestamp.format(assignment.scheduledAt))")
        if let schedule = assignment.schedule { result.append("CARILLON_SCHEDULE=\(schedule)") }
        if let occurrence = assignment.occurrence {
            result.append("CARILLON_OCCURRENCE=\(occurrence)")
        }
        return result
    }
}
