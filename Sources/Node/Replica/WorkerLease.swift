import Raft
import Scheduler

/// The local worker's side of the agreement with the leader: it beats, and runs attempts only while
/// a leader has heard it lately. The leader waits longer before it assigns them elsewhere, so an attempt that
/// lost the cluster has stopped by then.
struct WorkerLease: Sendable {
    let id: String
    let incarnation: UInt64
    private(set) var validUntil: Nanoseconds = 0
    private var nextBeat: Nanoseconds = 0
    /// Assigned, not launched yet: they are looked at again once everything committed so far is applied.
    private var waiting: [Assignment] = []
    /// Launched, and not known to have ended.
    private var running: [TaskID: UInt32] = [:]

    init(id: String, incarnation: UInt64) {
        self.id = id
        self.incarnation = incarnation
    }

    var isIdle: Bool { waiting.isEmpty && running.isEmpty }

    func isValid(at now: Nanoseconds) -> Bool { now < validUntil }

    mutating func extend(until time: Nanoseconds) { validUntil = max(validUntil, time) }

    mutating func beatIsDue(at now: Nanoseconds, interval: Nanoseconds) -> Bool {
        guard now >= nextBeat else { return false }
        nextBeat = now + interval
        return true
    }

    /// A new leader has to hear of this worker at once.
    mutating func beatAtOnce() { nextBeat = 0 }

    mutating func assigned(_ assignment: Assignment) {
        guard assignment.worker == id, assignment.incarnation == incarnation else { return }
        waiting.append(assignment)
    }

    /// True if the attempt was launched and has to be stopped.
    mutating func revoked(_ task: TaskID, attempt: UInt32) -> Bool {
        waiting.removeAll { $0.task == task && $0.attempt == attempt }
        guard running[task] == attempt else { return false }
        running[task] = nil
        return true
    }

    mutating func ended(_ task: TaskID, attempt: UInt32) {
        if running[task] == attempt { running[task] = nil }
    }

    /// Assignments to launch now. Those that a later entry took back are gone already.
    mutating func takeLaunches(at now: Nanoseconds) -> [Assignment] {
        guard isValid(at: now), !waiting.isEmpty else { return [] }
        let launches = waiting
        waiting = []
        for launch in launches { running[launch.task] = launch.attempt }
        return launches
    }

    /// True once when the lease has run out with attempts running.
    mutating func takeExpiry(at now: Nanoseconds) -> Bool {
        guard !running.isEmpty, !isValid(at: now) else { return false }
        running = [:]
        return true
    }

    /// The state was replaced by a snapshot: what it says this worker runs is what counts. Returns what has
    /// to be stopped, in the order of task ids.
    mutating func reconcile(with current: [Assignment]) -> [(TaskID, UInt32)] {
        let attempts = Dictionary(
            current.map { ($0.task, $0.attempt) }, uniquingKeysWith: { _, last in last })
        let stale = running.filter { attempts[$0.key] != $0.value }
            .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        for (task, _) in stale { running[task] = nil }
        waiting = current.filter { running[$0.task] != $0.attempt }
        return stale
    }

    func nextDeadline() -> Nanoseconds {
        running.isEmpty ? nextBeat : min(nextBeat, validUntil)
    }
}
