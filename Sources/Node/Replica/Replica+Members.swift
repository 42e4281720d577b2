import Raft
import Scheduler

/// How a node becomes a member, stays one and leaves. Everything here compares what is with what shall be, again and
/// again, so it survives lost messages and changes of leader: a fresh node founds or knocks, a member announces
/// itself, and the leader brings Raft's configuration to what the state machine holds.
extension Replica {
    private static let knockNanoseconds: Nanoseconds = 1_000_000_000
    private static let checkNanoseconds: Nanoseconds = 250_000_000

    public var isMember: Bool { raft.isMember }

    /// Has a state and belongs to no cluster: a backup was restored here.
    public var isRestored: Bool {
        !raft.configuration.isFounded && raft.snapshotMark.index > 0
    }

    public var standing: Standing {
        let verdict = acquaintances.verdict(on: id)
        let isDisowned =
            raft.leader == nil && verdict.isFounded && verdict.directory != id.directory
        if isMember { return isDisowned ? .disowned : .member }
        if raft.configuration.isFounded {
            let isExpected = raft.leader != nil || verdict.directory == id.directory
            return isExpected ? .catchingUp : .removed
        }
        if verdict.isFounded {
            return .stranger(isNameTaken: verdict.directory.map { $0 != id.directory } ?? false)
        }
        guard settings.founders.contains(id.name) else { return .alone }
        let missing = settings.founders.filter {
            $0 != id.name && acquaintances.connected[$0] == nil
        }
        return .founding(missing: missing.sorted())
    }

    /// The log has reached rules that this program does not know: nothing more may be applied by it. `membersRevision`
    /// tells when to look.
    public var unsupportedStateVersion: UInt32? {
        scheduler.stateVersion > settings.highestStateVersion ? scheduler.stateVersion : nil
    }

    /// The state machine wants this node out, or has taken it out already.
    var isLeaving: Bool {
        !scheduler.members.isEmpty && scheduler.member(id.name)?.directory != id.directory
    }

    var ownRecord: NodeRecord {
        NodeRecord(
            name: id.name, directory: id.directory, peer: settings.peerAddress,
            api: settings.apiAddress, stateVersion: settings.highestStateVersion)
    }

    // MARK: Every turn

    mutating func performMemberDuties(_ clock: Clock, _ effects: inout [ReplicaEffect]) {
        let now = clock.monotonic
        if seenRoster != scheduler.rosterRevision || seenConfiguration != raft.configuration
            || isChangeSeen != raft.isChangingMembership
        {
            noteMembersChanged()
        }
        foundIfPossible(clock, &effects)
        knockIfDue(now, &effects)
        guard areMembersUnchecked || now >= nextMemberCheck else { return }
        areMembersUnchecked = false
        nextMemberCheck = now + Self.checkNanoseconds
        announceIfNeeded(now)
        registerIfNeeded(&effects)
        reconcileMembers(clock, &effects)
        areMemberCommandsDue = duties != nil
    }

    mutating func noteMembersChanged() {
        seenRoster = scheduler.rosterRevision
        seenConfiguration = raft.configuration
        isChangeSeen = raft.isChangingMembership
        skewMilliseconds = skewMilliseconds.filter { seenConfiguration.isMember($0.key) }
        membersRevision += 1
        areMembersUnchecked = true
    }

    /// When `performMemberDuties` has something to do that no message and no heartbeat brings about.
    var memberDeadline: Nanoseconds {
        let founding = isFoundingPossible ? nextFounding : .max
        let knock = mustKnock && !acquaintances.connected.isEmpty ? nextKnock : .max
        return min(founding, knock)
    }

    // MARK: Founding

    /// The first founder by name asks all of them, once it has met them and heard that none belongs to a cluster.
    /// Raft makes sure of what matters; this keeps a node that was started anew from disturbing a cluster it has
    /// forgotten.
    private var isFoundingPossible: Bool {
        guard !raft.configuration.isFounded, raft.leader == nil, !settings.founders.isEmpty,
            settings.founders.min() == id.name
        else { return false }
        return settings.founders.allSatisfy { name in
            name == id.name
                || acquaintances.connected[name].map(acquaintances.isKnownFresh) ?? false
        }
    }

    private mutating func foundIfPossible(_ clock: Clock, _ effects: inout [ReplicaEffect]) {
        guard clock.monotonic >= nextFounding, isFoundingPossible else { return }
        nextFounding = clock.monotonic + 2 * settings.raft.electionNanoseconds
        let founders = settings.founders.map { name in
            name == id.name ? id : acquaintances.connected[name] ?? id
        }
        stepRaft(.found(founders), clock, &effects)
    }

    // MARK: Knocking

    /// Nobody leads this node: those it can reach are asked whether there is a cluster, and whether it belongs to
    /// it. A node that was removed while it was down learns so, too.
    private var mustKnock: Bool { raft.leader == nil }

    private mutating func knockIfDue(_ now: Nanoseconds, _ effects: inout [ReplicaEffect]) {
        guard mustKnock else {
            nextKnock = now + Self.knockNanoseconds
            if isMember { acquaintances.forgetReplies() }
            return
        }
        guard now >= nextKnock, !acquaintances.connected.isEmpty else { return }
        nextKnock = now + Self.knockNanoseconds
        for name in acquaintances.connected.keys.sorted() {
            if let peer = acquaintances.connected[name] { knock(at: peer, &effects) }
        }
    }

    private func knock(at peer: NodeID, _ effects: inout [ReplicaEffect]) {
        // Only a node that never was a member asks to be taken in: one that was removed must stay out. With a
        // restored state it has a history of its own, and could never catch up with another one.
        let wantsIn = settings.joins && !raft.configuration.isFounded && !isRestored
        effects.append(
            .send(.knock(PeerMessage.Knock(wantsIn: wantsIn, record: ownRecord)), to: peer))
    }

    mutating func peerConnected(_ peer: NodeID, _ effects: inout [ReplicaEffect]) {
        guard peer.name != id.name else { return }
        let members = raft.configuration.members
        acquaintances.connected(peer) { name in
            settings.founders.contains(name) || members.contains { $0.name == name }
        }
        if peer == raft.leader { requests.markAllUnsent() }
        if mustKnock { knock(at: peer, &effects) }
    }

    mutating func answer(
        _ knock: PeerMessage.Knock, of sender: NodeID, _ effects: inout [ReplicaEffect]
    ) {
        let isFounded = raft.configuration.isFounded && isMember
        let known = raft.configuration.members.last { $0.name == sender.name }
        let isKnown = raft.configuration.isMember(sender)
        effects.append(
            .send(
                .knockReply(
                    PeerMessage.KnockReply(
                        isFounded: isFounded,
                        directory: isKnown ? sender.directory : known?.directory)),
                to: sender))
        guard isFounded, knock.wantsIn, !isKnown, scheduler.member(sender.name) == nil,
            knock.record.name == sender.name, knock.record.directory == sender.directory,
            knock.record.stateVersion >= scheduler.stateVersion, !isAdmitting
        else { return }
        isAdmitting = true
        requests.add(.admission, command: Command.addMember(knock.record).encoded())
    }

    // MARK: Members

    private mutating func announceIfNeeded(_ now: Nanoseconds) {
        guard !isAnnouncing, now >= nextAnnouncement, raft.leader != nil, isMember, !isLeaving,
            applied > 0, !hasBacklog, restoring == nil, scheduler.node(id.name) != ownRecord
        else { return }
        isAnnouncing = true
        nextAnnouncement = now + Self.knockNanoseconds
        requests.add(.announcement, command: Command.announceNode(ownRecord).encoded())
    }

    // MARK: The leader

    /// Commands of the leader's own about versions and members, for the first entry of the turn.
    mutating func appendMemberCommands(to group: inout CommandGroup, at now: Nanoseconds) {
        guard areMemberCommandsDue, let duties, applied >= duties.readyIndex,
            applied >= duties.memberProposal
        else { return }
        areMemberCommandsDue = false
        var command: Command?
        if let version = commonVersion(at: now), version > scheduler.stateVersion {
            command = .raiseStateVersion(version)
        } else if scheduler.members.isEmpty, scheduler.stateVersion > 1,
            !raft.isChangingMembership
        {
            command = founders(at: now).map(Command.adoptMembers)
        }
        guard let command else { return }
        group.append(sequence: 0, command: command.encoded())
        self.duties?.memberProposal = raft.lastIndex + 1
    }

    /// What every member can apply, and everyone who is about to be one; nil while one of them has not said.
    private func commonVersion(at now: Nanoseconds) -> UInt32? {
        var version = settings.highestStateVersion
        let wanted = scheduler.members.map { NodeID($0.name, directory: $0.directory) }
        for member in raft.configuration.members + wanted where !isSucceeded(member, at: now) {
            guard let record = record(of: member) else { return nil }
            version = min(version, record.stateVersion)
        }
        return version
    }

    /// What the member said of itself; one of its name before it may have said other things.
    private func record(of member: NodeID) -> NodeRecord? {
        scheduler.node(member.name).flatMap { $0.directory == member.directory ? $0 : nil }
    }

    /// It is silent, and somebody with another data directory is here under its name, so its own is lost: what it can
    /// apply it will never say again. To wait for it would keep the cluster at rules under which it can't even be
    /// removed. Should it live all the same, and be too old, then it stops and says so.
    private func isSucceeded(_ member: NodeID, at now: Nanoseconds) -> Bool {
        guard let other = acquaintances.connected[member.name], other != member,
            let progress = raft.peerProgress(member)
        else { return false }
        return progress.lastContact + settings.raft.electionNanoseconds <= now
    }

    private func founders(at now: Nanoseconds) -> [Member]? {
        var members: [Member] = []
        for voter in raft.configuration.voters {
            let record = record(of: voter)
            guard record != nil || isSucceeded(voter, at: now) else { return nil }
            members.append(
                Member(
                    name: voter.name, directory: voter.directory, peer: record?.peer ?? "",
                    api: record?.api ?? ""))
        }
        return members
    }

    private mutating func reconcileMembers(_ clock: Clock, _ effects: inout [ReplicaEffect]) {
        guard let duties, applied >= duties.readyIndex, !scheduler.members.isEmpty else { return }
        let wanted = scheduler.members.map { NodeID($0.name, directory: $0.directory) }.sorted()
        let current = raft.configuration
        // Raft may still wait for the occasion to do what was wanted before.
        guard wanted != current.voters || raft.isChangingMembership || !current.learners.isEmpty
        else { return }
        stepRaft(.changeMembership(voters: wanted), clock, &effects)
    }
}
