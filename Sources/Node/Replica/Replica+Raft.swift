import Raft
import Scheduler

/// Messages from peers, and what Raft asks for.
extension Replica {
    mutating func receive(
        _ message: PeerMessage, from sender: NodeID, _ clock: Clock,
        _ effects: inout [ReplicaEffect]
    ) {
        switch message {
        case .raft(let message):
            guard message.from == sender, message.to == id else { return }
            stepRaft(.receive(message), clock, &effects)
        case .forward(let group):
            // Over the limit it is dropped like a lost message: its origin sends it again.
            guard raft.acceptsProposals, gatheredBytes < settings.raft.maxUncommittedBytes,
                group.origin == sender.name, raft.configuration.isMember(sender)
            else { return }
            gather(group)
        case .beat(let beat):
            // A node that was removed, or took a member's name, is to fall silent.
            guard raft.configuration.isMember(sender) else { return }
            skewMilliseconds[sender] = beat.wall - clock.wall
            guard duties != nil else { return }
            // What a former node of this name still runs is not kept waiting by the beats of its successor.
            if let known = scheduler.workerStanding(sender.name),
                !Incarnation.areOfOneDirectory(known.incarnation, beat.incarnation)
            {
                return
            }
            duties?.heard(sender.name, at: clock.monotonic)
            // A leader that has lost its quorum must not keep a worker going that its successor is about
            // to declare lost.
            guard raft.hasQuorumContact(now: clock.monotonic),
                duties?.mayKeep(sender.name, scheduler, applied: applied) ?? false
            else { return }
            var reply = beat
            reply.wall = clusterTime(at: clock)
            effects.append(.send(.beatReply(reply), to: sender))
        case .beatReply(let beat):
            guard beat.incarnation == incarnation, beat.sentAt <= clock.monotonic,
                sender == raft.leader
            else { return }
            let halfTripNanoseconds = (clock.monotonic - beat.sentAt) / 2
            skewMilliseconds[sender] =
                beat.wall + Milliseconds(halfTripNanoseconds / 1_000_000) - clock.wall
            lease.extend(until: beat.sentAt + settings.leaseNanoseconds)
        case .attendance(let attendance):
            receive(attendance, from: sender, clock, &effects)
        case .attendanceReply(let attendance):
            guard attendance.incarnation == incarnation, sender == raft.leader else { return }
            confirm(attendance.workers, round: attendance.round, &effects)
        case .knock(let knock):
            answer(knock, of: sender, &effects)
        case .knockReply(let reply):
            acquaintances.heard(reply, from: sender)
        case .transfer(let target):
            guard raft.role == .leader, raft.configuration.isMember(sender) else { return }
            stepRaft(.transferLeadership(to: target), clock, &effects)
        }
    }

    mutating func stepRaft(
        _ input: Input, _ clock: Clock, _ effects: inout [ReplicaEffect]
    ) {
        raft.step(input, now: clock.monotonic, into: &raftEffects)
        absorbRaftEffects(clock, &effects)
    }

    mutating func absorbRaftEffects(_ clock: Clock, _ effects: inout [ReplicaEffect]) {
        guard !raftEffects.isEmpty else { return }
        for effect in raftEffects {
            switch effect {
            case .send(let message):
                effects.append(.send(.raft(message), to: message.to))
            case .persist(let batch):
                effects.append(.persist(batch))
            case .readReady(let id, let index):
                reads.confirm(id, at: index)
            case .readFailed(let id):
                reads.fail(id, retryAt: clock.monotonic + settings.raft.heartbeatNanoseconds)
            case .leadershipChanged:
                leadershipChanged(clock)
                effects.append(.leadershipChanged)
            case .readSnapshotChunk(let target, let mark, let offset):
                effects.append(.readSnapshotChunk(to: target, mark: mark, offset: offset))
            case .storeSnapshotChunk(let chunk):
                effects.append(.storeSnapshotChunk(chunk))
            case .takeSnapshot(let index):
                snapshotFloor = max(snapshotFloor, index)
            case .restore(let mark):
                restoring = mark
                effects.append(.restore(mark))
            }
        }
        raftEffects.removeAll(keepingCapacity: true)
    }

    mutating func startReads(_ clock: Clock, _ effects: inout [ReplicaEffect]) {
        guard raft.leader != nil, let round = reads.startRound(now: clock.monotonic) else { return }
        stepRaft(.read(round), clock, &effects)
    }
}
