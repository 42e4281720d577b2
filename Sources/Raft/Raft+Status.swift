/// What the rest of the node reads from the core.
extension Raft {
    /// The newest term heard of. What is on disk may be behind it (section 5.1).
    public var term: Term { hardState.term }
    /// Whom this node votes for in `term` (section 5.2).
    public var vote: NodeID? { hardState.vote }

    /// The first entry in memory. What is before it is covered by a snapshot.
    public var firstIndex: Index { log.firstIndex }
    /// The last entry in memory, which may not be on disk yet; `firstIndex - 1` if there is none.
    public var lastIndex: Index { log.lastIndex }
    /// Whole on this node's disk. Falls when entries are cut off, or a snapshot replaces the log.
    public var durableIndex: Index { min(durability.durableIndex, firstDamagedIndex - 1) }

    /// Committed and on this node's disk: what may be applied. While a received snapshot waits for its
    /// `.restore` this is 0, as there is nothing to apply then; so it is while the state is lost.
    public var appliableIndex: Index {
        isStateLost || pendingRestore != nil ? 0 : min(commitIndex, durableIndex)
    }

    /// The newest in the log, committed or not: it counts from the moment it is appended (section 6).
    public var configuration: Configuration { log.configuration }

    /// One of the members of `configuration`.
    public var isMember: Bool { log.configuration.isMember(id) }

    /// Who votes and goes on doing so, whatever becomes of a change that is not committed yet: as far as this node
    /// knows, sorted. Who is about to come is not among them, nor who is about to leave. To take a member away
    /// before a new one stands here may leave a joint configuration that nobody can leave any more.
    public var settledVoters: [NodeID] {
        let committed = log.configuration(at: commitIndex)
        guard committed.isJoint else { return committed.voters }
        return committed.voters.filter(committed.outgoing.contains)
    }

    /// The newest snapshot that the log knows of.
    public var snapshotMark: SnapshotMark { log.snapshotMark }

    /// Bytes of the entries behind the newest snapshot.
    public var logBytes: Int { log.bytes(behind: log.snapshotMark.index) }

    /// Bytes of the entries that a snapshot taken now could cover and the newest does not, for deciding when to
    /// take the next. What is not committed yet does not count: after a burst, snapshots would follow one another
    /// while it is worked off.
    public var coverableLogBytes: Int {
        let end = max(appliableIndex, log.snapshotMark.index)
        return log.bytes(behind: log.snapshotMark.index) - log.bytes(behind: end)
    }

    /// Leader, not handing over, and not too much waiting for commit, or for this node's disk: the others
    /// may commit without it.
    public var acceptsProposals: Bool {
        guard let leadership, leadership.transfer == nil else { return false }
        let waiting = log.bytes(behind: max(appliableIndex, log.base.index))
        return waiting < settings.maxUncommittedBytes
    }

    /// Let go of the slice before the next `step`, or that copies the log.
    ///
    /// - Precondition: both lie within `firstIndex` and `lastIndex`.
    public func entries(from: Index, through: Index) -> ArraySlice<Entry> {
        log.slice(from: from, through: through)
    }

    /// - Precondition: within `firstIndex` and `lastIndex`.
    public func entry(at index: Index) -> Entry { log[index] }

    /// The mark of a snapshot of the state after the entry at `index`. It holds the configuration as of
    /// there and not a newer, perhaps never committed one.
    ///
    /// - Precondition: the newest snapshot's index ≤ `index` ≤ `appliableIndex`.
    public func mark(at index: Index) -> SnapshotMark {
        guard index > log.snapshotMark.index else {
            precondition(index == log.snapshotMark.index, "an older state than the last snapshot")
            return log.snapshotMark
        }
        precondition(index <= appliableIndex, "a snapshot of what is not committed")
        guard let term = log.term(at: index) else {
            preconditionFailure("the log has no entry \(index)")
        }
        return SnapshotMark(
            index: index, term: term, configuration: log.configuration(at: index))
    }

    /// The leader's last proof that a majority followed it: the time it sent the newest round that a
    /// majority has answered. nil on any other role.
    ///
    /// No other leader was elected before then: who answered had not voted for one. It says nothing about later,
    /// because a transfer, or a connection that was lost, may bring about an election at any time; a lease on it
    /// has to be waited for by whoever leads next, from its own election on.
    public func lastQuorumContact(now: Nanoseconds) -> Nanoseconds? {
        guard let leadership else { return nil }
        let proven = provenByQuorum(leadership, now: now)
        return min(proven, leadership.transfer?.sentAt ?? .max)
    }

    /// Leading, and a majority followed less than an election timeout ago.
    public func hasQuorumContact(now: Nanoseconds) -> Bool {
        guard let contact = lastQuorumContact(now: now) else { return false }
        return now < contact + settings.electionNanoseconds
    }

    func provenByQuorum(_ leadership: Leadership, now: Nanoseconds) -> Nanoseconds {
        Quorum.reached(configuration) { voter in
            if voter == id { return now }
            guard let position = leadership.position(of: voter) else { return 0 }
            return leadership.peers[position].provenAt
        }
    }

    /// How the leader sees another member.
    public struct PeerProgress: Equatable, Sendable {
        /// How it is sent to: one append at a time until the logs are known to agree, one behind the other, or pieces
        /// of a snapshot.
        public enum Mode: String, Sendable { case probe, replicate, snapshot }

        /// The other member.
        public let id: NodeID
        /// On its disk and equal to the leader's log up to here (section 5.3); never falls in a term.
        public let match: Index
        /// The next entry to be sent (section 5.3).
        public let next: Index
        /// How it is sent to.
        public let mode: Mode
        /// Appends with entries that are not answered yet.
        public let inFlightMessages: Int
        /// What these entries count for in limits.
        public let inFlightBytes: Int
        /// When a message of this term last came from it; the election counts as one.
        public let lastContact: Nanoseconds
    }

    /// nil unless leading and `peer` is another member.
    public func peerProgress(_ peer: NodeID) -> PeerProgress? {
        guard let leadership, let position = leadership.position(of: peer) else { return nil }
        return describe(leadership.peers[position])
    }

    /// All other members, sorted by id; empty unless leading.
    public var peers: [PeerProgress] { leadership?.peers.map(describe) ?? [] }

    private func describe(_ progress: Progress) -> PeerProgress {
        let mode: PeerProgress.Mode =
            switch progress.state {
            case .probe: .probe
            case .replicate: .replicate
            case .snapshot: .snapshot
            }
        return PeerProgress(
            id: progress.id, match: progress.match, next: progress.next, mode: mode,
            inFlightMessages: progress.inFlightMessages, inFlightBytes: progress.inFlightBytes,
            lastContact: progress.heardAt)
    }
}
