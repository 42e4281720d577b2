/// Following: the term, the leader, and its entries.
extension Raft {
    /// What the end of the turn tells the leader, once for all appends of the turn.
    struct PendingReply: Sendable {
        var leader: NodeID
        var round: UInt64
        /// A heartbeat or a read round was among them: don't let it wait for the disk.
        var isUrgent: Bool
    }

    /// A leader was heard less than the shortest election timeout ago (dissertation, section 4.2.3).
    ///
    /// Under leases the contact counts even if this node does not know the leader any more, because of a restart or
    /// a newer term that elected nobody: the leader relies on it.
    var isSticky: Bool {
        role == .leader
            || (leader != nil || settings.leaseReads)
                && clock < leaderContact + settings.electionNanoseconds
    }

    var isDiskStalled: Bool {
        guard let since = durability.oldestHandedAt else { return false }
        return clock >= since + settings.diskStallNanoseconds
    }

    /// One to one and a half times what is configured: two followers that draw seldom stand at once, as an election takes a
    /// few milliseconds (section 9.3), and none waits for much longer than it has to.
    mutating func drawElectionDeadline() {
        electionTimeout =
            settings.electionNanoseconds + random.next(below: settings.electionNanoseconds / 2)
        electionDeadline = clock + electionTimeout
    }

    mutating func setHardState(_ next: HardState) {
        if next.term > term {
            // What is held was said in the old term; and the new leader's log may differ.
            durability.dropHeld()
            pendingReply = nil
            verifiedIndex = commitIndex
        }
        hardState = next
        durability.stageHardState()
    }

    /// Steps down, or moves to a newer term. No leader is known afterwards.
    mutating func becomeFollower(term newTerm: Term, into effects: inout [Effect]) {
        precondition(newTerm >= term)
        failReads(into: &effects)
        let wasFollower = role == .follower
        // Requests for votes speak of a log that the new leader of this term may be about to change.
        if !wasFollower { durability.dropHeld() }
        role = .follower
        leader = nil
        campaign = nil
        leadership = nil
        if newTerm > term { setHardState(HardState(term: newTerm, vote: nil)) }
        // A follower's patience is not renewed by a candidate that may be unable to win.
        if !wasFollower { drawElectionDeadline() }
    }

    mutating func losePeer(_ peer: NodeID, into effects: inout [Effect]) {
        if let position = leadership?.position(of: peer) {
            leadership?.peers[position].noteCutOff()
            stopStreaming(to: position)
            return
        }
        // Under leases the lost leader, if it was only cut off, may answer reads for a while yet.
        guard role == .follower, peer == leader, !settings.leaseReads else { return }
        becomeFollower(term: term, into: &effects)
        // Without the wait of a whole timeout. Not at once, either: the others have to notice as well,
        // or they stick to the lost leader; and not all at the same moment.
        let delay =
            settings.heartbeatNanoseconds / 5 + random.next(below: settings.heartbeatNanoseconds)
        electionDeadline = min(electionDeadline, clock + delay)
    }

    /// A message of this term's leader came.
    mutating func follow(_ newLeader: NodeID, into effects: inout [Effect]) {
        precondition(role != .leader, "two leaders in term \(term): \(id) and \(newLeader)")
        if role != .follower || leader != newLeader {
            precondition(leader == nil || leader == newLeader, "two leaders in term \(term)")
            becomeFollower(term: term, into: &effects)
            leader = newLeader
            // For each leader anew: who drew a long time never stands, and would keep it for good.
            drawElectionDeadline()
        }
        leaderContact = clock
        electionDeadline = clock + electionTimeout
    }

    mutating func receive(
        _ append: Message.Append, from newLeader: NodeID, into effects: inout [Effect]
    ) {
        follow(newLeader, into: &effects)
        guard isWellFormed(append) else { return }
        announcedCommitIndex = max(announcedCommitIndex, append.commit)
        guard matches(append) else {
            refuse(append, from: newLeader, into: &effects)
            return
        }
        accept(append.entries)
        let covered = append.previousIndex + UInt64(append.entries.count)
        verifiedIndex = max(verifiedIndex, covered)
        // What lies behind `covered` may be of another history.
        commitIndex = max(commitIndex, min(append.commit, covered))
        guard append.round > 0 else { return }
        let earlier = pendingReply
        pendingReply = PendingReply(
            leader: newLeader, round: max(append.round, earlier?.round ?? 0),
            isUrgent: append.entries.isEmpty || earlier?.isUrgent == true)
    }

    /// Entries are consecutive and their terms plausible. Anything else comes from no working leader.
    private func isWellFormed(_ append: Message.Append) -> Bool {
        var index = append.previousIndex
        var entryTerm = append.previousTerm
        for entry in append.entries {
            guard entry.index == index + 1, entry.term >= entryTerm, entry.term <= term else {
                return false
            }
            index = entry.index
            entryTerm = entry.term
        }
        return true
    }

    private func matches(_ append: Message.Append) -> Bool {
        let known = log.term(at: append.previousIndex)
        if append.previousIndex <= commitIndex {
            // Committed entries are in every leader's log; those before `base` are all committed.
            precondition(
                known == nil || known == append.previousTerm,
                "the leader of term \(term) disagrees about a committed entry")
            return true
        }
        return known == append.previousTerm
    }

    private mutating func refuse(
        _ append: Message.Append, from newLeader: NodeID, into effects: inout [Effect]
    ) {
        var conflictTerm: Term = 0
        var firstOfTerm = log.lastIndex + 1
        if let known = log.term(at: append.previousIndex) {
            conflictTerm = known
            firstOfTerm = max(
                log.firstIndex(ofTermAt: append.previousIndex), commitIndex + 1)
        }
        let reply = Message.AppendReply(
            round: append.round,
            outcome: .conflict(
                previousIndex: append.previousIndex, conflictTerm: conflictTerm,
                firstOfTerm: firstOfTerm))
        send(.appendReply(reply), to: newLeader, into: &effects)
    }

    /// Appends what is new. Entries that are here already stay, however old the message is: cutting at
    /// `previousIndex` would let a delayed append undo acknowledged entries.
    private mutating func accept(_ entries: [Entry]) {
        var position = 0
        while position < entries.count {
            let entry = entries[position]
            if entry.index > log.base.index {
                guard let known = log.term(at: entry.index) else { break }
                if known != entry.term {
                    precondition(entry.index > commitIndex, "a committed entry would be cut off")
                    log.truncate(from: entry.index)
                    durability.stageTruncation(from: entry.index)
                    damage?.truncate(from: entry.index)
                    break
                }
            }
            position += 1
        }
        repair(entries[..<position])
        for entry in entries[position...] { log.append(entry) }
        restageIfRepaired()
    }

    mutating func replyToLeader(into effects: inout [Effect]) {
        guard let pending = pendingReply else { return }
        pendingReply = nil
        let matched = min(max(verifiedIndex, commitIndex), firstDamagedIndex - 1)
        let ticket = durability.ticket(forLogThrough: matched)
        if ticket > durability.durableTicket, pending.isUrgent {
            let reply = Message.AppendReply(round: pending.round, outcome: .received)
            send(.appendReply(reply), to: pending.leader, into: &effects)
        }
        let outcome: Message.AppendReply.Outcome =
            snapshotFloor > 0
            ? .damaged(matched: matched, floor: snapshotFloor) : .matched(matched)
        let reply = Message.AppendReply(round: pending.round, outcome: outcome)
        send(.appendReply(reply), to: pending.leader, behind: ticket, into: &effects)
    }
}
