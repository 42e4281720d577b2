/// The replicated state machine: tasks, schedules, workers and the requests that changed them.
///
/// It is driven by log entries alone and is deterministic to the byte: the same entries give the same state,
/// events and digest on every node. So there is no clock in it (an entry carries its leader's time, and the
/// state's time never goes back), no randomness (jitter is a hash), no floating point, and no order of a
/// `Dictionary` or `Set` reaches the state or an event.
///
/// Assignment happens inside `apply`: whenever a command makes a task ready or a slot free, the task and the
/// worker meet in the same step. What happens because time passes happens in `Command.advance`, which the leader
/// proposes when `nextWake` or `dueSchedules` say so.
///
/// Life of a task: `Scheduler+Submit`, `+Dependencies`, `+Attempts`, `+Ends`; workers: `+Workers`; members: `+Members`; schedules:
/// `+Schedules`, `+Occurrences`, `+Backfill`; time: `+Advance`; queues: `+Queues`, `+KeyLimits`; namespaces and templates: `+Namespaces`, `+Templates`; reads: `+Reads`. `ReplicatedState` is what a snapshot holds,
/// `DerivedIndex` what is rebuilt from it.
public struct Scheduler: Sendable {
    var state: ReplicatedState
    var index: DerivedIndex
    let capacity: Capacity

    public init() {
        self.init(capacity: Capacity())
    }

    init(capacity: Capacity) {
        state = ReplicatedState()
        index = DerivedIndex()
        self.capacity = capacity
        state.retention.maxFinished = UInt32(capacity.finishedTasks)
        state.retention.maxDead = UInt32(capacity.deadTasks)
    }

    /// Log index of the last applied entry.
    public var appliedIndex: UInt64 { state.appliedIndex }

    /// The state's clock in ms: the highest time of an applied entry.
    public var time: Milliseconds { state.time }

    /// The earliest instant (ms) at which an `advance` has something to do, or a schedule is due; nil: never.
    public var nextWake: Milliseconds? { index.nextWake }

    /// A hash over every applied entry and its events: equal on all replicas at the same index, or they have
    /// diverged.
    public var digest: UInt64 { state.digest }

    /// For entries that carry no commands.
    public mutating func noteApplied(index: UInt64) {
        precondition(index > state.appliedIndex, "entries are applied in order, once")
        state.appliedIndex = index
    }

    /// Applies one command entry: the bytes of an `EntryPayload`, at its log index, which is the fencing token of
    /// the attempts it assigns. A command that is damaged or not acceptable has the outcome `.rejected`, and the
    /// others go on; an entry that can't be taken apart throws and changes nothing.
    public mutating func apply(
        _ payload: [UInt8], index: UInt64, into events: inout [Event]
    ) throws(CodecError) {
        precondition(index > state.appliedIndex, "entries are applied in order, once")
        let entry = try EntryLayout(payload)
        let firstEvent = events.count
        state.appliedIndex = index
        state.time = max(state.time, min(entry.time, Limits.maxTime))
        for group in entry.groups { apply(group, payload, &events) }
        tellEndings(&events)
        repeat {
            startReleased(&events)
            if !self.index.keyGates.changed.isEmpty { startReopened(&events) }
            // Behind it, as what is let in may have expired: what waited for the next entry would be in no snapshot.
            submitNotices(&events)
        } while hasUnsettled
        settle()
        var hash = StableHash(seed: state.digest)
        hash.mix(index)
        hash.mix(payload)
        for event in events[firstEvent...] { event.mix(into: &hash) }
        state.digest = hash.digest
    }

    /// The end of an entry has brought about something that belongs to it.
    private var hasUnsettled: Bool {
        !index.keyGates.changed.isEmpty || !index.released.isEmpty || !index.notices.isEmpty
    }

    private mutating func apply(
        _ group: EntryLayout.Group, _ payload: [UInt8], _ events: inout [Event]
    ) {
        guard !group.origin.isEmpty else {
            for command in group.commands { _ = execute(payload, command.range, &events) }
            return
        }
        let session: Int
        switch openSession(group) {
        case .found(let place): session = place
        case .refused(let rejection):
            for command in group.commands {
                events.append(group.outcome(command.sequence, .rejected(rejection)))
            }
            return
        }
        for command in group.commands {
            guard command.sequence >= state.sessions[session].acknowledgedBelow else { continue }
            let outcome: Outcome
            if let known = state.sessions[session].outcome(of: command.sequence) {
                outcome = known
            } else if state.sessions[session].count >= capacity.outcomesPerOrigin {
                outcome = .rejected(.full)
            } else {
                outcome = execute(payload, command.range, &events)
                state.sessions[session].remember(command.sequence, outcome)
            }
            events.append(group.outcome(command.sequence, outcome))
        }
    }

    private enum SessionLookup {
        case found(Int)
        case refused(Rejection)
    }

    private mutating func openSession(_ group: EntryLayout.Group) -> SessionLookup {
        let origin = group.origin
        let place =
            state.sessions.firstIndex { !isBefore($0.origin, origin) } ?? state.sessions.count
        if place == state.sessions.count || state.sessions[place].origin != origin {
            guard state.sessions.count < capacity.origins else { return .refused(.full) }
            let session = Session(origin: origin, incarnation: group.incarnation)
            state.sessions.insert(session, at: place)
        }
        let known = state.sessions[place].incarnation
        guard isCurrent(group.incarnation, of: origin, known: known) else {
            return .refused(.staleIncarnation)
        }
        if group.incarnation != known {
            state.sessions[place].restart(incarnation: group.incarnation)
        }
        state.sessions[place].acknowledge(below: group.acknowledgedBelow)
        return .found(place)
    }

    private mutating func execute(
        _ payload: [UInt8], _ range: Range<Int>, _ events: inout [Event]
    ) -> Outcome {
        var reader = ByteReader(payload, range: range)
        do {
            let kind = try Command.kind(from: &reader)
            // By far the most frequent one goes without a `TaskSpec` in between.
            if kind == .submit { return try submit(from: &reader, &events) }
            let command = try Command(kind, from: &reader)
            if case .submitGraph(let graph) = command { return try submitGraph(graph, &events) }
            return perform(command, &events)
        } catch {
            // Nothing has changed: all decoding comes before the first change.
            return .rejected(.malformed)
        }
    }

    private mutating func perform(_ command: Command, _ events: inout [Event]) -> Outcome {
        switch command {
        case .submit, .submitGraph: preconditionFailure("a submission may be refused as it is read")
        case .cancel(let task): cancel(task, &events)
        case .retry(let task): retry(task, &events)
        case .finish(let finish): self.finish(finish, &events)
        case .deleteTask(let task): deleteTask(task)
        case .putSchedule(let name, let spec, let paused, let next, let replacing):
            putSchedule(
                name, spec, paused: paused, next: next, replacing: replacing, &events)
        case .pauseSchedule(let name): pauseSchedule(name, &events)
        case .resumeSchedule(let name, let resumption):
            resumeSchedule(name, resumption, &events)
        case .triggerSchedule(let name, let key): triggerSchedule(name, key: key, &events)
        case .deleteSchedule(let name): deleteSchedule(name)
        case .registerWorker(let spec): registerWorker(spec, &events)
        case .drainWorker(let id, let incarnation):
            drainWorker(id, incarnation: incarnation, &events)
        case .undrainWorker(let id, let incarnation):
            undrainWorker(id, incarnation: incarnation, &events)
        case .workerLost(let id, let incarnation):
            workerLost(id, incarnation: incarnation, &events)
        case .advance(let firings): advance(firings, &events)
        case .adoptMembers(let members): adoptMembers(members)
        case .addMember(let node): addMember(node, &events)
        case .removeMember(let name, let directory):
            removeMember(name, directory: directory, &events)
        case .announceNode(let node): announceNode(node)
        case .raiseStateVersion(let version): raiseStateVersion(version)
        case .cancelWorkflow(let id): cancelWorkflow(id, &events)
        case .putQueue(let name, let spec, let paused, let isInitial):
            putQueue(name, spec, paused: paused, isInitial: isInitial, &events)
        case .pauseQueue(let name): setPaused(true, name, &events)
        case .resumeQueue(let name): setPaused(false, name, &events)
        case .resetQueue(let name): resetQueue(name, &events)
        case .attachWorker(let spec, let key): attachWorker(spec, key: key, &events)
        case .reportProgress(let report): note(report)
        case .beginBulkJob(let spec): beginBulkJob(spec)
        case .stopBulkJob(let id): stopBulkJob(id)
        case .startBackfill(let name, let revision, let backfill):
            startBackfill(name, revision: revision, backfill)
        case .cancelBackfill(let name): cancelBackfill(name)
        case .fillBack(let portion): fillBack(portion, &events)
        case .setRetention(let retention): setRetention(retention)
        case .putTemplate(let name, let body): putTemplate(name, body)
        case .deleteTemplate(let name): deleteTemplate(name)
        case .putNamespace(let name, let quota, let retention):
            putNamespace(name, quota, retention, &events)
        case .deleteNamespace(let name): deleteNamespace(name)
        case .dropExported(let departures): dropExported(departures)
        case .noteLog(let report): noteLog(report)
        }
    }
}
