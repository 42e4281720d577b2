/// Leading: proposals, replication, commit, and knowing when to stop.
extension Raft {
    mutating func becomeLeader() {
        guard let campaign else { preconditionFailure("elected without standing") }
        precondition(role == .candidate && durability.isHardStateDurable)
        role = .leader
        leader = id
        self.campaign = nil
        // Entries of earlier terms can commit only behind one of this term (section 5.4.2).
        let opening: Entry.Payload =
            campaign.founders.isEmpty
            ? .noop : .configuration(Configuration(voters: campaign.founders))
        log.append(Entry(index: log.lastIndex + 1, term: term, payload: opening))
        let peers = configuration.members.filter { $0 != id }.map { member in
            Progress(
                id: member, next: log.lastIndex,
                provenAt: campaign.vote(of: member) == true ? campaign.startedAt : 0, now: clock)
        }
        leadership = Leadership(
            peers: peers, now: clock, termStartIndex: log.lastIndex, settings: settings)
    }

    mutating func propose(_ command: [UInt8]) {
        precondition(acceptsProposals, "a proposal while none are accepted")
        log.append(Entry(index: log.lastIndex + 1, term: term, payload: .command(command)))
    }

    mutating func tickLeader(into effects: inout [Effect]) {
        guard let leading = leadership else { return }
        if let transfer = leading.transfer, clock >= transfer.deadline {
            leadership?.transfer = nil
            if hasLeft {
                // Nobody took over: the others elect somebody by themselves once this one is silent.
                becomeFollower(term: term, into: &effects)
                return
            }
        }
        guard clock >= leading.heartbeatDeadline else { return }
        // CheckQuorum: a leader that no majority answers steps down, so that its clients look elsewhere.
        // One whose disk is stuck still answers heartbeats, and nobody else would notice.
        if isUnheard(leading) || isDiskStalled {
            becomeFollower(term: term, into: &effects)
            return
        }
        leadership?.isHeartbeatDue = true
        leadership?.heartbeatDeadline = clock + settings.heartbeatNanoseconds
        for position in leading.peers.indices {
            reviveOrRest(leading.peers[position], at: position, into: &effects)
        }
    }

    /// Answers count when they come, however old the question is: where the way there and back takes an election timeout
    /// the followers are content, and a leader that left them would be elected again and again. The first answer takes
    /// that way and a disk besides.
    private func isUnheard(_ leading: Leadership) -> Bool {
        let patience = settings.electionNanoseconds
        let heardAt = Quorum.reached(configuration) { voter in
            if voter == id { return clock }
            guard let position = leading.position(of: voter) else { return 0 }
            let peer = leading.peers[position]
            return peer.ackedRound == 0 ? peer.heardAt + patience : peer.heardAt
        }
        return clock >= heardAt + patience
    }

    /// With every heartbeat: a silent peer gets only heartbeats, a stuck snapshot another try.
    private mutating func reviveOrRest(
        _ peer: Progress, at position: Int, into effects: inout [Effect]
    ) {
        let isSilent = clock >= peer.heardAt + settings.electionNanoseconds
        switch peer.state {
        case .probe, .snapshot: break
        case .replicate:
            // What it has not acknowledged may be lost, and once those entries are compacted away no heartbeat
            // can stand on them to find that out.
            if isSilent || log.term(at: peer.next - 1) == nil { stopStreaming(to: position) }
        }
        guard let transfer = peer.snapshotTransfer, !isSilent,
            clock >= transfer.since + settings.electionNanoseconds
        else { return }
        // While nothing that was sent later has been answered, a piece may be on its way through a slow link, behind
        // entries: to repeat it would make the link slower still.
        if transfer.step == .reading || peer.ackedRound > transfer.round {
            retry(transfer, to: position, into: &effects)
        }
    }

    /// What was in flight is forgotten, so that a dead peer's window does not stay full.
    mutating func stopStreaming(to position: Int) {
        guard let round = leadership?.round, leadership?.peers[position].state == .replicate else {
            return
        }
        leadership?.peers[position].becomeProbe(waiting: true, round: round + 1)
    }

    // MARK: - Sending

    mutating func replicate(into effects: inout [Effect]) {
        // Only single fields are taken out of `leadership` here: a copy of the whole would make each
        // change below copy the peers.
        guard let termStartIndex = leadership?.termStartIndex, let count = leadership?.peers.count,
            let isHeartbeat = leadership?.isHeartbeatDue
        else { return }
        if hasLease { answerGatheredReads(into: &effects) }
        let beginsReads = !reads.gathered.isEmpty && commitIndex >= termStartIndex
        // A round of its own, that all messages sent below are later than.
        if beginsReads { reads.beginRound(index: commitIndex, round: beginRound()) }
        leadership?.hasMoreToSend = false
        if isHeartbeat, let since = leadership?.heartbeatIndex {
            leadership?.noteHeartbeat(
                lastIndex: log.lastIndex, appendedBytes: log.bytes(behind: since),
                settings: settings)
        }
        for position in 0..<count {
            replicate(
                to: position, isHeartbeat: isHeartbeat,
                wantsRound: beginsReads && isReachableVoter(position), into: &effects)
        }
        leadership?.isHeartbeatDue = false
        // Alone in the cluster, a round is answered as soon as it begins.
        if beginsReads { finishReads(into: &effects) }
        dismissFormerMembers()
        continueTransfer(isHeartbeat: isHeartbeat, into: &effects)
    }

    /// A silent voter answers the rounds of a later heartbeat, if it ever does.
    private func isReachableVoter(_ position: Int) -> Bool {
        guard let peer = leadership?.peers[position] else { return false }
        return configuration.isVoter(peer.id)
            && clock < peer.heardAt + settings.electionNanoseconds
    }

    private mutating func replicate(
        to position: Int, isHeartbeat: Bool, wantsRound: Bool, into effects: inout [Effect]
    ) {
        var hasSent = false
        let end = (leadership?.peers[position].inFlightBytes ?? 0) + Self.maxSentBytesPerTurn
        while let peer = leadership?.peers[position], canSendEntries(to: peer) {
            // The window of one that lags would fill at once, and copying, checksum and socket would hold up
            // whoever drives this for tens of milliseconds.
            if hasSent, peer.inFlightBytes >= end {
                leadership?.hasMoreToSend = true
                break
            }
            guard sendEntries(to: position, into: &effects) else { break }
            hasSent = true
        }
        guard let peer = leadership?.peers[position] else { return }
        switch peer.state {
        case .probe, .snapshot: break
        case .replicate:
            // A worker learns of its tasks from the commit index: it must not wait for a heartbeat.
            if !hasSent, !isHeartbeat, !wantsRound,
                min(commitIndex, peer.next - 1) > peer.sentCommit
            {
                sendEmpty(to: position, isAnswered: false, into: &effects)
            }
        }
        // A reply to entries waits for the peer's disk, so a read round goes out by itself as well.
        if isHeartbeat && !hasSent || wantsRound {
            sendEmpty(to: position, isAnswered: true, into: &effects)
        }
    }

    private func canSendEntries(to peer: Progress) -> Bool {
        switch peer.state {
        case .probe: !peer.isProbeSent
        case .replicate:
            peer.next <= log.lastIndex && peer.hasRoom(settings)
                && (peer.pacedBytes < leadership?.learnerBytes ?? .max
                    || configuration.isVoter(peer.id))
        case .snapshot: false
        }
    }

    /// One append beginning at `next`. False if a snapshot has to be sent instead.
    private mutating func sendEntries(to position: Int, into effects: inout [Effect]) -> Bool {
        guard let peer = leadership?.peers[position] else { return false }
        let previous = peer.next - 1
        guard log.term(at: previous) != nil else {
            beginSnapshot(to: position, into: &effects)
            return false
        }
        var through = previous
        if previous < log.lastIndex {
            through = log.lastIndex(ofRunFrom: peer.next, maxBytes: settings.maxAppendBytes)
        }
        let round = beginRound()
        sendAppend(
            to: position, previousIndex: previous, through: through, round: round, into: &effects)
        if peer.state == .probe {
            leadership?.peers[position].noteProbe(round: round)
        } else {
            let bytes = log.bytes(behind: previous) - log.bytes(behind: through)
            leadership?.peers[position].noteSent(through: through, bytes: bytes)
        }
        return true
    }

    /// A heartbeat, a read round, or just the commit index. It stands on the last entry sent, so it finds
    /// out as well whether that has arrived.
    private mutating func sendEmpty(
        to position: Int, isAnswered: Bool, into effects: inout [Effect]
    ) {
        guard let peer = leadership?.peers[position] else { return }
        var previous = peer.next - 1
        // Every log has index 0 in common.
        if log.term(at: previous) == nil { previous = 0 }
        let round = isAnswered ? beginRound() : 0
        sendAppend(
            to: position, previousIndex: previous, through: previous, round: round, into: &effects)
    }

    private mutating func sendAppend(
        to position: Int, previousIndex: Index, through: Index, round: UInt64,
        into effects: inout [Effect]
    ) {
        let append = Message.Append(
            previousIndex: previousIndex,
            previousTerm: previousIndex == 0 ? 0 : log.term(at: previousIndex) ?? 0,
            commit: commitIndex,
            entries: through > previousIndex
                ? Array(log.slice(from: previousIndex + 1, through: through)) : [],
            round: round)
        guard let peer = leadership?.peers[position].id else { return }
        leadership?.peers[position].noteSentCommit(min(commitIndex, through))
        send(.append(append), to: peer, into: &effects)
    }

    mutating func beginRound() -> UInt64 {
        leadership?.beginRound(now: clock) ?? 0
    }

    // MARK: - Replies

    mutating func receive(
        _ reply: Message.AppendReply, from peer: NodeID, into effects: inout [Effect]
    ) {
        guard let position = noteContact(with: peer, round: reply.round) else { return }
        switch reply.outcome {
        case .matched(let index):
            guard index <= log.lastIndex else { return }
            leadership?.peers[position].isDamaged = false
            leadership?.peers[position].noteMatch(index)
            resume(position, round: reply.round)
            advanceCommit()
        case .damaged(let index, let floor):
            guard index <= log.lastIndex else { return }
            leadership?.peers[position].isDamaged = true
            leadership?.peers[position].noteMatch(index)
            resume(position, round: reply.round)
            advanceCommit()
            help(position, floor: floor, into: &effects)
        case .received:
            resume(position, round: reply.round)
        case .conflict(let previousIndex, let conflictTerm, let firstOfTerm):
            backUp(
                position, from: previousIndex, conflictTerm: conflictTerm, firstOfTerm: firstOfTerm)
        }
        finishReads(into: &effects)
    }

    /// A reply of this term proves that its sender had elected nobody else when `round` reached it.
    ///
    /// - Returns: where the peer stands, or nil if this node does not lead it.
    mutating func noteContact(with peer: NodeID, round: UInt64) -> Int? {
        guard let position = leadership?.position(of: peer), let lastRound = leadership?.round,
            round <= lastRound, let sentAt = leadership?.roundTimes.sentAt(round)
        else { return nil }
        leadership?.peers[position].noteContact(round: round, sentAt: sentAt, now: clock)
        return position
    }

    /// The peer's log is known to match where the leader thought: stream from there.
    private mutating func resume(_ position: Int, round: UInt64) {
        guard let peer = leadership?.peers[position] else { return }
        switch peer.state {
        case .replicate: break
        case .probe:
            // An older reply says nothing about the probe, unless all before `next` is certain anyway.
            if round >= peer.probeRound || peer.next == peer.match + 1 {
                leadership?.peers[position].becomeReplicate()
            }
        case .snapshot:
            guard let transfer = peer.snapshotTransfer else { return }
            let reaches = peer.match >= transfer.mark.index || peer.match >= log.base.index
            guard reaches else { return }
            if transfer.isRepair {
                leadership?.peers[position].becomeReplicate()
            } else {
                leadership?.peers[position].endTransfer()
            }
        }
    }

    /// Finds the next place where the logs may agree, a term at a time (section 5.3, end).
    private mutating func backUp(
        _ position: Int, from previous: Index, conflictTerm: Term, firstOfTerm: Index
    ) {
        guard let leading = leadership else { return }
        let peer = leading.peers[position]
        // What was acknowledged stays: then this is an old reply, overtaken by others.
        guard previous > peer.match, firstOfTerm >= 1 else { return }
        switch peer.state {
        case .snapshot: return
        case .probe: guard previous == peer.next - 1 else { return }
        case .replicate: guard previous < peer.next else { return }
        }
        var agreed = min(firstOfTerm, previous) - 1
        if conflictTerm > 0 {
            // The peer has `conflictTerm` from `firstOfTerm` to `previous`. An entry of ours with that
            // term in there is the same one; otherwise nothing in there can be.
            let ours = log.lastIndex(withTermAtMost: conflictTerm, through: previous - 1)
            let isShared = log.term(at: ours) == conflictTerm
            agreed = isShared ? min(ours, previous - 1) : min(ours, agreed)
        }
        leadership?.peers[position].becomeProbe(next: agreed + 1, round: leading.round + 1)
    }

    /// Only entries of this term commit by being counted; earlier ones with them (section 5.4.2, figure 8).
    /// The leader counts itself like any other: with what is on its disk.
    mutating func advanceCommit() {
        guard let leading = leadership else { return }
        let reached = Quorum.reached(configuration) { voter in
            if voter == id { return durability.durableIndex }
            guard let position = leading.position(of: voter) else { return 0 }
            return leading.peers[position].match
        }
        guard reached > commitIndex, log.term(at: reached) == term else { return }
        commitIndex = reached
    }
}
