/// What an event says of its task besides the state: enough to filter by, as of the entry that brought it about.
public struct TaskSubject: Equatable, Sendable {
    public var queue: String
    public var handler: String
    /// The schedule that made it.
    public var schedule: String?
    /// The current or last one; 0: none yet.
    public var attempt: UInt32
    /// Of that attempt.
    public var worker: String?

    public init(
        queue: String, handler: String, schedule: String? = nil, attempt: UInt32 = 0,
        worker: String? = nil
    ) {
        self.queue = queue
        self.handler = handler
        self.schedule = schedule
        self.attempt = attempt
        self.worker = worker
    }
}

extension Scheduler {
    /// nil if there is no such task any more.
    public func subject(of id: TaskID) -> TaskSubject? {
        guard let position = state.tasks.position(of: id) else { return nil }
        let record = state.tasks[position]
        let profile = state.profiles[record.profile]
        return TaskSubject(
            queue: profile.queue, handler: profile.handler,
            schedule: record.extra?.fields.schedule, attempt: record.attempt,
            worker: record.attempt > 0 ? state.workers.name(record.worker) : nil)
    }
}
