/// The consensus core: a value that turns inputs into effects. It reads no clock, opens no socket or file
/// and holds no thread; time, randomness and the order of events come from outside, so that a run can be
/// repeated exactly (Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm", 2014;
/// Ongaro's dissertation, 2014).
///
/// One turn of the loop is any number of `step` and then one `finishTurn`, with the effects carried out in
/// order. `finishTurn` makes one batch for storage of everything that changed in the turn, and the appends
/// for the peers, so that batches form by themselves under load.
///
/// What the caller has to keep:
/// - Each batch is carried out whole, in the order of tickets, and `.durable` is told only after its sync.
/// - A failed write or sync is never told at all; the process ends instead.
/// - `now` never falls.
/// - Entries are applied in order up to `appliableIndex`; after `.restore` from behind its mark.
///
/// What the core keeps: no message leaves before what it promises is on disk (`Durability`), so `.send` may
/// be carried out at once, or lost.
public struct Raft: Sendable {
    /// Who this node is; the same for as long as its data directory lives.
    public let id: NodeID
    /// Timing and limits, the same on all members.
    public let settings: Settings

    /// What this node does at the moment (section 5.1, figure 4).
    public internal(set) var role = Role.follower
    /// The leader of `term`, if it was heard of: itself, or whoever sent an append. May be deposed already.
    public internal(set) var leader: NodeID?
    /// Known to be committed; not necessarily durable here (see `appliableIndex`).
    public internal(set) var commitIndex: Index
    /// The furthest that a leader said is committed, which may lie behind what has come of it: a node that has just
    /// started learns here how much it lacks.
    public internal(set) var announcedCommitIndex: Index

    var hardState: HardState
    var log: Log
    var durability: Durability
    var reads: Reads
    var random: RandomSource
    var clock: Nanoseconds

    /// When the leader was last heard. While that is recent the node helps nobody to depose it.
    var leaderContact: Nanoseconds = 0
    /// Drawn anew with each change of role, for each leader, and with each campaign.
    var electionTimeout: Nanoseconds = 0
    var electionDeadline: Nanoseconds = 0
    /// The log equals the log of this term's leader up to here.
    var verifiedIndex: Index
    /// A reply that the end of the turn owes the leader.
    var pendingReply: PendingReply?
    var incoming: IncomingSnapshot?
    /// A received snapshot, to be loaded once the log durably starts behind it.
    var pendingRestore: PendingRestore?
    /// What is damaged on this node's disk; nil when all is well.
    var damage: Damage?
    /// The state at the snapshot is damaged: nothing can be applied before the leader has sent one.
    var isStateLost: Bool
    /// Not 0: only a snapshot at or behind this index makes up for the damage.
    var snapshotFloor: Index = 0
    var campaign: Campaign?
    /// Not nil exactly while `role` is `.leader`.
    var leadership: Leadership?

    /// - Parameters:
    ///   - recovered: what storage found, already synced.
    ///   - seed: different on every node and in every run, or elections tie and stale replies fit.
    public init(
        id: NodeID, settings: Settings, recovered: Recovered, now: Nanoseconds, seed: UInt64
    ) {
        precondition(settings.heartbeatNanoseconds > 0)
        precondition(settings.electionNanoseconds > settings.heartbeatNanoseconds)
        precondition(settings.maxClockDriftPPM < 1_000_000)
        self.id = id
        self.settings = settings
        hardState = recovered.hardState
        log = Log(recovered)
        precondition(hardState.term >= log.lastTerm, "the log is ahead of the term")
        commitIndex = recovered.snapshot.index
        announcedCommitIndex = recovered.snapshot.index
        verifiedIndex = recovered.snapshot.index
        damage = Damage(recovered.entries)
        isStateLost = recovered.isStateLost
        if isStateLost { snapshotFloor = max(1, recovered.snapshot.index) }
        durability = Durability(lastIndex: log.lastIndex)
        random = RandomSource(seed: seed)
        reads = Reads(
            firstWireID: random.next(), leastPatience: settings.electionNanoseconds)
        clock = now
        // As if it had just heard a leader: whoever was promised a lease before the restart still has it.
        if settings.leaseReads { leaderContact = now }
        drawElectionDeadline()
        // Nobody to wait for; except, under leases, a leader that makes this node the only voter: before the crash
        // it may have been promised that nobody leads yet.
        if configuration.voters == [id], !configuration.isJoint, !settings.leaseReads {
            electionDeadline = now
        }
    }

    /// Takes in one event. Effects are appended.
    public mutating func step(_ input: Input, now: Nanoseconds, into effects: inout [Effect]) {
        let before = Standing(self)
        clock = max(clock, now)
        switch input {
        case .tick: tick(into: &effects)
        case .receive(let message): receive(message, into: &effects)
        case .propose(let command): propose(command)
        case .durable(let ticket): finishBatch(ticket, into: &effects)
        case .read(let read): beginRead(.local(read), into: &effects)
        case .transferLeadership(let target): beginTransfer(to: target)
        case .found(let founders): found(founders, into: &effects)
        case .changeMembership(let voters): changeMembership(to: voters)
        case .peerLost(let peer): losePeer(peer, into: &effects)
        case .snapshotTaken(let mark): compact(to: mark)
        case .snapshotChunkRead(let peer, let mark, let offset, let bytes, let totalBytes):
            sendChunk(
                to: peer, mark: mark, offset: offset, bytes: bytes, totalBytes: totalBytes,
                into: &effects)
        case .snapshotChunkStored(let mark, let nextOffset, let isComplete):
            finishChunk(
                mark: mark, nextOffset: nextOffset, isComplete: isComplete, into: &effects)
        }
        let after = Standing(self)
        checkDelta(from: before, to: after)
        if after.isOtherLeadership(than: before) { effects.append(.leadershipChanged) }
    }

    /// Ends a turn: the appends for the peers, the turn's one batch for storage, the replies. The leader's
    /// entries stand before its own batch, because its disk works in parallel with the peers'.
    public mutating func finishTurn(now: Nanoseconds, into effects: inout [Effect]) {
        clock = max(clock, now)
        if role == .leader {
            continueMembershipChange()
            replicate(into: &effects)
        }
        if let batch = durability.takeBatch(log: log, hardState: hardState, now: clock) {
            effects.append(.persist(batch))
        }
        if role != .leader {
            replyToLeader(into: &effects)
            forwardReads(into: &effects)
        }
        log.releaseSome(
            maxEntries: Self.maxReleasedEntriesPerTurn, maxBytes: Self.maxReleasedBytesPerTurn)
        checkBasic()
    }

    /// Bound the time one turn spends on freeing compacted entries. 60 MB in large entries at once took 35 ms.
    static let maxReleasedEntriesPerTurn = 4096
    static let maxReleasedBytesPerTurn = 4 << 20

    /// Entries that one turn sends to one peer; the next turn, which is due at once, goes on. One append may exceed it.
    static let maxSentBytesPerTurn = 256 << 10

    /// When `.tick` is due.
    public var nextDeadline: Nanoseconds {
        if let leadership {
            if leadership.hasMoreToSend { return clock }
            let transfer = leadership.transfer?.deadline ?? .max
            return min(leadership.heartbeatDeadline, transfer)
        }
        return min(
            electionDeadline, reads.firstDeadline ?? .max, damage?.nextRequestAt ?? .max)
    }

    private mutating func tick(into effects: inout [Effect]) {
        if role == .leader {
            tickLeader(into: &effects)
            return
        }
        for read in reads.expireForwarded(now: clock) { effects.append(.readFailed(read)) }
        requestRepair(into: &effects)
        if clock >= electionDeadline { startCampaign(.preVote, into: &effects) }
    }

    private mutating func receive(_ message: Message, into effects: inout [Effect]) {
        guard message.to == id, message.from != id else { return }
        guard !isOfOtherHistory(message.body) else {
            return declineOtherHistory(message, into: &effects)
        }
        switch message.body {
        case .preVoteRequest(let request):
            answerPreVote(request, of: message.from, term: message.term, into: &effects)
            return
        case .preVoteReply(let granted):
            countPreVote(granted, of: message.from, term: message.term, into: &effects)
            return
        case .repairRequest(let request):
            answerRepair(request, of: message.from, into: &effects)
            return
        case .repairReply(let reply):
            finishRepair(reply)
            return
        case .voteRequest(let request) where message.term > term && !request.isTransfer && isSticky:
            // The term stays, too: otherwise a node that hears only half of the cluster could depose
            // the leader again and again.
            return
        default: break
        }
        if message.term < term {
            answerStale(message, into: &effects)
            return
        }
        if message.term > term { becomeFollower(term: message.term, into: &effects) }
        receiveInTerm(message, into: &effects)
    }

    private mutating func receiveInTerm(_ message: Message, into effects: inout [Effect]) {
        let from = message.from
        switch message.body {
        case .preVoteRequest, .preVoteReply, .repairRequest, .repairReply:
            preconditionFailure("handled before")
        case .voteRequest(let request): answerVote(request, of: from, into: &effects)
        case .voteReply(let granted): countVote(granted, of: from, into: &effects)
        case .append(let append): receive(append, from: from, into: &effects)
        case .appendReply(let reply): receive(reply, from: from, into: &effects)
        case .snapshotChunk(let chunk): receive(chunk, from: from, into: &effects)
        case .snapshotReply(let reply): receive(reply, from: from, into: &effects)
        case .timeoutNow: if from == leader { startCampaign(.transfer, into: &effects) }
        case .readRequest(let read): beginRead(.remote(from, read), into: &effects)
        case .readReply(let read, let index): finishForwarded(read, at: index, into: &effects)
        }
    }

    /// A message of an earlier term. Its sender learns the new one; without that, a node whose term ran
    /// ahead while it was cut off could never be led again.
    private mutating func answerStale(_ message: Message, into effects: inout [Effect]) {
        switch message.body {
        case .append, .snapshotChunk:
            let reply = Message.AppendReply(round: 0, outcome: .received)
            send(.appendReply(reply), to: message.from, into: &effects)
        case .voteRequest:
            send(.voteReply(granted: false), to: message.from, into: &effects)
        case .readRequest(let read):
            send(.readReply(read, nil), to: message.from, into: &effects)
        default: break
        }
    }

    private mutating func finishBatch(_ ticket: Ticket, into effects: inout [Effect]) {
        guard durability.complete(ticket) else { return }
        if let restore = pendingRestore, restore.ticket <= ticket {
            pendingRestore = nil
            effects.append(.restore(restore.mark))
        }
        durability.releaseHeld(into: &effects)
        if role == .leader { advanceCommit() }
        if let own = campaign?.selfVoteTicket, own <= ticket {
            countVote(true, of: id, into: &effects)
        }
    }

    /// Sends as soon as the term, and what else the message promises, is on disk.
    ///
    /// - Parameters:
    ///   - term: another term than the current one.
    ///   - ticket: what the message promises besides.
    mutating func send(
        _ body: Message.Body, to peer: NodeID, term messageTerm: Term? = nil,
        behind ticket: Ticket = 0, into effects: inout [Effect]
    ) {
        let message = Message(from: id, to: peer, term: messageTerm ?? term, body: body)
        let needed = max(ticket, durability.hardStateTicket)
        if needed <= durability.durableTicket {
            effects.append(.send(message))
        } else {
            durability.hold(message, until: needed)
        }
    }
}
