/// Snapshots: taken here, sent to a peer whose entries are gone, received from the leader (section 7).
extension Raft {
    /// A snapshot on its way in.
    struct IncomingSnapshot: Sendable {
        let mark: SnapshotMark
        let totalBytes: UInt64
        /// The term of the leader whose pieces these are.
        var term: Term
        var nextOffset: UInt64 = 0
        /// The piece that storage is writing, for the reply; nil if it is writing none. A round proves
        /// something in its own term only.
        var writing: (round: UInt64, term: Term)?
    }

    struct PendingRestore: Sendable {
        let mark: SnapshotMark
        let ticket: Ticket
    }

    // MARK: - Taken here

    mutating func compact(to mark: SnapshotMark) {
        // A snapshot from the leader was quicker.
        guard mark.index > log.snapshotMark.index else { return }
        precondition(mark.index <= appliableIndex, "a snapshot of what was never applied")
        precondition(mark.configuration == log.configuration(at: mark.index))
        log.compact(
            to: mark, retainedBytes: settings.retainedLogBytes, neededBehind: neededBehind,
            maxRetainedBytes: settings.maxRetainedLogBytes)
        durability.stageSnapshot(mark, resets: false)
    }

    /// Followers that are heard get what they lack from the log, and those that are being sent a snapshot will
    /// need what follows that one: compacted away, it would have to be sent all over again, perhaps for ever.
    private var neededBehind: Index {
        var needed = Index.max
        for peer in leadership?.peers ?? []
        where clock < peer.heardAt + settings.electionNanoseconds {
            needed = min(needed, max(peer.match, peer.snapshotTransfer?.mark.index ?? 0))
        }
        return needed
    }

    // MARK: - Sending

    /// A follower's disk is damaged at or before `floor`.
    ///
    /// It goes on getting entries meanwhile, so that a majority it is needed for goes on committing: a large snapshot
    /// takes minutes on a slow link. That is safe, because nothing that an acknowledgement promises depends on the
    /// state. It promises that the log, up to there, outlives a crash, and a follower acknowledges nothing at or
    /// behind a lost entry. Votes compare index and term, which it knows for all of its log, its mark included; so it
    /// refuses whoever lacks what it has acknowledged, and it stands in no election itself (`isDamaged`). It
    /// applies nothing before the snapshot is in place (`appliableIndex`), and that one, at or behind `floor`, ends
    /// where the log goes on (`install`). If the leader is lost for good in between, state and log are on different
    /// disks, and nobody leads until one of them is back: the cluster stops rather than forgets.
    ///
    /// Neither starves: one piece at a time waits among the entries, and the entries on their way are bounded.
    mutating func help(_ position: Int, floor: Index, into effects: inout [Effect]) {
        guard let peer = leadership?.peers[position], floor <= commitIndex else { return }
        if let transfer = peer.snapshotTransfer, transfer.mark.index >= floor { return }
        if log.snapshotMark.index >= floor {
            beginTransfer(to: position, isRepair: true, into: &effects)
        } else {
            effects.append(.takeSnapshot(atLeast: floor))
        }
    }

    /// The entries it needs are gone.
    mutating func beginSnapshot(to position: Int, into effects: inout [Effect]) {
        // One that is on its way for a repair will do: from the start again, it might never end.
        if leadership?.peers[position].snapshotTransfer == nil {
            beginTransfer(to: position, isRepair: false, into: &effects)
        }
        leadership?.peers[position].becomeSnapshot()
    }

    private mutating func beginTransfer(
        to position: Int, isRepair: Bool, into effects: inout [Effect]
    ) {
        let mark = log.snapshotMark
        leadership?.peers[position].begin(
            Progress.SnapshotTransfer(mark: mark, isRepair: isRepair, since: clock))
        requestChunk(at: 0, of: mark, for: position, into: &effects)
    }

    private mutating func requestChunk(
        at offset: UInt64, of mark: SnapshotMark, for position: Int, into effects: inout [Effect]
    ) {
        guard let peer = leadership?.peers[position].id,
            let earlier = leadership?.peers[position].snapshotTransfer
        else { return }
        var transfer = Progress.SnapshotTransfer(
            mark: mark, isRepair: earlier.isRepair, since: clock)
        transfer.offset = offset
        leadership?.peers[position].update(transfer)
        effects.append(.readSnapshotChunk(to: peer, mark: mark, offset: offset))
    }

    /// A piece, its reply or the shell's answer is overdue.
    mutating func retry(
        _ transfer: Progress.SnapshotTransfer, to position: Int, into effects: inout [Effect]
    ) {
        switch transfer.step {
        case .waitingForReply:
            requestChunk(at: transfer.offset, of: transfer.mark, for: position, into: &effects)
        case .reading:
            // The file is gone, or the shell forgot: the newest one exists.
            requestChunk(at: 0, of: log.snapshotMark, for: position, into: &effects)
        }
    }

    mutating func sendChunk(
        to peer: NodeID, mark: SnapshotMark, offset: UInt64, bytes: [UInt8], totalBytes: UInt64,
        into effects: inout [Effect]
    ) {
        guard let position = leadership?.position(of: peer),
            var transfer = leadership?.peers[position].snapshotTransfer,
            transfer.step == .reading, transfer.mark == mark, transfer.offset == offset
        else { return }
        guard totalBytes > 0, !bytes.isEmpty else {
            // If it was the newest file that is gone, the next retry may find another.
            if mark != log.snapshotMark {
                requestChunk(at: 0, of: log.snapshotMark, for: position, into: &effects)
            }
            return
        }
        transfer.step = .waitingForReply
        transfer.since = clock
        transfer.round = beginRound()
        leadership?.peers[position].update(transfer)
        let chunk = Message.SnapshotChunk(
            mark: mark, offset: offset, bytes: bytes, totalBytes: totalBytes,
            round: transfer.round)
        send(.snapshotChunk(chunk), to: peer, into: &effects)
    }

    mutating func receive(
        _ reply: Message.SnapshotReply, from peer: NodeID, into effects: inout [Effect]
    ) {
        guard let position = noteContact(with: peer, round: reply.round) else { return }
        defer { finishReads(into: &effects) }
        if reply.isInstalled, reply.index <= log.lastIndex {
            leadership?.peers[position].noteMatch(reply.index)
            advanceCommit()
        }
        guard let progress = leadership?.peers[position], let transfer = progress.snapshotTransfer
        else {
            return
        }
        let hasInstalled = reply.isInstalled && reply.index >= transfer.mark.index
        if hasInstalled || !transfer.isRepair && progress.match >= transfer.mark.index {
            leadership?.peers[position].endTransfer()
        } else if transfer.step == .waitingForReply, reply.index == transfer.mark.index,
            reply.round >= transfer.round
        {
            requestChunk(at: reply.nextOffset, of: transfer.mark, for: position, into: &effects)
        }
    }

    // MARK: - Receiving

    mutating func receive(
        _ chunk: Message.SnapshotChunk, from newLeader: NodeID, into effects: inout [Effect]
    ) {
        follow(newLeader, into: &effects)
        let mark = chunk.mark
        if !makesUpForDamage(mark),
            mark.index <= commitIndex || log.term(at: mark.index) == mark.term
        {
            // Nothing in it is new: what a snapshot covers is committed.
            commitIndex = max(commitIndex, mark.index)
            verifiedIndex = max(verifiedIndex, mark.index)
            incoming = nil
            replyInstalled(mark.index, to: newLeader, round: chunk.round, into: &effects)
            return
        }
        guard adopt(chunk) else { return }
        guard var current = incoming, current.writing == nil else { return }
        guard chunk.offset == current.nextOffset else {
            // Lost, repeated, or begun by an earlier leader: go on from what is here.
            reply(
                to: newLeader, index: mark.index, nextOffset: current.nextOffset,
                round: chunk.round, into: &effects)
            return
        }
        current.writing = (chunk.round, term)
        incoming = current
        effects.append(.storeSnapshotChunk(chunk))
    }

    /// Decides whether the piece belongs to the snapshot that is being received; a newer one, or that of
    /// a newer leader, takes its place. False for a piece to ignore.
    private mutating func adopt(_ chunk: Message.SnapshotChunk) -> Bool {
        if var current = incoming {
            if current.mark == chunk.mark, current.totalBytes == chunk.totalBytes {
                current.term = term
                incoming = current
                return true
            }
            // A late piece of a transfer that this leader gave up.
            if current.term == term, chunk.mark.index <= current.mark.index { return false }
        }
        incoming = IncomingSnapshot(
            mark: chunk.mark, totalBytes: chunk.totalBytes, term: term)
        return true
    }

    mutating func finishChunk(
        mark: SnapshotMark, nextOffset: UInt64, isComplete: Bool, into effects: inout [Effect]
    ) {
        guard var current = incoming, current.mark == mark, let writing = current.writing else {
            return
        }
        let round = writing.term == term ? writing.round : 0
        current.writing = nil
        current.nextOffset = nextOffset
        incoming = current
        if isComplete {
            incoming = nil
            install(mark)
        }
        guard let leader, role == .follower else { return }
        if isComplete {
            replyInstalled(mark.index, to: leader, round: round, into: &effects)
        } else {
            reply(
                to: leader, index: mark.index, nextOffset: nextOffset, round: round,
                into: &effects)
        }
    }

    /// The file is in place. Afterwards the log covers at least what it does.
    private mutating func install(_ mark: SnapshotMark) {
        if !makesUpForDamage(mark) {
            // Entries may have come another way meanwhile; then they and the state machine stay as they are.
            guard mark.index > commitIndex else { return }
            if log.term(at: mark.index) == mark.term {
                commitIndex = mark.index
                return
            }
        }
        if mark.index == log.snapshotMark.index {
            // Only the file was damaged: the log begins where it did.
            precondition(mark == log.snapshotMark, "two snapshots of different histories")
            durability.stageRepairingSnapshot(mark)
        } else if log.term(at: mark.index) == mark.term {
            // What follows it here may have been acknowledged, or verified for a reply of this very turn, and stays.
            log.compact(to: mark, retainedBytes: 0)
            if mark.index <= durability.handedIndex {
                durability.stageRepairingSnapshot(mark)
            } else {
                // This turn cut off or appended entries below the mark: the disk begins anew behind it, in the
                // same batch with what follows.
                durability.stageSnapshot(mark, resets: true)
            }
            damage?.cover(through: mark.index)
            restageIfRepaired()
        } else {
            log.reset(to: mark)
            durability.stageSnapshot(mark, resets: true)
            damage = nil
        }
        isStateLost = false
        snapshotFloor = 0
        pendingRestore = PendingRestore(mark: mark, ticket: durability.nextTicket)
        commitIndex = max(commitIndex, mark.index)
        verifiedIndex = max(verifiedIndex, mark.index)
    }

    /// What it covers is damaged here, so it is taken although the log reaches further.
    private func makesUpForDamage(_ mark: SnapshotMark) -> Bool {
        isStateLost ? mark.index >= snapshotFloor : firstDamagedIndex <= mark.index
    }

    private mutating func replyInstalled(
        _ index: Index, to newLeader: NodeID, round: UInt64, into effects: inout [Effect]
    ) {
        let body = Message.SnapshotReply(
            index: index, nextOffset: 0, isInstalled: true, round: round)
        let ticket = durability.ticket(forLogThrough: index)
        send(.snapshotReply(body), to: newLeader, behind: ticket, into: &effects)
    }

    private mutating func reply(
        to newLeader: NodeID, index: Index, nextOffset: UInt64, round: UInt64,
        into effects: inout [Effect]
    ) {
        let body = Message.SnapshotReply(
            index: index, nextOffset: nextOffset, isInstalled: false, round: round)
        send(.snapshotReply(body), to: newLeader, into: &effects)
    }
}
