import Raft
import Scheduler

/// Workers that are attached over HTTP: their heartbeats come to any node, which passes them on to the leader.
extension Replica {
    /// Answers each heartbeat once: when a leader with a majority behind it has heard it, or when its session is over.
    mutating func performAttendance(_ clock: Clock, _ effects: inout [ReplicaEffect]) {
        guard !beats.isEmpty else { return }
        let ended = Set(beats.beats.map(\.worker).filter { !isCurrentSession($0) })
        for token in beats.take(where: { ended.contains($0.worker) }) {
            effects.append(.beatAnswered(token, .ended))
        }
        guard let leader = raft.leader,
            let (round, workers) = beats.startRound(
                at: clock.monotonic, interval: settings.beatNanoseconds)
        else { return }
        if leader == id {
            confirm(hear(workers, clock), round: round, &effects)
        } else {
            let attendance = PeerMessage.Attendance(
                incarnation: incarnation, round: round, workers: workers)
            effects.append(.send(.attendance(attendance), to: leader))
        }
    }

    mutating func receive(
        _ attendance: PeerMessage.Attendance, from sender: NodeID, _ clock: Clock,
        _ effects: inout [ReplicaEffect]
    ) {
        guard raft.configuration.isMember(sender) else { return }
        var reply = attendance
        reply.workers = hear(attendance.workers, clock)
        guard !reply.workers.isEmpty else { return }
        effects.append(.send(.attendanceReply(reply), to: sender))
    }

    mutating func confirm(
        _ workers: [PeerMessage.Attendance.Worker], round: UInt64,
        _ effects: inout [ReplicaEffect]
    ) {
        for token in beats.confirm(workers, round: round) {
            effects.append(.beatAnswered(token, .heard))
        }
    }

    /// As the leader. Returns those that may go on: a leader that has lost its quorum must not keep a worker going that
    /// its successor is about to declare lost.
    private mutating func hear(
        _ workers: [PeerMessage.Attendance.Worker], _ clock: Clock
    ) -> [PeerMessage.Attendance.Worker] {
        guard duties != nil else { return [] }
        let now = clock.monotonic
        let hasQuorum = raft.hasQuorumContact(now: now)
        return workers.filter { worker in
            guard isCurrentSession(worker) else { return false }
            duties?.heard(worker.id, at: now)
            return hasQuorum && duties?.mayKeep(worker.id, scheduler, applied: applied) ?? false
        }
    }

    private func isCurrentSession(_ worker: PeerMessage.Attendance.Worker) -> Bool {
        guard let known = scheduler.workerStanding(worker.id) else { return false }
        return known.incarnation == worker.session && known.state != .lost
    }

    /// A session that has just begun was heard of by its registration. Without this its worker would be counted from
    /// the last heartbeat of the session before, and be lost at once.
    mutating func noteSession(of worker: String, _ clock: Clock) {
        guard duties != nil, let known = scheduler.workerStanding(worker),
            Incarnation.isSession(known.incarnation), known.state != .lost
        else { return }
        duties?.heard(worker, at: clock.monotonic)
    }
}
