/// How a cluster comes into being.
///
/// A fresh node has no configuration. It stands in no election, but it votes and follows like any other: whom
/// it counts for is the asking node's business. One node, the founder, has to be told by its host who all shall
/// be members, and stands in an election that needs *every* vote. Its first entry is then the configuration.
///
/// Why every vote: majorities overlap only among members that remember. A founder whose disk was lost would
/// otherwise found a second cluster with fresh nodes, beside what is left of the first. Any node that holds an
/// entry of the first refuses, because the founder's log is behind its own, and term and vote that a node gave
/// are durable as in any election. So as long as one disk of the majority that committed something is left, there
/// is no second founding; and what was never committed may be lost.
///
/// Why no pre-vote: it raises the term each time it asks, and yet deposes nobody. A leader, and whoever hears one,
/// ignores the request and its term (`isSticky`); while nobody leads, it may push the term on, as often as its host
/// says `found`, which is no more than once in an election or two. A founder that was started anew under another
/// directory is not sent anything either, so nobody ever answers to its term. Only one that has founded, and lost in a
/// crash what it appended, is a member with a term ahead: once it is heard again, by its refusal of the leader's
/// append, there is one more election, and then it follows and founds no more. Hosts avoid even that: they found only
/// when all have said that they are fresh (`found` is not for a node that can't ask).
///
/// A founder may begin with a state, restored from a backup: a snapshot without a configuration. Its log is then
/// longer than those of a cluster that lives, perhaps. So it asks for votes as if its log were empty, and gets them
/// from nodes only whose logs are. And nobody but those who have its state from it may append to that: see
/// `isOfOtherHistory`.
extension Raft {
    /// Stands for founding a cluster of `founders`, which have to be reachable; to be repeated until there is
    /// a leader. Ignored once this node belongs to a cluster or follows somebody.
    mutating func found(_ founders: [NodeID], into effects: inout [Effect]) {
        guard !configuration.isFounded, role == .follower, leader == nil, !isDamaged,
            !isDiskStalled, founders.contains(id)
        else { return }
        drawElectionDeadline()
        durability.dropHeld()
        pendingReply = nil
        role = .candidate
        setHardState(HardState(term: term + 1, vote: id))
        campaign = Campaign(
            startedAt: clock, selfVoteTicket: durability.hardStateTicket,
            founders: Configuration(voters: founders).voters)
        requestVotes(.vote, of: founders, into: &effects)
    }

    /// Everywhere else, what a snapshot covers is committed, and so it is the same on all members. Not here: as long
    /// as there is no configuration, the state may be that of a backup, and the leader that of another cluster to
    /// which somebody has added this node by mistake. An entry right behind the mark shows by its predecessor whether
    /// it continues the state; what lies before shows nothing, and must not count as agreed.
    func isOfOtherHistory(_ body: Message.Body) -> Bool {
        let own = log.snapshotMark
        guard own.index > 0, !configuration.isFounded else { return false }
        switch body {
        case .append(let append):
            return append.previousIndex < own.index
                || append.previousIndex == own.index && append.previousTerm != own.term
        case .snapshotChunk(let chunk):
            return chunk.mark.index < own.index
                || chunk.mark.index == own.index && chunk.mark.term != own.term
        default: return false
        }
    }

    /// Takes nothing of it, but is heard. The founder may be who asks, not knowing yet that its state has arrived here;
    /// one that stays silent would not be sent that again. A leader of an earlier term is another cluster's: an answer
    /// would depose it.
    mutating func declineOtherHistory(_ message: Message, into effects: inout [Effect]) {
        guard case .append(let append) = message.body, append.round > 0, message.term >= term else {
            return
        }
        if message.term > term { becomeFollower(term: message.term, into: &effects) }
        follow(message.from, into: &effects)
        let outcome = Message.AppendReply.Outcome.conflict(
            previousIndex: append.previousIndex, conflictTerm: 0, firstOfTerm: 1)
        send(
            .appendReply(Message.AppendReply(round: append.round, outcome: outcome)),
            to: message.from, into: &effects)
    }
}
