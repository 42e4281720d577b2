import Raft

/// Linearizable reads that wait: for a read index, then for the state machine to reach it. Reads asked for
/// in the same turn share one round to the leader.
struct PendingReads: Sendable {
    private struct Round {
        var id: ReadID
        var tokens: [Token]
        /// Known once the leader has confirmed it.
        var index: Index?
    }

    private var gathering: [Token] = []
    private var rounds: [Round] = []
    private var nextID: ReadID
    private var retryAt: Nanoseconds?

    /// The incarnation makes ids unique over restarts: a late answer to a former life finds nobody.
    init(incarnation: UInt64) {
        nextID = incarnation << 32
    }

    mutating func add(_ token: Token) { gathering.append(token) }

    mutating func abandon(_ token: Token) {
        gathering.removeAll { $0 == token }
        for position in rounds.indices { rounds[position].tokens.removeAll { $0 == token } }
        rounds.removeAll { $0.tokens.isEmpty }
    }

    /// The id of a new round for all reads gathered; nil: there are none, or it is too early to ask again.
    mutating func startRound(now: Nanoseconds) -> ReadID? {
        if let retryAt, now < retryAt { return nil }
        guard !gathering.isEmpty else { return nil }
        retryAt = nil
        nextID += 1
        rounds.append(Round(id: nextID, tokens: gathering, index: nil))
        gathering = []
        return nextID
    }

    mutating func confirm(_ id: ReadID, at index: Index) {
        guard let position = rounds.firstIndex(where: { $0.id == id }) else { return }
        rounds[position].index = index
    }

    /// The round ended without an answer; its reads are asked again under a new id.
    mutating func fail(_ id: ReadID, retryAt time: Nanoseconds) {
        guard let position = rounds.firstIndex(where: { $0.id == id }) else { return }
        gathering += rounds.remove(at: position).tokens
        retryAt = time
    }

    /// A new leader is known: ask it at once.
    mutating func leaderChanged() {
        retryAt = nil
        for round in rounds where round.index == nil { gathering += round.tokens }
        rounds.removeAll { $0.index == nil }
    }

    mutating func takeReady(applied: Index) -> [Token] {
        guard rounds.contains(where: { ($0.index ?? .max) <= applied }) else { return [] }
        var ready: [Token] = []
        rounds.removeAll { round in
            guard let index = round.index, index <= applied else { return false }
            ready += round.tokens
            return true
        }
        return ready
    }

    /// When reads that failed are asked again. Whatever else is under way ends without it: Raft answers every read, or
    /// fails it.
    var nextDeadline: Nanoseconds? { gathering.isEmpty ? nil : retryAt }
}
