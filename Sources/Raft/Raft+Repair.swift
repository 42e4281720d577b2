/// Getting back what this node's own disk has lost.
///
/// A damaged entry is not one that never came: this node may have acknowledged it, and its vote for somebody
/// without it would elect a leader that lacks what is committed. So index and term of a damaged entry stay in the
/// log, where votes and conflicts are decided by them, and until its content is back on the disk this node
/// stands in no election and neither acknowledges nor applies it, nor anything behind it.
///
/// The content comes from any peer, leader or not: an entry's index and term determine it (log matching, section
/// 5.3). So disjoint damage on all members is repaired without a leader. A peer that has compacted the entries
/// says so; then they are covered by a snapshot, which the leader sends.
extension Raft {
    /// The end of what this node can vouch for; beyond the log if nothing is damaged.
    var firstDamagedIndex: Index { damage?.start ?? .max }

    /// Entries lost here, or the state at the snapshot: this node can't lead.
    public var isDamaged: Bool { damage != nil || isStateLost }

    /// How many entries are without content.
    public var lostEntries: Int { damage?.lost.count ?? 0 }

    /// Asks one peer after the other, the leader first.
    mutating func requestRepair(into effects: inout [Effect]) {
        guard let run = damage?.firstRun, let requests = damage?.requests,
            clock >= damage?.nextRequestAt ?? 0, let lastTerm = log.term(at: run.upperBound)
        else { return }
        damage?.nextRequestAt = clock + settings.heartbeatNanoseconds
        damage?.requests += 1
        var peers = configuration.members.filter { $0 != id && $0 != leader }
        if let leader, leader != id { peers.insert(leader, at: 0) }
        guard !peers.isEmpty else { return }
        let request = Message.RepairRequest(
            first: run.lowerBound, last: run.upperBound, lastTerm: lastTerm)
        sendUnbound(.repairRequest(request), to: peers[requests % peers.count], into: &effects)
    }

    /// Of no term: it promises nothing, waits for nothing, and makes nobody step down.
    private func sendUnbound(
        _ body: Message.Body, to peer: NodeID, into effects: inout [Effect]
    ) {
        effects.append(.send(Message(from: id, to: peer, term: 0, body: body)))
    }

    /// Any node helps any other; nothing here depends on terms.
    func answerRepair(
        _ request: Message.RepairRequest, of peer: NodeID, into effects: inout [Effect]
    ) {
        guard request.first >= 1, request.first <= request.last else { return }
        var reply = Message.RepairReply(entries: [], isCompacted: false)
        if request.first <= log.base.index {
            // Compacted entries are committed, and then so is what the asking node has lost.
            guard request.last <= log.base.index || log.term(at: request.last) == request.lastTerm
            else { return }
            reply.isCompacted = true
        } else {
            guard log.term(at: request.last) == request.lastTerm else { return }
            let end = log.lastIndex(ofRunFrom: request.first, maxBytes: settings.maxAppendBytes)
            reply.entries = log.slice(from: request.first, through: min(request.last, end))
                .filter { $0.payload != .lost }
            guard !reply.entries.isEmpty else { return }
        }
        sendUnbound(.repairReply(reply), to: peer, into: &effects)
    }

    mutating func finishRepair(_ reply: Message.RepairReply) {
        guard damage != nil else { return }
        repair(reply.entries)
        if reply.isCompacted, let lost = damage?.firstRun {
            snapshotFloor = max(snapshotFloor, lost.lowerBound)
        }
        // The next run, without waiting.
        if !reply.entries.isEmpty { damage?.nextRequestAt = clock }
        restageIfRepaired()
    }

    /// Takes the content of lost entries from those of the same index and term, ascending by index.
    mutating func repair(_ candidates: some Sequence<Entry>) {
        guard let damage else { return }
        var last: Index = 0
        let whole = candidates.filter { entry in
            guard entry.index > last, damage.contains(entry.index), entry.payload != .lost,
                log.term(at: entry.index) == entry.term
            else { return false }
            last = entry.index
            return true
        }
        guard !whole.isEmpty else { return }
        log.fill(whole)
        self.damage?.repaired(whole.map(\.index))
    }

    /// Everything is whole in memory: the log is written anew from the first damaged entry on, in one batch, so
    /// that a crash leaves the old log or the new one.
    mutating func restageIfRepaired() {
        guard let damage, damage.isRepaired else { return }
        self.damage = nil
        // What raised the floor may have been cut off, so that no snapshot ever reaches it.
        snapshotFloor = isStateLost ? max(1, log.snapshotMark.index) : 0
        guard damage.start <= log.lastIndex else { return }
        durability.stageTruncation(from: damage.start)
    }
}
