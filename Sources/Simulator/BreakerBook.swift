import Scheduler

/// How the breaker of one queue has to stand. Exact for runs of failures; of a ratio only what follows from the phase
/// is known.
struct BreakerBook {
    private var phase: BreakerPhase
    private var failures: UInt32 = 0
    /// Since when the run of failures is known, and not only a part of it.
    private var isExact = false
    /// A success has begun a new run, if the breaker was not open by then: what was failed before these books knew of
    /// it may have opened it in the same entry.
    private var mayBeExact = false
    private var probes: [TaskID: UInt32] = [:]
    private var succeeded = 0

    init(_ phase: BreakerPhase = .closed) {
        self.phase = phase
    }

    var isOpen: Bool {
        if case .open = phase { true } else { false }
    }

    /// False if it may not start now.
    mutating func start(
        _ assignment: Assignment, _ spec: BreakerSpec, _ now: Milliseconds
    ) -> Bool {
        if case .open(let until) = phase {
            guard now >= until else { return false }
            turnHalfOpen()
            isExact = true
        }
        guard phase == .halfOpen else { return true }
        probes[assignment.task] = assignment.attempt
        return !isExact || probes.count + succeeded <= Int(spec.probes)
    }

    mutating func end(
        _ id: TaskID, _ number: UInt32, _ outcome: String?, _ spec: BreakerSpec,
        _ now: Milliseconds
    ) {
        let isProbe = probes[id] == number
        if isProbe { probes[id] = nil }
        guard outcome == "succeeded" || outcome == "failed" || outcome == "timeout" else { return }
        let isSuccess = outcome == "succeeded"
        switch phase {
        case .open: return
        case .halfOpen:
            guard isProbe else { return }
            guard isSuccess else { return open(spec, now) }
            succeeded += 1
            if succeeded >= Int(spec.probes) { close() }
        case .closed:
            guard case .failures(let limit) = spec.trip else { return }
            failures = isSuccess ? 0 : failures + 1
            if isSuccess { mayBeExact = true }
            if failures >= limit { open(spec, now) }
        }
    }

    /// `actual`: as the state machine says after an entry.
    mutating func check(
        _ actual: BreakerPhase, _ spec: BreakerSpec, _ now: Milliseconds, _ name: String
    ) throws(Violation) {
        if case .open(let until) = phase, actual == .halfOpen, now >= until {
            turnHalfOpen()
            isExact = true
        }
        defer { mayBeExact = false }
        guard actual != phase else {
            isExact = isExact || mayBeExact
            return
        }
        if case .failures = spec.trip, isExact {
            throw Violation(
                "a breaker opens and closes by its rule", "\(name): \(actual), expected \(phase)")
        }
        // Taken over as it is: what led to it began before these books did.
        phase = actual
        failures = 0
        probes = [:]
        succeeded = 0
        isExact = false
    }

    private mutating func turnHalfOpen() {
        phase = .halfOpen
        probes = [:]
        succeeded = 0
    }

    private mutating func open(_ spec: BreakerSpec, _ now: Milliseconds) {
        phase = .open(until: now + spec.openMilliseconds)
        failures = 0
    }

    private mutating func close() {
        phase = .closed
        failures = 0
        isExact = true
    }
}
