import Scheduler

/// What an attempt is known by outside of the log.
struct AttemptName: Hashable, Comparable {
    let task: TaskID
    let attempt: UInt32

    init(_ task: TaskID, _ attempt: UInt32) {
        self.task = task
        self.attempt = attempt
    }

    var path: String { "/v1/tasks/\(task)/attempts/\(attempt)" }

    static func < (left: AttemptName, right: AttemptName) -> Bool {
        left.task != right.task ? left.task < right.task : left.attempt < right.attempt
    }
}
