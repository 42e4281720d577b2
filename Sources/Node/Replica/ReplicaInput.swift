import Raft
import Scheduler

/// Both clocks of a node, read once a turn.
public struct Clock: Equatable, Sendable {
    /// Never goes back; comparable within one run of one node only.
    public var monotonic: Nanoseconds
    /// May jump.
    public var wall: Milliseconds
    /// How much of the next millisecond has passed.
    public var wallRemainder: Nanoseconds

    public init(monotonic: Nanoseconds, wall: Milliseconds, wallRemainder: Nanoseconds = 0) {
        self.monotonic = monotonic
        self.wall = wall
        self.wallRemainder = wallRemainder
    }

    /// By the wall clock; 0 if it has not come yet. No nanoseconds: a clock that was set to a far year has too many of them.
    func microseconds(since instant: Milliseconds) -> UInt64 {
        wall < instant ? 0 : UInt64(wall - instant) * 1_000 + wallRemainder / 1_000
    }
}

/// Names a request or a read between the replica and its host; chosen by the host, unique in its run.
public typealias Token = UInt64

/// Everything that can happen to a replica.
public enum ReplicaInput: Sendable {
    case tick
    case peer(from: NodeID, PeerMessage)
    /// A connection to this peer is up: what was sent before may have been lost.
    case peerConnected(NodeID)
    /// Its process is gone: the connection was reset and a new one refused.
    case peerGone(NodeID)
    case durable(Ticket)
    /// Answered by `.completed` or `.refused`, unless the node dies.
    case request(Token, Command)
    /// Answered by `.refused`, unless an answer was given already. A request that was never sent is
    /// withdrawn; one that is under way can't be.
    case abandonRequest(Token)
    /// Answered by `.readReady`; the host gives up by `.abandonRead`.
    case read(Token)
    case abandonRead(Token)
    /// An attached worker says that it lives; answered by `.beatAnswered`, the host gives up by `.abandonWorkerBeat`. To
    /// be asked behind a read: a state that lags behind may not know the session yet.
    case workerBeat(Token, worker: String, session: UInt64)
    case abandonWorkerBeat(Token)
    /// The attempt's process is gone from the local worker, whatever came of it.
    case attemptEnded(TaskID, attempt: UInt32)
    case transferLeadership(to: NodeID?)
    /// Stop offering slots; `Replica.isDrained` tells when nothing runs any more.
    case drain
    /// `bytes`: of its file.
    case snapshotWritten(SnapshotMark, bytes: Int)
    /// A snapshot at or behind this index is wanted, however little there is to compact.
    case takeSnapshot(atLeast: Index)
    /// The file of this snapshot has rotted or is gone. If it is the newest, one is due, however little there is to compact.
    case snapshotDamaged(SnapshotMark)
    case snapshotChunkRead(
        to: NodeID, mark: SnapshotMark, offset: UInt64, bytes: [UInt8], totalBytes: UInt64)
    case snapshotChunkStored(mark: SnapshotMark, nextOffset: UInt64, isComplete: Bool)
    /// The answer to `.restore`. Indirect: a state machine held in line would make every input as large.
    indirect case restored(SnapshotMark, Scheduler)
}

/// What the host has to do, in this order.
public enum ReplicaEffect: Sendable {
    case send(PeerMessage, to: NodeID)
    case persist(Batch)
    case completed(Token, Outcome)
    case refused(Token, Refusal)
    /// Everything that was acknowledged before the read was asked for is in `Replica.scheduler` now.
    case readReady(Token)
    case beatAnswered(Token, BeatAnswer)
    /// Something was assigned to this attached worker, or it has come, gone or changed.
    case attachedWorkerChanged(String)
    case launch(Assignment)
    /// The attempt is no longer wanted; no result is expected.
    case stop(TaskID, attempt: UInt32)
    /// Contact to the leader was lost for so long that others may run these attempts soon.
    case stopAll
    /// The task reached a final state.
    case finished(TaskID, TaskState)
    /// The state machine did not take the node's own worker, or its draining.
    case workerRefused(Rejection)
    /// This node leads, and can't compute the times of a schedule that is due: it does not fire before somebody can. Told
    /// once in a term for each time that the schedule is put.
    case schedulePassedOver(String, zone: String)
    case leadershipChanged
    /// `Replica.scheduler` was replaced by a snapshot: `.finished` may have been skipped for any task.
    case stateReplaced
    /// Indirect, as `ReplicaInput.restored` is.
    indirect case writeSnapshot(SnapshotMark, SchedulerSnapshot)
    case readSnapshotChunk(to: NodeID, mark: SnapshotMark, offset: UInt64)
    case storeSnapshotChunk(Message.SnapshotChunk)
    case restore(SnapshotMark)
}

public enum BeatAnswer: Equatable, Sendable {
    /// A leader that a majority follows has heard it, so what the worker runs is nobody else's.
    case heard
    /// The session is not the worker's current one, or was declared lost.
    case ended
}

public enum Refusal: Equatable, Sendable {
    /// Too many requests of this node wait already. Nothing was done.
    case overloaded
    /// The deadline passed before any leader was asked. Nothing was done.
    case noLeader
    /// The deadline passed while the request was under way, or this node was no member by then: it may or may not be
    /// done.
    case outcomeUnknown
}
