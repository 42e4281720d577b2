import Raft
import Scheduler

/// Hands what the log assigns to attached workers over to them, from this node's applied state.
///
/// The state alone knows what a worker has to do, so any node can hand it out. The desk remembers only what this node has
/// handed out, lest every poll return everything. An answer that got lost on the way loses nothing: what a worker does
/// not name in its heartbeats is handed out again. That may also hand out twice what came in time, so a worker passes
/// over attempts that it has.
final class AssignmentDesk {
    /// A heartbeat may have left before the answer that hands an attempt out had arrived; the one after it can't.
    static let missesBeforeRedelivery = 2

    struct Attempt: Hashable {
        let task: TaskID
        let attempt: UInt32
    }

    private struct Poll {
        let number: UInt64
        let call: Call
    }

    private struct Counter {
        let session: UInt64
        /// How many heartbeats in a row did not name it.
        var misses: [Attempt: Int] = [:]
        var poll: Poll?
    }

    private let context: APIContext
    private var counters: [String: Counter] = [:]
    private var lastPoll: UInt64 = 0

    init(_ context: APIContext) {
        self.context = context
    }

    /// Answers as soon as there is something to hand out, or with nothing at the deadline. Of two polls of one worker
    /// the older one is answered with nothing.
    func poll(_ worker: String, session: UInt64, until deadline: Nanoseconds, _ call: Call) {
        var counter = counter(worker, session)
        if let former = counter.poll { replyNothing(former.call) }
        lastPoll += 1
        let number = lastPoll
        counter.poll = Poll(number: number, call: call)
        counters[worker] = counter
        serve(worker)
        guard counters[worker]?.poll?.number == number else { return }
        context.facts.schedule(deadline) { [weak self] in self?.expire(worker, number) }
    }

    /// A heartbeat names what the worker has.
    func named(_ attempts: Set<Attempt>, by worker: String, session: UInt64) {
        var counter = counter(worker, session)
        for attempt in attempts { counter.misses[attempt] = 0 }
        for attempt in counter.misses.keys where !attempts.contains(attempt) {
            counter.misses[attempt, default: 0] += 1
        }
        counter.misses = counter.misses.filter { $0.value < Self.missesBeforeRedelivery }
        counters[worker] = counter
        serve(worker)
    }

    /// - Parameter worker: nil if it may be any.
    func changed(_ worker: String?) {
        for id in worker.map({ [$0] }) ?? counters.keys.sorted() where counters[id] != nil {
            serve(id)
        }
    }

    private func counter(_ worker: String, _ session: UInt64) -> Counter {
        guard let known = counters[worker], known.session == session else {
            if let poll = counters[worker]?.poll { replyNothing(poll.call) }
            return Counter(session: session)
        }
        return known
    }

    private func serve(_ worker: String) {
        // Taken out, as a second owner would have thousands of names copied.
        guard var counter = counters.removeValue(forKey: worker) else { return }
        let scheduler = context.gateway.replica.scheduler
        guard WorkerSession.standing(worker, counter.session, scheduler) == .current else {
            // It asks again and hears what became of its session.
            if let poll = counter.poll { replyNothing(poll.call) }
            return
        }
        // Who has gone away hears nothing, and must not be taken to have got something.
        if counter.poll?.call.responder.isClosed == true { counter.poll = nil }
        defer { counters[worker] = counter }
        guard let poll = counter.poll else { return }
        // What ended stays in `misses` until two heartbeats did not name it: no attempt runs twice.
        let new = scheduler.namesOfRunningAttempts(worker: worker, incarnation: counter.session)
            .filter { counter.misses[Attempt(task: $0.task, attempt: $0.attempt)] == nil }
            .map(\.task).sorted()
        let items = portion(of: new, in: scheduler, handedOut: &counter.misses)
        guard !items.isEmpty else { return }
        counter.poll = nil
        poll.call.reply { writer in Self.write(items, to: &writer) }
    }

    /// What fits into one answer, with the results that stand in the payloads; the next poll has the rest at once.
    private func portion(
        of tasks: [TaskID], in scheduler: Scheduler, handedOut: inout [Attempt: Int]
    ) -> [Assignment] {
        var bytes = 0
        var items: [Assignment] = []
        for task in tasks {
            guard let assignment = scheduler.runningAttempt(of: task) else {
                preconditionFailure("\(task) runs at a worker and does not run")
            }
            let name = Attempt(task: task, attempt: assignment.attempt)
            do {
                let filled = try assignment.filled()
                bytes += filled.payload.count
                bytes += filled.inputs.reduce(0) { $0 + ($1.result?.count ?? 0) }
                if !items.isEmpty, bytes > APILimits.maxListBytes { break }
                items.append(filled)
            } catch {
                reject(assignment, error.description)
            }
            handedOut[name] = 0
        }
        return items
    }

    /// Nobody can run it. Should this get lost, no heartbeat names the attempt, and so it is tried again.
    private func reject(_ assignment: Assignment, _ reason: String) {
        let result = AttemptResult.failure(.payload, reason, isRetryable: false)
        let finish = Finish(
            task: assignment.task, attempt: assignment.attempt, fence: assignment.fence,
            result: result)
        let gateway = context.gateway
        let now = context.facts.clock().monotonic
        context.facts.later {
            let deadline = now + Nanoseconds(APILimits.defaultTimeoutMilliseconds) * 1_000_000
            gateway.request(.finish(finish), deadline: deadline) { _ in }
        }
    }

    private func expire(_ worker: String, _ number: UInt64) {
        guard let poll = counters[worker]?.poll, poll.number == number else { return }
        counters[worker]?.poll = nil
        replyNothing(poll.call)
    }

    private func replyNothing(_ call: Call) {
        call.reply { writer in Self.write([], to: &writer) }
    }

    private static func write(_ items: [Assignment], to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("items")
        writer.beginArray()
        for item in items {
            writer.beginObject()
            writer.field("task", item.task.description)
            writer.field("attempt", Int64(item.attempt))
            writer.field("fence", item.fence)
            writer.field("handler", item.handler)
            writer.rawField("payload", item.payload)
            writer.timestampField(
                "deadline", min(item.assignedAt + item.timeoutMilliseconds, Limits.maxTime))
            // For those whose clock is not the cluster's; in one unit, so that a worker needs no parser of durations.
            writer.field("timeout", "\(item.timeoutMilliseconds)ms")
            writer.timestampField("scheduledAt", item.scheduledAt)
            writer.optionalField("schedule", item.occurrence)
            writer.field("namespace", item.namespace.name)
            writer.field("delivery", item.delivery.name)
            if !item.inputs.isEmpty { writer.rawField("inputs", item.inputsJSON) }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
    }
}
