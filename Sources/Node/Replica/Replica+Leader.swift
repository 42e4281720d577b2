import Raft
import Scheduler

/// What this node does while it leads.
extension Replica {
    mutating func gather(_ group: CommandGroup) {
        gathered.append(group)
        gatheredBytes += group.encodedBytes
    }

    mutating func performLeaderDuties(_ clock: Clock, _ effects: inout [ReplicaEffect]) {
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
        appendAdvance(to: &group, at: now, &effects)
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

    /// How many schedules that are due, or that are made up for, this node leads without being able to compute their times.
    public var passedOverScheduleCount: Int { duties?.passedOver.count ?? 0 }

    private mutating func appendAdvance(
        to group: inout CommandGroup, at now: Nanoseconds, _ effects: inout [ReplicaEffect]
    ) {
        let applied = applied
        duties?.tryPassedOver(now: now)
        duties?.lookAtSchedules(scheduler, applied: applied, now: now)
        let wake = duties?.nextWake(scheduler)
        guard let time = duties?.advanceTime(nextWake: wake, applied: applied, now: now),
            let passedOver = duties?.passedOver
        else { return }
        let due = scheduler.dueSchedules(
            at: time, limit: settings.maxFiringsPerAdvance, passingOver: passedOver)
        let plan = planner.plan(due, at: time, settings: settings)
        var unresolved = plan.unresolved
        // A few portions for each entry: other work goes on beside them.
        let backfills = scheduler.dueBackfills(
            limit: settings.maxBackfillsPerAdvance, passingOver: passedOver)
        var portions: [BackfillPortion] = []
        for backfill in backfills {
            if let portion = planner.portion(of: backfill) {
                portions.append(portion)
            } else {
                unresolved.append(backfill.schedule)
            }
        }
        for schedule in duties?.passOver(unresolved, now: now) ?? [] {
            effects.append(.schedulePassedOver(schedule.name, zone: schedule.zone))
        }
        // Those may have been all that was due.
        duties?.lookAtSchedules(scheduler, applied: applied, now: now)
        let isDue = duties?.nextWake(scheduler).map { $0 <= time } ?? false
        guard unresolved.isEmpty || isDue else { return }
        group.append(sequence: 0, command: Command.advance(plan.firings).encoded())
        for portion in portions {
            group.append(sequence: 0, command: Command.fillBack(portion).encoded())
        }
        duties?.advanceProposed(at: raft.lastIndex + 1)
    }

    /// Requests wait for company while an entry is on its way, but not for long: each entry is a write on every disk and a
    /// message to every node, whatever its size, and with many clients there would be one for every few of them. With
    /// none on its way nothing waits. What the leader itself has to say goes at once, with the rest: it noted at which
    /// index that will stand.
    private mutating func waitsForCompany(_ now: Nanoseconds) -> Bool {
        guard duties != nil, raft.lastIndex > raft.commitIndex, !gathered[0].origin.isEmpty,
            gatheredBytes < settings.companyBytes
        else { return false }
        if companyDeadline == .max { companyDeadline = now + settings.companyNanoseconds }
        return now < companyDeadline
    }

    mutating func propose(_ clock: Clock, _ effects: inout [ReplicaEffect]) {
        guard !gathered.isEmpty, !waitsForCompany(clock.monotonic) else { return }
        defer {
            gathered.removeAll(keepingCapacity: true)
            gatheredBytes = 0
            companyDeadline = .max
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
