import Testing

@testable import Scheduler

/// A state machine with its log, driven by commands one entry at a time.
struct Machine {
    var scheduler: Scheduler
    var events: [Event] = []
    var log: [[UInt8]] = []
    var time: Milliseconds = 1_000_000
    var sequence: UInt64 = 0
    var incarnation: UInt64 = 1
    let origin = "client"

    init(_ capacity: Capacity = Capacity()) {
        scheduler = Scheduler(capacity: capacity)
    }

    /// Applies one command in an entry of its own and returns its outcome; `events` holds its events.
    @discardableResult
    mutating func run(_ command: Command) throws -> Outcome {
        try #require(try run([command]).first)
    }

    @discardableResult
    mutating func run(_ commands: [Command]) throws -> [Outcome] {
        var group = CommandGroup(
            origin: origin, incarnation: incarnation, acknowledgedBelow: sequence + 1)
        for command in commands {
            sequence += 1
            group.append(sequence: sequence, command: command.encoded())
        }
        try apply([group])
        return outcomes
    }

    mutating func apply(_ groups: [CommandGroup]) throws {
        try apply(EntryPayload(time: time, groups: groups).encoded())
    }

    mutating func apply(_ entry: [UInt8]) throws {
        events.removeAll()
        log.append(entry)
        try scheduler.apply(entry, index: scheduler.appliedIndex + 1, into: &events)
    }

    mutating func submit(_ spec: TaskSpec) throws -> TaskID {
        let outcome = try run(.submit(spec))
        guard case .task(let id, false) = outcome else {
            throw Unexpected(outcome: outcome)
        }
        return id
    }

    /// Lets log time pass and everything happen that is due by then.
    mutating func advance(by milliseconds: Milliseconds) throws {
        time += milliseconds
        try run(.advance([]))
    }

    @discardableResult
    mutating func register(
        _ id: String, incarnation: UInt64 = 1, slots: UInt32 = 1, handlers: [String] = ["h"],
        tags: [String] = []
    ) throws -> Outcome {
        try run(
            .registerWorker(
                WorkerSpec(
                    id: id, incarnation: incarnation, slots: slots, handlers: handlers, tags: tags))
        )
    }

    /// Ends the task's current attempt.
    @discardableResult
    mutating func finish(_ id: TaskID, _ result: AttemptResult = .ok) throws -> Outcome {
        try run(.finish(try report(id, result)))
    }

    func report(_ id: TaskID, _ result: AttemptResult = .ok) throws -> Finish {
        let assignment = try #require(current(id))
        return Finish(
            task: id, attempt: assignment.attempt, fence: assignment.fence, result: result)
    }

    /// The attempt that runs.
    func current(_ id: TaskID) -> Assignment? {
        for worker in scheduler.workers() {
            let running = scheduler.runningAttempts(
                worker: worker.spec.id, incarnation: worker.spec.incarnation)
            if let found = running.first(where: { $0.task == id }) { return found }
        }
        return nil
    }

    func state(_ id: TaskID) -> TaskState? { scheduler.state(of: id) }

    func worker(of id: TaskID) -> String? { current(id)?.worker }

    var outcomes: [Outcome] {
        events.compactMap { event -> Outcome? in
            if case .outcome(_, _, _, let outcome) = event { outcome } else { nil }
        }
    }

    var assigned: [TaskID] {
        events.compactMap {
            if case .assigned(let assignment) = $0 { assignment.task } else { nil }
        }
    }

    var revoked: [TaskID] {
        events.compactMap { if case .revoked(_, _, let task, _) = $0 { task } else { nil } }
    }
}

struct Unexpected: Error {
    var outcome: Outcome
}

extension AttemptResult {
    static var ok: AttemptResult { .succeeded(Array("1".utf8)) }

    static func error(
        _ message: String = "no", kind: String = "error", isRetryable: Bool = true,
        retryAfter: Milliseconds? = nil
    ) -> AttemptResult {
        .failed(
            Failure(
                message: message, kind: kind, isRetryable: isRetryable,
                retryAfterMilliseconds: retryAfter))
    }
}

extension TaskSpec {
    /// A task of handler "h", with changes.
    static func h(_ change: (inout TaskSpec) -> Void = { _ in }) -> TaskSpec {
        var spec = TaskSpec(handler: "h")
        spec.retry.jitter = false
        change(&spec)
        return spec
    }
}

/// Random numbers by seed (SplitMix64).
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
