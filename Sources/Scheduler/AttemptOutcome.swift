/// How an attempt ended.
enum AttemptOutcome: UInt8, Sendable {
    /// There is no attempt yet, or the last one stands in the history already.
    case none = 0
    case running = 1
    case succeeded = 2
    case failed = 3
    case timeout = 4
    case lost = 5
    case cancelled = 6
    case returned = 7

    var name: String {
        switch self {
        case .none: "none"
        case .running: "running"
        case .succeeded: "succeeded"
        case .failed: "failed"
        case .timeout: "timeout"
        case .lost: "lost"
        case .cancelled: "cancelled"
        case .returned: "returned"
        }
    }
}
