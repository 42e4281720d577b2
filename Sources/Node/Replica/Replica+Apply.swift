import Raft
import Scheduler

/// From committed entries to the state machine, and from its events to whoever waits for them.
extension Replica {
    mutating func applyCommitted(_ clock: Clock, _ effects: inout [ReplicaEffect]) {
        guard restoring == nil else { return }
        holdsAdvance = false
        var budget = settings.applyBudgetBytes
        while applied < raft.appliableIndex, budget > 0, unsupportedStateVersion == nil {
            let entry = raft.entry(at: applied + 1)
            // The others hear first that it is committed, and begin at the same time: else what starts there would be late by what
            // it takes here. They are told at the end of the loop's turn.
            if duties?.isAdvance(at: entry.index) ?? false, entry.index > toldCommitIndex,
                raft.configuration.members.count > 1
            {
                holdsAdvance = true
                break
            }
            budget -= entry.sizeBytes
            switch entry.payload {
            case .lost:
                preconditionFailure("entry \(entry.index) is damaged here, and to be applied")
            case .noop, .configuration:
                scheduler.noteApplied(index: entry.index)
            case .command(let bytes):
                do {
                    try scheduler.apply(bytes, index: entry.index, into: &events)
                } catch {
                    // Every node runs the same decoder on what a leader encoded: this is a bug, or damage that
                    // no checksum saw. Going on would let this replica diverge from the others.
                    preconditionFailure("entry \(entry.index) can't be applied: \(error)")
                }
            }
            absorbEvents(clock, &effects)
        }
        registerIfNeeded(&effects)
    }

    /// Between two turns a node under load nearly always has something to apply: were that not to be ready, whoever asks
    /// would take nodes out of service at random.
    mutating func noteLag() {
        let committed = max(raft.announcedCommitIndex, raft.commitIndex)
        let lag = committed - min(committed, applied)
        if lag == 0 {
            // Before a leader was heard there is nothing to compare with: a node that has just started would count as
            // caught up, and keep that while it lacks what the leader then tells of.
            if raft.leader != nil { hasCaughtUp = true }
        } else if lag > settings.maxReadyLagEntries {
            hasCaughtUp = false
        }
    }

    mutating func absorbEvents(_ clock: Clock, _ effects: inout [ReplicaEffect]) {
        feed.note(events, at: applied, in: scheduler)
        for event in events {
            occurrences.note(event, in: scheduler)
            switch event {
            case .outcome(let origin, let eventIncarnation, let sequence, let outcome):
                guard origin == id.name, eventIncarnation == incarnation else { continue }
                answer(sequence, outcome, &effects)
            case .assigned(let assignment):
                lease.assigned(assignment, at: applied)
                if Incarnation.isSession(assignment.incarnation) {
                    effects.append(.attachedWorkerChanged(assignment.worker))
                }
            case .revoked(let revoked, let revokedIncarnation, let task, let attempt):
                guard revoked == worker.id, revokedIncarnation == incarnation,
                    lease.revoked(task, attempt: attempt)
                else { continue }
                effects.append(.stop(task, attempt: attempt))
            case .taskChanged(let task, let state):
                if state.isFinal { effects.append(.finished(task, state)) }
            case .workerChanged(let changed):
                if changed == worker.id, !isRegistrationPending { isRegistering = false }
                noteSession(of: changed, clock)
                effects.append(.attachedWorkerChanged(changed))
            case .queueChanged(let name): duties?.queueChanged(name, scheduler)
            case .scheduleFired, .occurrencesPassed:
                continue
            }
        }
        events.removeAll(keepingCapacity: true)
    }

    private mutating func answer(
        _ sequence: UInt64, _ outcome: Outcome, _ effects: inout [ReplicaEffect]
    ) {
        switch requests.answer(sequence) {
        case .client(let token) where outcome == .rejected(.staleIncarnation):
            // Says something of this node, and nothing of the command: an earlier copy of it may have come in time.
            effects.append(.refused(token, .outcomeUnknown))
        case .client(let token):
            effects.append(.completed(token, outcome))
        case .registration:
            isRegistrationPending = false
            wasRegistrationAnswered = true
            if case .rejected(let reason) = outcome {
                effects.append(.workerRefused(reason))
            } else {
                isRegistering = false
            }
        case .housekeeping:
            if case .rejected(let reason) = outcome { effects.append(.workerRefused(reason)) }
        case .announcement:
            isAnnouncing = false
            areMembersUnchecked = true
        case .admission:
            isAdmitting = false
        case .abandoned, nil:
            // Nobody waits any more, or it was answered before: the request had been sent twice.
            break
        }
    }

    /// A new process is another worker. One that was away for too long was declared lost; being here, it comes back
    /// by itself.
    mutating func registerIfNeeded(_ effects: inout [ReplicaEffect]) {
        guard isMember, !isLeaving, !hasBacklog, restoring == nil, applied > 0 else { return }
        if let known = scheduler.workerStanding(worker.id) {
            if known.incarnation == incarnation {
                guard wasRegistrationAnswered else {
                    // Every start has a number of its own, so a start from another copy of the directory had this one.
                    effects.append(.workerRefused(.staleIncarnation))
                    return
                }
                guard known.state == .lost else { return }
            } else if !Incarnation.isSession(known.incarnation),
                !Incarnation.areOfOneDirectory(known.incarnation, incarnation)
            {
                // A former node of this name may be running what it was given. It ends there, or is lost once it has
                // surely stopped; to register takes it away at once.
                guard known.state == .lost || known.running == 0 else { return }
            }
        }
        register()
    }

    mutating func restored(
        _ mark: SnapshotMark, _ state: Scheduler, _ effects: inout [ReplicaEffect]
    ) {
        // A newer snapshot may have come while this one was being loaded; then only that one counts.
        guard restoring == mark else { return }
        precondition(state.appliedIndex == mark.index)
        restoring = nil
        let appliedBefore = applied
        scheduler = state
        feed.skip(to: mark.index)
        // Outcomes in the entries that were skipped are remembered in the state.
        for sequence in requests.sentSequences {
            let outcome = scheduler.rememberedOutcome(
                origin: id.name, incarnation: incarnation, sequence: sequence)
            if let outcome { answer(sequence, outcome, &effects) }
        }
        requests.markAllUnsent()
        let current = scheduler.runningAttempts(worker: worker.id, incarnation: incarnation)
        for (task, attempt) in lease.reconcile(with: current, appliedBefore: appliedBefore) {
            effects.append(.stop(task, attempt: attempt))
        }
        effects.append(.stateReplaced)
        noteMembersChanged()
        if !isRegistrationPending { isRegistering = false }
        registerIfNeeded(&effects)
    }

    /// The file of the newest snapshot is damaged or gone, and not written anew yet.
    public var isSnapshotLost: Bool { lostSnapshot == raft.snapshotMark }

    /// Somebody waits for a snapshot, or the log, which can't be cut before, is as long as it should never be, or has
    /// grown since it was begun by what one is taken for.
    private mutating func noteHaste() {
        let maxBytes = min(snapshotBegunLogBytes + settings.snapshotLogBytes, floodLogBytes)
        isSnapshotPressing =
            raft.snapshotMark.index < snapshotFloor || isSnapshotLost
            || raft.coverableLogBytes > maxBytes
    }

    /// How long the log may grow while snapshots rest. Within that time a state is written again for no less log than it has
    /// bytes itself.
    private var floodLogBytes: Int {
        max(settings.hastySnapshotFactor * settings.snapshotLogBytes, snapshotBytes)
    }

    /// A lost file is written anew at once, also where nothing was applied since: what it held is in memory, and after
    /// a restart nowhere on this node.
    mutating func takeSnapshotIfDue(_ clock: Clock, _ effects: inout [ReplicaEffect]) {
        noteHaste()
        let isWanted = raft.snapshotMark.index < snapshotFloor && applied >= snapshotFloor
        let hasRested =
            clock.monotonic >= snapshotEndedAt + settings.snapshotRestNanoseconds
        let maxBytes = hasRested ? settings.snapshotLogBytes : floodLogBytes
        let isDue =
            applied > raft.snapshotMark.index
            && (raft.coverableLogBytes > maxBytes || isWanted)
        guard snapshotUnderWay == nil, restoring == nil, raft.appliableIndex > 0,
            isDue || isSnapshotLost && applied >= raft.snapshotMark.index
        else { return }
        let mark = raft.mark(at: applied)
        snapshotUnderWay = mark
        snapshotBegunLogBytes = raft.coverableLogBytes
        effects.append(.writeSnapshot(mark, scheduler.snapshotCopy()))
    }
}
