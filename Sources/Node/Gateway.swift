import Raft
import Scheduler

/// The face of the replica towards HTTP and the worker, on the loop thread: it owns the replica and remembers
/// who waits for what, and until when. What it can't do itself (disk, peers, processes) it leaves to `Node`.
final class Gateway {
    enum Answer {
        case outcome(Outcome)
        case refused(Refusal)
    }

    private struct Request {
        var deadline: Nanoseconds
        var then: (Answer) -> Void
    }

    private struct Read {
        var deadline: Nanoseconds
        var then: (Refusal?) -> Void
    }

    enum BeatReply {
        case answer(BeatAnswer)
        case refused(Refusal)
    }

    private struct Beat {
        var deadline: Nanoseconds
        var then: (BeatReply) -> Void
    }

    private struct Waiter {
        var id: Token
        var deadline: Nanoseconds
        var then: (Bool) -> Void
    }

    private(set) var replica: Replica
    /// Something was asked for since the last `finishTurn`.
    private(set) var hasInput = true
    private let clock: () -> Clock
    private var effects: [ReplicaEffect] = []
    private var spare: [ReplicaEffect] = []
    private var lastToken: Token = 0
    private var requests: [Token: Request] = [:]
    private var reads: [Token: Read] = [:]
    private var waiters: [TaskID: [Waiter]] = [:]
    private var beats: [Token: Beat] = [:]
    /// An attached worker has something new to do, or is another than before; nil: that may hold for any.
    var onAttachedWorkerChange: (String?) -> Void = { _ in }
    /// No deadline is earlier; it may be that of something answered since.
    private var earliestDeadline: Nanoseconds = .max

    init(replica: Replica, clock: @escaping () -> Clock) {
        self.replica = replica
        self.clock = clock
    }

    // MARK: For HTTP and the worker

    /// Asks for a command to be done; `then` is called exactly once, at the latest at the deadline (ns).
    func request(
        _ command: Command, deadline: Nanoseconds, then: @escaping (Answer) -> Void
    ) {
        let token = newToken(deadline)
        requests[token] = Request(deadline: deadline, then: then)
        step(.request(token, command))
    }

    /// Calls `then(nil)` as soon as `replica.scheduler` holds everything acknowledged before this call (at
    /// once with `isStale`), or `then(.noLeader)` at the deadline (ns).
    func read(isStale: Bool, deadline: Nanoseconds, then: @escaping (Refusal?) -> Void) {
        guard !isStale else { return then(nil) }
        let token = newToken(deadline)
        reads[token] = Read(deadline: deadline, then: then)
        step(.read(token))
    }

    /// Has a leader hear an attached worker. To be called when a read is answered: see `ReplicaInput.workerBeat`.
    func beat(
        worker: String, session: UInt64, deadline: Nanoseconds, then: @escaping (BeatReply) -> Void
    ) {
        let token = newToken(deadline)
        beats[token] = Beat(deadline: deadline, then: then)
        step(.workerBeat(token, worker: worker, session: session))
    }

    /// Calls `then(true)` when the task is final in the local state, `then(false)` at the deadline (ns) or if
    /// there is no such task.
    func awaitFinal(_ task: TaskID, deadline: Nanoseconds, then: @escaping (Bool) -> Void) {
        guard let state = replica.scheduler.state(of: task) else { return then(false) }
        guard !state.isFinal else { return then(true) }
        let id = newToken(deadline)
        waiters[task, default: []].append(Waiter(id: id, deadline: deadline, then: then))
    }

    // MARK: What the local state says

    func task(_ id: TaskID) -> TaskView? { replica.task(id) }

    func namespace(of id: TaskID) -> Namespace? { replica.namespace(of: id) }

    func queuePriority(_ name: String) -> UInt8? { replica.queuePriority(name) }

    // MARK: For the node

    func step(_ input: ReplicaInput) {
        hasInput = true
        replica.step(input, clock: clock(), into: &effects)
    }

    /// Ends a turn of the replica and performs what came of it: answers here, the rest by `perform`.
    func finishTurn(perform: (ReplicaEffect) -> Void) {
        hasInput = false
        replica.finishTurn(clock: clock(), into: &effects)
        // Answers may ask for new things, which go into the other array.
        swap(&effects, &spare)
        // A turn assigns a worker hundreds of tasks: it is looked after once.
        var changedWorkers: Set<String> = []
        var mayAllHaveChanged = false
        for effect in spare {
            switch effect {
            case .completed(let token, let outcome):
                requests.removeValue(forKey: token)?.then(.outcome(outcome))
            case .refused(let token, let refusal):
                requests.removeValue(forKey: token)?.then(.refused(refusal))
            case .readReady(let token):
                reads.removeValue(forKey: token)?.then(nil)
            case .finished(let task, _):
                guard !waiters.isEmpty else { continue }
                for waiter in waiters.removeValue(forKey: task) ?? [] { waiter.then(true) }
            case .beatAnswered(let token, let answer):
                beats.removeValue(forKey: token)?.then(.answer(answer))
            case .attachedWorkerChanged(let worker):
                changedWorkers.insert(worker)
            case .stateReplaced:
                recheckWaiters()
                mayAllHaveChanged = true
            default:
                perform(effect)
            }
        }
        spare.removeAll(keepingCapacity: true)
        if mayAllHaveChanged { return onAttachedWorkerChange(nil) }
        for worker in changedWorkers.sorted() { onAttachedWorkerChange(worker) }
    }

    func nextDeadline(now: Nanoseconds) -> Nanoseconds {
        if hasInput || !effects.isEmpty { return now }
        return min(earliestDeadline, replica.turnsDeadline(now: now))
    }

    /// Refuses whatever has waited until its deadline.
    func expire(now: Nanoseconds) {
        guard earliestDeadline <= now else { return }
        for token in requests.filter({ $0.value.deadline <= now }).keys.sorted() {
            step(.abandonRequest(token))
        }
        for token in reads.filter({ $0.value.deadline <= now }).keys.sorted() {
            step(.abandonRead(token))
            reads.removeValue(forKey: token)?.then(.noLeader)
        }
        for token in beats.filter({ $0.value.deadline <= now }).keys.sorted() {
            step(.abandonWorkerBeat(token))
            beats.removeValue(forKey: token)?.then(.refused(.noLeader))
        }
        let late = waiters.filter { $0.value.contains { $0.deadline <= now } }.keys.sorted()
        for task in late {
            let all = waiters.removeValue(forKey: task) ?? []
            let remaining = all.filter { $0.deadline > now }
            if !remaining.isEmpty { waiters[task] = remaining }
            for waiter in all where waiter.deadline <= now { waiter.then(false) }
        }
        let open = requests.values.lazy.map(\.deadline).filter { $0 > now }.min() ?? .max
        let readsOpen = reads.values.lazy.map(\.deadline).min() ?? .max
        let waiting = waiters.values.lazy.compactMap { $0.lazy.map(\.deadline).min() }.min() ?? .max
        let beatsOpen = beats.values.lazy.map(\.deadline).min() ?? .max
        earliestDeadline = min(open, readsOpen, min(waiting, beatsOpen))
    }

    private func newToken(_ deadline: Nanoseconds) -> Token {
        lastToken += 1
        earliestDeadline = min(earliestDeadline, deadline)
        return lastToken
    }

    private func recheckWaiters() {
        for task in waiters.keys.sorted() {
            let state = replica.scheduler.state(of: task)
            guard state == nil || state?.isFinal == true else { continue }
            for waiter in waiters.removeValue(forKey: task) ?? [] { waiter.then(state != nil) }
        }
    }
}

/// What is read for every task. These change nothing: they are `mutating` because the object's replica is copied for
/// any other call, with a reference to each of its tables.
extension Replica {
    fileprivate mutating func task(_ id: TaskID) -> TaskView? { scheduler.task(id) }

    fileprivate mutating func namespace(of id: TaskID) -> Namespace? { scheduler.namespace(of: id) }

    fileprivate mutating func queuePriority(_ name: String) -> UInt8? {
        scheduler.queuePriority(name)
    }
}
