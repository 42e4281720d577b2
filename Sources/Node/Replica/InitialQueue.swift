import Scheduler

/// A queue as the configuration wants it: it counts until somebody has said something of the queue.
public struct InitialQueue: Equatable, Sendable {
    public var name: String
    public var spec: QueueSpec
    public var isPaused: Bool

    public init(name: String, spec: QueueSpec, isPaused: Bool = false) {
        self.name = name
        self.spec = spec
        self.isPaused = isPaused
    }
}
