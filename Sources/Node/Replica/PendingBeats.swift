import Raft

/// Heartbeats of attached workers that came to this node and that no leader has confirmed yet.
///
/// They travel in rounds, and a reply confirms only what was waiting when its round was sent: an attached worker counts
/// its lease from when it sent its heartbeat, so a leader that heard an earlier one must not vouch for a later one.
struct PendingBeats: Sendable {
    struct Beat: Sendable {
        let token: Token
        let worker: PeerMessage.Attendance.Worker
        /// The first round that carries it.
        let round: UInt64
    }

    private(set) var beats: [Beat] = []
    private var round: UInt64 = 1
    private var hasUnsent = false
    private var nextResend: Nanoseconds = 0

    var isEmpty: Bool { beats.isEmpty }

    mutating func add(_ token: Token, _ worker: PeerMessage.Attendance.Worker) {
        beats.append(Beat(token: token, worker: worker, round: round))
        hasUnsent = true
    }

    mutating func remove(_ token: Token) { beats.removeAll { $0.token == token } }

    /// A new leader knows of nothing.
    mutating func markAllUnsent() { hasUnsent = !beats.isEmpty }

    /// What a round that begins now carries; nil: none is due.
    mutating func startRound(
        at now: Nanoseconds, interval: Nanoseconds
    ) -> (round: UInt64, workers: [PeerMessage.Attendance.Worker])? {
        guard !beats.isEmpty, hasUnsent || now >= nextResend else { return nil }
        hasUnsent = false
        nextResend = now + interval
        defer { round += 1 }
        return (round, beats.map(\.worker))
    }

    /// The leader heard these workers in that round. Returns whose heartbeats are confirmed.
    mutating func confirm(
        _ workers: [PeerMessage.Attendance.Worker], round: UInt64
    ) -> [Token] {
        let heard = Set(workers)
        return take { $0.round <= round && heard.contains($0.worker) }
    }

    mutating func take(where isTaken: (Beat) -> Bool) -> [Token] {
        let tokens = beats.filter(isTaken).map(\.token)
        if !tokens.isEmpty { beats.removeAll(where: isTaken) }
        return tokens
    }

    var nextDeadline: Nanoseconds? {
        beats.isEmpty ? nil : hasUnsent ? 0 : nextResend
    }
}
