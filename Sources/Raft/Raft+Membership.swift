/// Changing the members while the cluster serves (Raft paper, section 6; dissertation, chapter 4).
///
/// The host names the voters there shall be; the core gets there by configurations in the log, one at a time,
/// each committed before the next is appended:
///
///     1. newcomers as learners    nobody else decides; they are brought up to date first, so that the next
///                                 step does not make the cluster wait for them
///     2. joint                    decisions need a majority of the old voters and one of the new
///     3. the new voters alone     appended as soon as the joint configuration is committed, by whoever leads
///                                 then, whether it has heard of the target or not
///
/// A step waits until an entry of this term is committed. Without that, two leaders could each change one
/// configuration in ways whose majorities do not overlap (the bug of single-server changes, 2015).
///
/// Nor does the joint configuration come before a majority of the new voters is there, with its state: an operator who
/// takes away a live member while others are dead has the time to take that back.
///
/// Members that leave get entries until the configuration without them is committed. A leader that leaves stays
/// until then, without counting itself, and hands over.
extension Raft {
    /// Ignored unless leading; to be said again to the next leader. While another change is on its way this says
    /// what comes after it. Learners that are not among `voters` leave.
    mutating func changeMembership(to voters: [NodeID]) {
        guard leadership != nil, !voters.isEmpty else { return }
        leadership?.targetVoters = Configuration(voters: voters).voters
    }

    /// At the end of each turn of a leader: the next step, if it is due.
    mutating func continueMembershipChange() {
        guard let leading = leadership, commitIndex >= leading.termStartIndex,
            commitIndex >= log.configurationIndex, leading.transfer == nil
        else { return }
        let current = configuration
        if current.isJoint {
            appendConfiguration(Configuration(voters: current.voters, learners: current.learners))
            return
        }
        if !current.isVoter(id) {
            beginTransfer(to: nil)
            // Nobody is there to hand over to, who could take it: the others elect somebody in time.
            if leadership?.transfer == nil {
                let deadline = clock + settings.electionNanoseconds
                leadership?.transfer = Leadership.Transfer(target: id, deadline: deadline)
            }
            return
        }
        guard let target = leading.targetVoters else { return }
        let newcomers = target.filter { !current.voters.contains($0) }
        guard current.learners == newcomers else {
            appendConfiguration(Configuration(voters: current.voters, learners: newcomers))
            return
        }
        noteCatchUp(of: newcomers)
        let behind = newcomers.filter { !isCaughtUp($0) }
        // Nobody has to wait for other newcomers; but nobody leaves while any are missing that shall come instead.
        let next =
            behind.isEmpty
            ? target : (current.voters + newcomers.filter { !behind.contains($0) }).sorted()
        if next != current.voters {
            guard isHeard(byMajorityOf: next, of: leading) else { return }
            appendConfiguration(
                Configuration(voters: next, outgoing: current.voters, learners: behind))
        } else if behind.isEmpty {
            leadership?.targetVoters = nil
        }
    }

    /// The newest configuration is not committed, is joint, or is not yet what was asked for (section 6). The last of
    /// these is known to the leader only.
    public var isChangingMembership: Bool {
        configuration.isJoint || commitIndex < log.configurationIndex
            || leadership?.targetVoters != nil
    }

    /// Leading, without being a member any more.
    var hasLeft: Bool {
        role == .leader && !configuration.isVoter(id) && commitIndex >= log.configurationIndex
    }

    /// Without that, the joint configuration could neither be left nor taken back as long as those who are silent stay
    /// away, and with a lost disk that is for ever. So whose vote is needed until then stays. That somebody was there
    /// when this node was elected proves nothing; an answer since does, while the connection it came by is there. And
    /// one whose disk has lost its state can't lead: with as many of them, what a crash takes from the leader may keep
    /// all from leading.
    private func isHeard(byMajorityOf voters: [NodeID], of leading: Leadership) -> Bool {
        let heardAt = Quorum.reached(Configuration(voters: voters)) { voter in
            if voter == id { return clock }
            guard let position = leading.position(of: voter) else { return 0 }
            let peer = leading.peers[position]
            let isSilent = peer.isCutOff || peer.ackedRound == 0
            return isSilent || peer.isDamaged ? 0 : peer.heardAt
        }
        return clock < heardAt + settings.electionNanoseconds
    }

    private mutating func noteCatchUp(of newcomers: [NodeID]) {
        for newcomer in newcomers {
            guard let position = leadership?.position(of: newcomer) else { continue }
            leadership?.peers[position].noteCatchUp(
                lastIndex: log.lastIndex, now: clock, settings: settings)
        }
    }

    /// It is about as fast as the others, so that it is no burden as a voter.
    private func isCaughtUp(_ learner: NodeID) -> Bool {
        guard let leading = leadership, let position = leading.position(of: learner) else {
            return false
        }
        let peer = leading.peers[position]
        return peer.state == .replicate && peer.snapshotTransfer == nil
            && clock < peer.heardAt + settings.electionNanoseconds
            && peer.match >= leading.termStartIndex
            && log.bytes(behind: peer.match) <= settings.maxInFlightBytes
            && peer.catchUp.isDone(now: clock, settings: settings)
    }

    private mutating func appendConfiguration(_ next: Configuration) {
        log.append(
            Entry(index: log.lastIndex + 1, term: term, payload: .configuration(next)))
        for member in next.members where member != id {
            guard leadership?.position(of: member) == nil else { continue }
            leadership?.peers.append(
                Progress(id: member, next: log.lastIndex, provenAt: 0, now: clock))
        }
        leadership?.peers.sort { $0.id < $1.id }
    }

    /// Those who left are told of it with the commit index, and then forgotten.
    mutating func dismissFormerMembers() {
        guard let leading = leadership, commitIndex >= log.configurationIndex else { return }
        let current = configuration
        guard !leading.peers.allSatisfy({ current.isMember($0.id) }) else { return }
        leadership?.peers.removeAll { !current.isMember($0.id) }
    }
}
