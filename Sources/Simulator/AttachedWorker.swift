import Raft
import Scheduler

/// A worker outside of the cluster, attached over HTTP: what it knows between two of its requests. It follows docs/WORKERS.md
/// as `carillon worker run` does.
struct AttachedWorker {
    /// What it asks a node for, and what it waits for itself.
    enum Step: Sendable {
        case attach
        case beat
        case poll
        case watchLease
        /// An attempt ends by itself.
        case end(Attempt)
        /// Its process ends, and what it runs with it.
        case crash
    }

    struct Attempt: Hashable, Sendable {
        var task: TaskID
        var number: UInt32
    }

    /// A request under way. `sentAt` is when the worker sent it.
    struct Question: Sendable {
        enum Kind: Sendable {
            /// Another try of the same attachment has the same key.
            case attach(key: String)
            /// A copy of such a request that was given up comes late, and nobody waits for the answer.
            case stray(key: String)
            /// First the state is asked whether the session is the current one, then the leader hears of it.
            case beat
            case heard
            case poll
            case finish(Finish)
        }

        var kind: Kind
        var worker: Int
        /// The process that asks: no answer reaches the one after it.
        var process: Int
        var session: UInt64
        var sentAt: Nanoseconds
    }

    let spec: WorkerSpec
    var process = 0
    var session: UInt64?
    /// How many sessions it has begun.
    var attachments = 0
    /// When it first asked for the next one.
    var attachingSince: Nanoseconds?
    /// When the last beat that a leader has heard was sent.
    var heardAt: Nanoseconds = 0
    var isExpired = false
    /// Those that run, by the number of their execution.
    var running: [Attempt: Int] = [:]
    /// Those that have ended, until the cluster knows.
    var reported: Set<Attempt> = []

    init(_ spec: WorkerSpec) {
        self.spec = spec
    }

    var attachmentKey: String { "\(spec.id)/\(process)/\(attachments)" }

    func holds(_ attempt: Attempt) -> Bool {
        running[attempt] != nil || reported.contains(attempt)
    }

    /// What it names in its heartbeats.
    var held: [Attempt] {
        (Array(running.keys) + reported).sorted { ($0.task, $0.number) < ($1.task, $1.number) }
    }
}

/// Those of a run, drawn by a random source of their own, so that all others stay as they are.
struct AttachedCrew {
    var random: RandomSource
    /// For requests that come late.
    private var strayRandom: RandomSource
    var workers: [AttachedWorker] = []

    init(random: RandomSource, strayRandom: RandomSource) {
        self.random = random
        self.strayRandom = strayRandom
        guard self.random.chance(permille: 350) else { return }
        for number in 0...self.random.index(2) {
            workers.append(
                AttachedWorker(
                    WorkerSpec(
                        id: "w\(number + 1)", incarnation: 0,
                        slots: UInt32(self.random.within(1...4)),
                        handlers: number == 0 ? Scenario.handlers : ["echo", "sleep"],
                        tags: number == 0 ? ["gpu"] : [])))
        }
    }

    /// How late a copy of a request comes; nil: there is none.
    mutating func drawStray() -> Nanoseconds? {
        guard strayRandom.chance(permille: 400) else { return nil }
        return strayRandom.latency(1_000_000...6_000_000_000)
    }

    mutating func pickForStray(_ nodes: [SimulatedNode]) -> SimulatedNode {
        strayRandom.pick(nodes)
    }
}
