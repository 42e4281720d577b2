/// What a client asks for when it submits a task. Strings are checked by whoever builds it; the state
/// machine checks limits once more, because a spec may come from an older or newer node.
public struct TaskSpec: Equatable, Sendable {
    public var handler: String
    /// JSON, kept and returned byte for byte.
    public var payload: [UInt8]
    public var start: Start
    public var queue: String
    /// 0 to 9, higher first.
    public var priority: UInt8
    public var retry: RetryPolicy
    /// The longest run of one attempt.
    public var timeoutMilliseconds: Milliseconds
    /// How late after it is due the task may still start; nil: for ever.
    public var expiresMilliseconds: Milliseconds?
    /// Sorted, without duplicates.
    public var tags: [String]
    /// nil: the task's id.
    public var routingKey: String?
    public var delivery: Delivery
    /// The client's idempotency key.
    public var key: String?
    /// Sorted by name.
    public var meta: [Label]
    /// Tasks that have to end first; the order and repetitions mean nothing.
    public var after: [TaskID]
    /// Means nothing without `after`.
    public var onDependencyFailure: DependencyPolicy
    /// The longest time from when it could first start to its end, with all attempts and pauses; nil: no limit.
    public var overallTimeoutMilliseconds: Milliseconds?
    /// Told of its end, see `Webhook`.
    public var webhook: String?
    /// How old a result of the same handler and payload may be that answers the task; nil: it runs in any case.
    public var cacheMilliseconds: Milliseconds?
    /// The name of the template that it was made from; it says nothing about the task that the rest does not.
    public var template: String?

    public init(handler: String) {
        self.handler = handler
        payload = Array("null".utf8)
        start = .now
        queue = "default"
        priority = 5
        retry = RetryPolicy()
        timeoutMilliseconds = 300_000
        tags = []
        delivery = .atLeastOnce
        meta = []
        after = []
        onDependencyFailure = .cancel
    }

    public enum Start: Equatable, Sendable {
        case now
        /// Counted from the log time of the submission.
        case after(milliseconds: Milliseconds)
        case at(Milliseconds)
    }

    public enum Delivery: UInt8, Sendable {
        case atLeastOnce = 0
        case atMostOnce = 1

        /// As it stands in the API.
        public var name: String {
            switch self {
            case .atLeastOnce: "atLeastOnce"
            case .atMostOnce: "atMostOnce"
            }
        }
    }

    /// What becomes of a task if one that it waits for is dead, cancelled or expired.
    public enum DependencyPolicy: UInt8, Sendable, CaseIterable {
        /// It is cancelled, at once.
        case cancel = 0
        /// It runs all the same, when all have ended.
        case run = 1
        /// It goes on waiting, for the other to be brought back and succeed; it is cancelled when the other is not kept any
        /// more.
        case hold = 2
    }
}

public struct Label: Equatable, Sendable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

public struct RetryPolicy: Equatable, Sendable {
    /// All attempts, the first one included; at least 1.
    public var attempts: UInt32 = 3
    public var backoff: Backoff = .exponential
    public var initialMilliseconds: Milliseconds = 1_000
    public var maxMilliseconds: Milliseconds = 300_000
    /// Spreads the delay over [delay / 2, delay] by a hash of task and attempt.
    public var jitter = true
    /// Kinds of failures (`AttemptResult.Failure.kind`) after which it is tried again; empty: all. Sorted by bytes,
    /// without duplicates.
    public var kinds: [String] = []

    /// What says of itself that it will pass is always tried again.
    public static let temporaryKind = "temporary"
    /// An attempt that was lost with its worker.
    public static let lostKind = "lost"
    /// Failures of which the handler did not tell itself: it may have done its work.
    public static let untoldKinds = [
        "connection", "resultStore", "resultTooLarge", "signal", "timeout", "unanswered",
    ]

    public init() {}

    /// Whether a failure of this kind may be tried again.
    public func covers(_ kind: String) -> Bool {
        kinds.isEmpty || kind == Self.temporaryKind || kinds.contains(kind)
    }

    public enum Backoff: UInt8, Sendable {
        case exponential = 0
        case linear = 1
        case fixed = 2
    }
}
