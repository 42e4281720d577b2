/// What a leader knows of another member's log and how it sends to it.
struct Progress: Sendable {
    /// - probe: one append, then wait for its reply; heartbeats are probes, too.
    /// - replicate: appends follow one another without waiting, up to the in-flight limits.
    /// - snapshot: the entries it needs are gone; nothing but heartbeats until `snapshotTransfer` has
    ///   brought it a snapshot.
    enum State: Equatable, Sendable { case probe, replicate, snapshot }

    /// A snapshot on its way, piece by piece: the next one goes out when the last one is answered. `mark` stays the
    /// same when a newer snapshot is taken meanwhile, as long as the shell still has the file: starting again each
    /// time might never end.
    struct SnapshotTransfer: Equatable, Sendable {
        enum Step: Equatable, Sendable { case reading, waitingForReply }

        var mark: SnapshotMark
        /// Its disk is damaged: it gets the snapshot although its log reaches further, and entries all the while.
        var isRepair = false
        var offset: UInt64 = 0
        var step = Step.reading
        var since: Nanoseconds
        /// The round of the piece last sent; replies to earlier pieces are stale.
        var round: UInt64 = 0
    }

    private struct InFlight: Sendable {
        let lastIndex: Index
        let bytes: Int
    }

    let id: NodeID
    /// Durable there and equal to our log up to here. Never falls: replies come repeated and out of order.
    private(set) var match: Index = 0
    /// The next entry to send.
    private(set) var next: Index
    private(set) var state = State.probe
    /// Always there in `snapshot`; in the other states it repairs a damaged disk (`Raft.help`).
    private(set) var snapshotTransfer: SnapshotTransfer?
    /// In `probe`: the append at `next` is out. The first reply to its round or a later one ends the wait.
    private(set) var isProbeSent = false
    private(set) var probeRound: UInt64 = 0
    /// The commit index it was last told.
    private(set) var sentCommit: Index = 0
    /// Its connection broke, and nothing has come from it since.
    private(set) var isCutOff = false
    /// While it is to become a voter.
    private(set) var catchUp = CatchUp()
    /// Sent to it since the last heartbeat.
    private(set) var pacedBytes = 0
    /// Its disk has lost something that only a snapshot makes up for: it can't lead.
    var isDamaged = false
    /// The newest round it answered, and when that round was sent: until then it had elected no other.
    private(set) var ackedRound: UInt64 = 0
    private(set) var provenAt: Nanoseconds
    /// When anything of this term last came from it.
    private(set) var heardAt: Nanoseconds

    private var inFlight: [InFlight] = []
    private(set) var inFlightBytes = 0

    /// - Parameter provenAt: when the vote it granted was asked for; 0 if it granted none.
    init(id: NodeID, next: Index, provenAt: Nanoseconds, now: Nanoseconds) {
        self.id = id
        self.next = next
        self.provenAt = provenAt
        heardAt = now
    }

    var inFlightMessages: Int { inFlight.count }

    func hasRoom(_ settings: Settings) -> Bool {
        inFlight.count < settings.maxInFlightMessages && inFlightBytes < settings.maxInFlightBytes
    }

    mutating func noteContact(round: UInt64, sentAt: Nanoseconds, now: Nanoseconds) {
        heardAt = now
        isCutOff = false
        ackedRound = max(ackedRound, round)
        provenAt = max(provenAt, sentAt)
    }

    mutating func noteSent(through index: Index, bytes: Int) {
        precondition(state == .replicate && index >= next)
        inFlight.append(InFlight(lastIndex: index, bytes: bytes))
        inFlightBytes += bytes
        pacedBytes += bytes
        next = index + 1
    }

    mutating func noteProbe(round: UInt64) {
        precondition(state == .probe)
        isProbeSent = true
        probeRound = round
    }

    mutating func noteCatchUp(lastIndex: Index, now: Nanoseconds, settings: Settings) {
        catchUp.note(match: match, lastIndex: lastIndex, now: now, settings: settings)
    }

    mutating func noteHeartbeat() { pacedBytes = 0 }

    mutating func noteCutOff() { isCutOff = true }

    mutating func noteSentCommit(_ index: Index) {
        sentCommit = max(sentCommit, index)
    }

    /// It has everything up to `index` on disk.
    mutating func noteMatch(_ index: Index) {
        match = max(match, index)
        next = max(next, match + 1)
        let done = inFlight.prefix { $0.lastIndex <= match }.count
        guard done > 0 else { return }
        for message in inFlight.prefix(done) { inFlightBytes -= message.bytes }
        inFlight.removeFirst(done)
    }

    /// Begins again from `next`, or from what is certain. Forgets what was in flight: either it is lost, or
    /// its replies raise `match` all the same.
    ///
    /// - Parameter waiting: send nothing but heartbeats until it answers.
    mutating func becomeProbe(next newNext: Index? = nil, waiting: Bool = false, round: UInt64 = 0)
    {
        state = .probe
        next = max(match + 1, newNext ?? match + 1)
        isProbeSent = waiting
        probeRound = round
        sentCommit = 0
        clearInFlight()
    }

    mutating func becomeReplicate() {
        state = .replicate
        next = max(next, match + 1)
        isProbeSent = false
        clearInFlight()
    }

    /// Waits for the snapshot that is on its way.
    mutating func becomeSnapshot() {
        precondition(snapshotTransfer != nil)
        state = .snapshot
        next = match + 1
        isProbeSent = false
        clearInFlight()
    }

    mutating func begin(_ transfer: SnapshotTransfer) { snapshotTransfer = transfer }

    mutating func update(_ transfer: SnapshotTransfer) {
        precondition(snapshotTransfer != nil, "no snapshot is on its way to \(id)")
        snapshotTransfer = transfer
    }

    /// It has the snapshot, or needs none any more.
    mutating func endTransfer() {
        snapshotTransfer = nil
        if state == .snapshot { becomeReplicate() }
    }

    private mutating func clearInFlight() {
        inFlight.removeAll(keepingCapacity: true)
        inFlightBytes = 0
    }
}
