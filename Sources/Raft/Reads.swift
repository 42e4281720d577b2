/// Reads that wait for an index, on either side (dissertation, section 6.4).
///
/// All reads of one turn share a round of the leader, or one request to the leader. What identifies a
/// request on the wire is made up here and never used twice, not even by a later run of the node: a reply
/// that was under way when the node restarted would otherwise answer a newer read with an older index.
struct Reads: Sendable {
    enum Origin: Equatable, Sendable {
        case local(ReadID)
        case remote(NodeID, ReadID)
    }

    /// Waits until a majority has answered `round` or a later one.
    struct Round: Sendable {
        let index: Index
        let round: UInt64
        let origins: [Origin]
    }

    struct Forwarded: Sendable {
        let wireID: ReadID
        let reads: [ReadID]
        let sentAt: Nanoseconds
        let deadline: Nanoseconds
    }

    /// Reads refused beyond this many waiting ones.
    static let maxWaiting = 65_536

    /// Leader: not yet in a round. Follower: not yet in a request.
    private(set) var gathered: [Origin] = []
    private(set) var rounds: [Round] = []
    private(set) var forwarded: [Forwarded] = []
    private(set) var waiting = 0
    private var nextWireID: ReadID
    /// How long an answer is waited for. An answer takes the way to the leader and the leader's way to a majority, which
    /// may be longer than any fixed time; a read that was given up each time before would never end. So it doubles with
    /// what is given up, and follows what answers take.
    private var patience: Nanoseconds
    private let leastPatience: Nanoseconds

    /// Times the least patience.
    private static let mostPatience: Nanoseconds = 32

    init(firstWireID: ReadID, leastPatience: Nanoseconds) {
        nextWireID = firstWireID
        self.leastPatience = leastPatience
        patience = leastPatience
    }

    var hasRoom: Bool { waiting < Self.maxWaiting }
    var firstDeadline: Nanoseconds? { forwarded.lazy.map(\.deadline).min() }

    mutating func gather(_ origin: Origin) {
        gathered.append(origin)
        waiting += 1
    }

    mutating func beginRound(index: Index, round: UInt64) {
        rounds.append(Round(index: index, round: round, origins: gathered))
        gathered.removeAll()
    }

    /// Takes out what is in no round yet.
    mutating func takeGathered() -> [Origin] {
        defer { gathered.removeAll() }
        waiting -= gathered.count
        return gathered
    }

    /// Takes out the rounds that are answered.
    mutating func finishRounds(through round: UInt64) -> ArraySlice<Round> {
        let done = rounds.prefix { $0.round <= round }
        guard !done.isEmpty else { return [] }
        rounds.removeFirst(done.count)
        for finished in done { waiting -= finished.origins.count }
        return done
    }

    /// Follower: puts what is gathered into one request and names it.
    mutating func forward(now: Nanoseconds) -> ReadID {
        defer { nextWireID &+= 1 }
        let reads = gathered.map { origin in
            guard case .local(let read) = origin else {
                preconditionFailure("a follower gathers its own reads only")
            }
            return read
        }
        forwarded.append(
            Forwarded(wireID: nextWireID, reads: reads, sentAt: now, deadline: now + patience))
        gathered.removeAll()
        return nextWireID
    }

    /// The reads of a request that was answered; empty if it is unknown or given up.
    mutating func finishForwarded(_ wireID: ReadID, now: Nanoseconds) -> [ReadID] {
        guard let position = forwarded.firstIndex(where: { $0.wireID == wireID }) else { return [] }
        let finished = forwarded.remove(at: position)
        waiting -= finished.reads.count
        patience = max(
            leastPatience, min(2 * (now - finished.sentAt), Self.mostPatience * leastPatience))
        return finished.reads
    }

    /// The reads of requests whose reply is overdue.
    mutating func expireForwarded(now: Nanoseconds) -> [ReadID] {
        guard let first = firstDeadline, first <= now else { return [] }
        let reads = forwarded.filter { $0.deadline <= now }.flatMap(\.reads)
        forwarded.removeAll { $0.deadline <= now }
        waiting -= reads.count
        patience = min(2 * patience, Self.mostPatience * leastPatience)
        return reads
    }

    /// Everything that waits, in the order it came; nothing waits afterwards.
    mutating func takeAll() -> [Origin] {
        let all =
            rounds.flatMap(\.origins) + gathered
            + forwarded.flatMap { $0.reads.map(Origin.local) }
        gathered.removeAll()
        rounds.removeAll()
        forwarded.removeAll()
        waiting = 0
        return all
    }
}
