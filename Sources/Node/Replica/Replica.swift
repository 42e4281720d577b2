import Raft
import Scheduler

/// One node's copy of the cluster's state: Raft and the scheduler joined, with the requests and reads that
/// wait for them, and both sides of worker liveness.
///
/// Pure: driven by `step` and `finishTurn`, answers with effects, reads no clock and no disk. The host calls
/// `step` for each thing that happens and `finishTurn` once when it has nothing more at hand, performs the
/// effects in their order, and comes back at `nextDeadline`, or at once while `hasBacklog`.
public struct Replica {
    public let id: NodeID
    public let incarnation: UInt64
    public let settings: ReplicaSettings
    public internal(set) var raft: Raft
    public internal(set) var scheduler: Scheduler
    /// Wall clock differences to peers, theirs minus ours, as seen in beats.
    public internal(set) var skewMilliseconds: [NodeID: Milliseconds] = [:]
    public internal(set) var isDraining = false
    /// Rises whenever the members, the wish for others or what nodes say of themselves may have changed, and when a
    /// change is done.
    public internal(set) var membersRevision: UInt64 = 0

    /// What was applied lately, event by event.
    public internal(set) var feed: EventFeed

    public internal(set) var occurrences = OccurrenceStatistics()

    let worker: WorkerSpec
    var planner: OccurrencePlanner
    var requests: PendingRequests
    var reads: PendingReads
    var lease: WorkerLease
    var beats = PendingBeats()
    var duties: LeaderDuties?
    /// What was committed when the last `finishTurn` ended: its messages told the others of that.
    var toldCommitIndex: Index = 0
    /// An entry waits to be applied until the others have been told of it: the host sends its messages before it calls
    /// `finishTurn` again.
    public internal(set) var holdsAdvance = false
    var gathered: [CommandGroup] = []
    var gatheredBytes = 0
    /// Until when what is gathered may wait for company; `.max`: nothing waits.
    var companyDeadline = Nanoseconds.max
    var snapshotUnderWay: SnapshotMark?
    /// How much log was behind the one before it.
    var snapshotBegunLogBytes = 0
    var snapshotEndedAt: Nanoseconds = 0
    /// Of the last one that this process has written.
    var snapshotBytes = 0
    /// As of the last turn's end: a snapshot is not to be written at leisure. Stored, like all that the host looks at in
    /// every turn: to call a function of a struct that an object holds copies the struct, unless it may change it.
    public internal(set) var isSnapshotPressing = false
    /// A member with a damaged disk, or a backup, needs a snapshot at or behind this index.
    var snapshotFloor: Index = 0
    /// Its file was found damaged or gone.
    var lostSnapshot: SnapshotMark?
    var restoring: SnapshotMark?
    /// Registration was asked for, and nothing has changed since that would be a reason to ask again.
    var isRegistering = false
    /// Its outcome is not known yet. A second one beside it could come to be applied much later, after the worker, with
    /// what it was assigned behind the first, was declared lost; and would have it kept going while this node has not
    /// read of that loss.
    var isRegistrationPending = false
    /// In this run. Its outcome is applied with the registration, so until then nobody has this run's incarnation.
    var wasRegistrationAnswered = false
    var acquaintances = Acquaintances()
    var nextFounding: Nanoseconds = 0
    var nextKnock: Nanoseconds = 0
    var nextAnnouncement: Nanoseconds = 0
    var nextMemberCheck: Nanoseconds = 0
    /// What the last check of the members saw.
    var seenRoster: UInt64 = 0
    var seenConfiguration: Configuration
    /// Had once applied everything that is committed, and has not fallen far behind since.
    var hasCaughtUp = false
    var isChangeSeen = false
    var areMembersUnchecked = true
    var areMemberCommandsDue = false
    /// Asked for, and the outcome is not applied yet.
    var isAnnouncing = false
    var isAdmitting = false
    var raftEffects: [Effect] = []
    var events: [Event] = []

    /// - Parameters:
    ///   - worker: the node's own worker; without slots it is not registered.
    ///   - state: loaded from the snapshot at `recovered.snapshot`; empty if that is lost.
    public init(
        id: NodeID, incarnation: UInt64, settings: ReplicaSettings, worker: WorkerSpec,
        recovered: Recovered, state: Scheduler, planner: OccurrencePlanner, clock: Clock,
        seed: UInt64
    ) {
        precondition(
            recovered.isStateLost
                ? state.appliedIndex == 0
                : state.appliedIndex == recovered.snapshot.index)
        self.id = id
        self.incarnation = incarnation
        self.settings = settings
        self.worker = worker
        self.planner = planner
        raft = Raft(
            id: id, settings: settings.raft, recovered: recovered, now: clock.monotonic, seed: seed)
        scheduler = state
        seenConfiguration = raft.configuration
        feed = EventFeed(capacity: settings.maxFeedRecords, applied: state.appliedIndex)
        requests = PendingRequests(
            origin: id.name, incarnation: incarnation,
            firstSequence: PendingRequests.firstSequence(at: clock.wall))
        reads = PendingReads(incarnation: incarnation)
        lease = WorkerLease(id: worker.id, incarnation: incarnation)
    }

    public var applied: Index { scheduler.appliedIndex }

    /// When the worker's last beat arrived, on the monotonic clock; nil unless this node leads and heard it.
    public func lastHeard(worker: String) -> Nanoseconds? { duties?.lastHeard[worker] }

    /// The time by which the leader tells what is due, as far as this node knows it: its own clock may be far off,
    /// and a schedule whose next instant was computed by that would begin too late.
    public func clusterTime(at clock: Clock) -> Milliseconds {
        if let duties { return duties.time(at: clock.monotonic) }
        let skew = raft.leader.flatMap { skewMilliseconds[$0] } ?? 0
        return max(clock.wall + skew, scheduler.time)
    }

    public var pendingRequestCount: Int { requests.count }

    /// More committed entries wait to be applied than one turn may take.
    public var hasBacklog: Bool {
        restoring == nil && raft.appliableIndex > applied && unsupportedStateVersion == nil
    }

    /// Is a member, knows a leader, and has caught up with it.
    public var isReady: Bool {
        isMember && raft.leader != nil && hasCaughtUp && restoring == nil && applied > 0
    }

    /// Nothing runs here any more, and nothing new will be assigned.
    public var isDrained: Bool {
        guard isDraining, lease.isIdle else { return false }
        guard isRegistered, let own = scheduler.workerStanding(worker.id) else {
            return !isRegistering
        }
        return own.state != .live && own.running == 0
    }

    /// `nextDeadline`, for the host's every turn. Changes nothing, but see `isSnapshotPressing`.
    mutating func turnsDeadline(now: Nanoseconds) -> Nanoseconds { nextDeadline(now: now) }

    public func nextDeadline(now: Nanoseconds) -> Nanoseconds {
        if hasBacklog { return now }
        var deadline = min(raft.nextDeadline, companyDeadline)
        if let time = requests.resendTime(after: settings.resendNanoseconds) {
            deadline = min(deadline, time)
        }
        // What waits for a leader is due when there is one: a deadline in the past would keep the loop spinning.
        if raft.leader != nil, let time = reads.nextDeadline { deadline = min(deadline, time) }
        if raft.leader != nil, let time = beats.nextDeadline { deadline = min(deadline, time) }
        if let duties, raft.acceptsProposals {
            deadline = min(
                deadline,
                duties.nextDeadline(nextWake: duties.nextWake(scheduler), applied: applied))
        }
        return min(deadline, lease.nextDeadline(), memberDeadline)
    }

    // MARK: Inputs

    public mutating func step(
        _ input: ReplicaInput, clock: Clock, into effects: inout [ReplicaEffect]
    ) {
        switch input {
        case .tick:
            stepRaft(.tick, clock, &effects)
        case .peer(let sender, let message):
            receive(message, from: sender, clock, &effects)
        case .peerConnected(let peer):
            peerConnected(peer, &effects)
        case .peerGone(let peer):
            acquaintances.gone(peer)
            stepRaft(.peerLost(peer), clock, &effects)
        case .durable(let ticket):
            stepRaft(.durable(ticket), clock, &effects)
        case .request(let token, let command):
            accept(command, token: token, &effects)
        case .abandonRequest(let token):
            if let wasSent = requests.abandon(token) {
                effects.append(.refused(token, wasSent ? .outcomeUnknown : .noLeader))
            }
        case .read(let token):
            reads.add(token)
        case .abandonRead(let token):
            reads.abandon(token)
        case .workerBeat(let token, let worker, let session):
            beats.add(token, PeerMessage.Attendance.Worker(id: worker, session: session))
        case .abandonWorkerBeat(let token):
            beats.remove(token)
        case .attemptEnded(let task, let attempt):
            lease.ended(task, attempt: attempt)
        case .transferLeadership(let target):
            if let leader = raft.leader, leader != id {
                effects.append(.send(.transfer(to: target), to: leader))
            } else {
                stepRaft(.transferLeadership(to: target), clock, &effects)
            }
        case .drain:
            drain()
        case .snapshotWritten(let mark, let bytes):
            precondition(snapshotUnderWay == mark)
            snapshotUnderWay = nil
            snapshotBytes = bytes
            snapshotEndedAt = clock.monotonic
            // Perhaps it is the lost one, written anew.
            lostSnapshot = nil
            stepRaft(.snapshotTaken(mark), clock, &effects)
        case .takeSnapshot(let index):
            snapshotFloor = max(snapshotFloor, index)
        case .snapshotDamaged(let mark):
            if mark == raft.snapshotMark { lostSnapshot = mark }
        case .snapshotChunkRead(let target, let mark, let offset, let bytes, let totalBytes):
            stepRaft(
                .snapshotChunkRead(
                    to: target, mark: mark, offset: offset, bytes: bytes, totalBytes: totalBytes),
                clock, &effects)
        case .snapshotChunkStored(let mark, let nextOffset, let isComplete):
            stepRaft(
                .snapshotChunkStored(mark: mark, nextOffset: nextOffset, isComplete: isComplete),
                clock, &effects)
        case .restored(let mark, let state):
            restored(mark, state, &effects)
        }
    }

    /// Ends a turn: applies what was committed, proposes or forwards what was gathered, and lets Raft write
    /// and send. Everything of one turn travels together, so batches form by themselves under load.
    public mutating func finishTurn(clock: Clock, into effects: inout [ReplicaEffect]) {
        applyCommitted(clock, &effects)
        noteLag()
        duties?.catchUp(with: scheduler.time, at: clock.monotonic)
        performWorkerDuties(clock, &effects)
        performAttendance(clock, &effects)
        performMemberDuties(clock, &effects)
        startReads(clock, &effects)
        sendRequests(clock, &effects)
        performLeaderDuties(clock, &effects)
        propose(clock, &effects)
        raft.finishTurn(now: clock.monotonic, into: &raftEffects)
        absorbRaftEffects(clock, &effects)
        toldCommitIndex = raft.commitIndex
        for token in reads.takeReady(applied: applied) { effects.append(.readReady(token)) }
        takeSnapshotIfDue(clock, &effects)
    }

    // MARK: Requests

    mutating func accept(
        _ command: Command, token: Token, _ effects: inout [ReplicaEffect]
    ) {
        let bytes = command.encoded()
        guard
            command.isFinish
                || requests.count < settings.maxPendingRequests
                    && requests.bytes + bytes.count <= settings.maxPendingBytes
        else {
            effects.append(.refused(token, .overloaded))
            return
        }
        requests.add(.client(token), command: bytes)
    }

    mutating func register() {
        guard worker.slots > 0, !isRegistering, !isDraining else { return }
        isRegistering = true
        isRegistrationPending = true
        requests.add(.registration, command: Command.registerWorker(worker).encoded())
    }

    private var isRegistered: Bool {
        scheduler.workerStanding(worker.id)?.incarnation == incarnation
    }

    mutating func drain() {
        guard !isDraining else { return }
        isDraining = true
        // A newcomer may still be waiting for what a former node of its name runs: then there is nothing to drain.
        guard worker.slots > 0, isRegistering || isRegistered else { return }
        requests.add(
            .housekeeping,
            command: Command.drainWorker(id: worker.id, incarnation: incarnation).encoded())
    }

    mutating func sendRequests(_ clock: Clock, _ effects: inout [ReplicaEffect]) {
        if let time = requests.resendTime(after: settings.resendNanoseconds),
            time <= clock.monotonic
        {
            requests.resendAll()
        }
        guard requests.hasUnsent, let leader = raft.leader else { return }
        if leader == id {
            while raft.acceptsProposals, gatheredBytes < settings.raft.maxUncommittedBytes,
                let group = requests.nextGroup(
                    maxBytes: settings.maxEntryBytes, now: clock.monotonic)
            {
                gather(group)
            }
        } else {
            while let group = requests.nextGroup(
                maxBytes: settings.maxForwardBytes, now: clock.monotonic)
            {
                effects.append(.send(.forward(group), to: leader))
            }
        }
    }
}

extension Command {
    /// The end of an attempt is never refused for want of room: there are no more of them than slots, and one
    /// that got lost would leave its attempt running until the log ends it.
    fileprivate var isFinish: Bool {
        if case .finish = self { return true }
        return false
    }
}
