import Raft
import Scheduler

/// The node's own worker, as far as the replica decides for it.
extension Replica {
    mutating func performWorkerDuties(_ clock: Clock, _ effects: inout [ReplicaEffect]) {
        let now = clock.monotonic
        if let duties, duties.mayKeep(worker.id, scheduler, applied: applied),
            let contact = raft.lastQuorumContact(now: now)
        {
            lease.extend(until: contact + settings.leaseNanoseconds)
        }
        // A node that runs nothing beats as well: the answers tell it the leader's time.
        if lease.beatIsDue(at: now, interval: settings.beatNanoseconds),
            let leader = raft.leader, leader != id
        {
            let beat = PeerMessage.Beat(incarnation: incarnation, sentAt: now, wall: clock.wall)
            effects.append(.send(.beat(beat), to: leader))
        }
        if lease.takeExpiry(at: now) { effects.append(.stopAll) }
        guard !hasBacklog, restoring == nil else { return }
        for assignment in lease.takeLaunches(at: now) { effects.append(.launch(assignment)) }
    }
}
