import Raft
import Scheduler

/// What this node does while it leads.
extension Replica {
    mutating func gather(_ group: CommandGroup) {
        gathered.append(group)
        gatheredBytes += group.encodedBytes
    }

    mutating func performLeaderDuties(_ clock: Clock) {
        guard duties != nil, raft.acceptsProposals else { return }
        let now = clock.monotonic
        let applied = applied
        var group = CommandGroup(origin: "", incarnation: 0, acknowledgedBelow: 0)
        let lost = duties?.lostWorkers(
            scheduler, own: worker, applied: applied,
            timeout: settings.workerTimeoutNanoseconds, now: now)
        for worker in lost ?? [] {
            let command = Command.workerLost(id: worker.id, incarnation: worker.incarnation)
            group.append(sequence: 0, command: command.encoded())
            duties?.lossProposed(of: worker.id, at: raft.lastIndex + 1)
        }
        let time = duties?.advanceTime(nextWake: scheduler.nextWake, applied: applied, now: now)
        if let time {
            let due = scheduler.dueSchedules(at: time, limit: settings.maxFiringsPerAdvance)
            let plan = planner.plan(due, at: time, settings: settings)
            if !plan.unresolved.isEmpty { duties?.holdAdvance(until: now + 100_000_000) }
            group.append(sequence: 0, command: Command.advance(plan.firings).encoded())
            appendBackfills(to: &group, at: now)
            duties?.advanceProposed(at: raft.lastIndex + 1)
        }
        appendMemberCommands(to: &group, at: now)
        let retention = duties?.changed(settings.retention, scheduler, applied: applied)
        if let retention = retention ?? nil {
            group.append(sequence: 0, command: Command.setRetention(retention).encoded())
        }
        let queues = duties?.undeclared(settings.initialQueues, scheduler, applied: applied)
        for queue in queues ?? [] {
            let command = Command.putQueue(
                name: queue.name, queue.spec, paused: queue.isPaused, isInitial: true)
            group.append(sequence: 0, command: command.encoded())
        }
        // First, so that the indices noted above are those of the turn's first entry.
        guard !group.isEmpty else { return }
        gathered.insert(group, at: 0)
        gatheredBytes += group.encodedBytes
    }

    /// A few portions for each entry: other work goes on beside them.
    private mutating func appendBackfills(to group: inout CommandGroup, at now: Nanoseconds) {
        for backfill in scheduler.dueBackfills(limit: settings.maxBackfillsPerAdvance) {
            guard let portion = planner.portion(of: backfill) else {
                duties?.holdAdvance(until: now + 100_000_000)
                continue
            }
            group.append(sequence: 0, command: Command.fillBack(portion).encoded())
        }
    }

    mutating func propose(_ clock: Clock, _ effects: inout [ReplicaEffect]) {
        guard !gathered.isEmpty else { return }
        defer {
            gathered.removeAll(keepingCapacity: true)
            gatheredBytes = 0
        }
        // What can't be proposed now is dropped: its origin sends it again.
        guard let duties else { return }
        var entry = EntryPayload(time: duties.time(at: clock.monotonic), groups: [])
        var bytes = 0
        for group in gathered {
            if bytes > 0, bytes + group.encodedBytes > settings.maxEntryBytes {
                guard raft.acceptsProposals else { return }
                stepRaft(.propose(entry.encoded()), clock, &effects)
                entry.groups.removeAll(keepingCapacity: true)
                bytes = 0
            }
            entry.groups.append(group)
            bytes += group.encodedBytes
        }
        guard raft.acceptsProposals else { return }
        stepRaft(.propose(entry.encoded()), clock, &effects)
    }

    mutating func leadershipChanged(_ clock: Clock) {
        areMembersUnchecked = true
        requests.markAllUnsent()
        reads.leaderChanged()
        lease.beatAtOnce()
        beats.markAllUnsent()
        if raft.role == .leader {
            guard duties?.term != raft.term else { return }
            duties = LeaderDuties(
                term: raft.term, readyIndex: raft.lastIndex, clock: clock, stateTime: scheduler.time
            )
        } else {
            duties = nil
        }
    }
}
