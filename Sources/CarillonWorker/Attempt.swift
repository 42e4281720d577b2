import Foundation
internal import Node

/// One try at a task, as the function that runs it sees it.
public struct Attempt: Sendable {
    private let embedded: EmbeddedAttempt

    init(_ embedded: EmbeddedAttempt) { self.embedded = embedded }

    /// The task's id.
    public var task: String { embedded.task }

    /// 1 for the first attempt.
    public var number: Int { Int(embedded.attempt) }

    /// Rises with every attempt of a task. A store that takes nothing with a lower one than it has seen keeps out whoever was
    /// taken for dead and goes on.
    public var fence: UInt64 { embedded.fence }

    public var handler: String { embedded.handler }

    /// When the task was due.
    public var scheduledAt: Date {
        Date(timeIntervalSince1970: Double(embedded.scheduledAt) / 1_000)
    }

    /// The occurrence, `name@time`, if a schedule made the task.
    public var occurrence: String? { embedded.occurrence }

    /// Tells how far it is, for whoever looks at the task: per cent, and a few words. As often as you like; of each attempt about
    /// one report a second is kept.
    public func report(progress: Int? = nil, note: String? = nil) {
        embedded.report(percent: progress, note: note)
    }

    /// Adds a line to the attempt's log: `carillon task logs`.
    public func log(_ line: String) { embedded.log(line) }
}

/// A failure with what the cluster is to make of it.
public struct TaskFailure: Error, CustomStringConvertible {
    public var message: String
    /// What `retry.kinds` of a task can name; `temporary` is always tried again.
    public var kind: String
    /// false: another attempt would fail as well, so the task is dead.
    public var retry: Bool
    /// Goes before the delay that the task's policy gives.
    public var retryAfter: Duration?

    public init(
        _ message: String, kind: String = "error", retry: Bool = true, retryAfter: Duration? = nil
    ) {
        self.message = message
        self.kind = kind
        self.retry = retry
        self.retryAfter = retryAfter
    }

    public var description: String { message }
}
