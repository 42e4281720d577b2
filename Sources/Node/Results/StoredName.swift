import Scheduler

/// Under which name a store keeps what an attempt left: `t17-2-4711.result` is the result of the second attempt of t17,
/// whose fence is 4711. Whoever writes it again, after a crash or for a client that asks twice, writes the same name.
struct StoredName: Hashable, Sendable, CustomStringConvertible {
    enum Kind: String, Sendable {
        case result
        case log
    }

    let task: TaskID
    let attempt: UInt32
    let fence: UInt64
    let kind: Kind

    init(task: TaskID, attempt: UInt32, fence: UInt64, kind: Kind) {
        self.task = task
        self.attempt = attempt
        self.fence = fence
        self.kind = kind
    }

    init(_ finish: Finish, _ kind: Kind) {
        self.init(task: finish.task, attempt: finish.attempt, fence: finish.fence, kind: kind)
    }

    init(_ stored: StoredResult) {
        self.init(
            task: stored.task, attempt: stored.attempt, fence: stored.fence, kind: .result)
    }

    var description: String { "\(task)-\(attempt)-\(fence).\(kind.rawValue)" }

    /// nil: nothing of a store's.
    init?(_ text: String) {
        let halves = text.split(separator: ".", omittingEmptySubsequences: false)
        guard halves.count == 2, let kind = Kind(rawValue: String(halves[1])) else { return nil }
        let parts = halves[0].split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, let task = TaskID(String(parts[0])), let attempt = UInt32(parts[1]),
            let fence = UInt64(parts[2])
        else { return nil }
        self.init(task: task, attempt: attempt, fence: fence, kind: kind)
        // "t017" or "+2" is no name that was ever given.
        guard description == text else { return nil }
    }
}
