/// What a node keeps only while it leads.
struct Leadership: Sendable {
    /// Handing over to `target`; no proposals meanwhile, so that it can catch up.
    struct Transfer: Sendable {
        let target: NodeID
        let deadline: Nanoseconds
        /// From then on another leader may appear at any moment, in spite of stickiness.
        var sentAt: Nanoseconds?
    }

    /// Every member except this node, sorted by id.
    var peers: [Progress]
    /// The last round sent in this term.
    var round: UInt64 = 0
    var roundTimes: RoundTimes
    /// This term's first entry. Until it is committed the commit index may be too low to read at.
    let termStartIndex: Index
    var heartbeatDeadline: Nanoseconds
    var isHeartbeatDue = false
    /// A peer lacks entries that it has room for.
    var hasMoreToSend = false
    /// What each newcomer is sent until the next heartbeat, and the log's end at the last one.
    private(set) var learnerBytes: Int
    private(set) var heartbeatIndex: Index
    var transfer: Transfer?
    /// Somebody was told to campaign, in spite of stickiness. The message may be late: no lease in this term.
    var hasInvitedSuccessor = false
    /// The voters there shall be, until they are (`Raft.changeMembership`).
    var targetVoters: [NodeID]?

    init(peers: [Progress], now: Nanoseconds, termStartIndex: Index, settings: Settings) {
        self.peers = peers
        self.termStartIndex = termStartIndex
        heartbeatDeadline = now + settings.heartbeatNanoseconds
        learnerBytes = settings.learnerBytesPerHeartbeat
        heartbeatIndex = termStartIndex
        roundTimes = RoundTimes(
            spacing: settings.heartbeatNanoseconds / 8, keep: 4 * settings.electionNanoseconds)
    }

    func position(of peer: NodeID) -> Int? { peers.firstIndex { $0.id == peer } }

    /// - Parameter appendedBytes: since the last heartbeat. A newcomer gets twice as much at least, or it might never
    ///   catch up.
    mutating func noteHeartbeat(lastIndex: Index, appendedBytes: Int, settings: Settings) {
        heartbeatIndex = lastIndex
        learnerBytes = max(settings.learnerBytesPerHeartbeat, 2 * appendedBytes)
        for position in peers.indices { peers[position].noteHeartbeat() }
    }

    mutating func beginRound(now: Nanoseconds) -> UInt64 {
        round += 1
        roundTimes.note(round: round, now: now)
        return round
    }
}
