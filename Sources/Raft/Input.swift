/// Everything that can happen to the consensus core.
public enum Input: Equatable, Sendable {
    /// Time has passed; due at `Raft.nextDeadline`, harmless at any other time.
    case tick
    /// A message came, whatever has become of it on the way: late, twice, out of order. Not altered, though, and
    /// really from the node it names.
    case receive(Message)
    /// A command for the log (section 5.3). Only while `Raft.acceptsProposals`; the entry gets index `lastIndex + 1`.
    case propose([UInt8])
    /// Everything up to and including the ticket is on disk, synced. Never said after a write or a sync failed.
    case durable(Ticket)
    /// A linearizable read (dissertation, section 6.4). Answered by `.readReady` or `.readFailed` with the same id, on
    /// any role.
    case read(ReadID)
    /// Hand leadership to this voter, or to the best one (dissertation, section 3.10). Ignored unless leading, and given
    /// up after an election timeout; no proposals are accepted meanwhile.
    case transferLeadership(to: NodeID?)
    /// Found a cluster of these nodes, this one among them, in an election that needs every vote. To be said again until
    /// there is a leader, while all of them can be reached; ignored by a node that belongs to a cluster or is led.
    case found([NodeID])
    /// From now on these shall be the voters (section 6; dissertation, chapter 4). Ignored unless leading, so to be said
    /// again to the next leader; `Raft.isChangingMembership` tells whether it has come to be.
    case changeMembership(voters: [NodeID])
    /// The connection to this peer was reset and the peer refuses a new one: its process is gone. Never for a mere
    /// time-out, which would start needless elections.
    case peerLost(NodeID)
    /// The local snapshot at this mark is durable: the prefix of the log may go.
    case snapshotTaken(SnapshotMark)
    /// Answer to `.readSnapshotChunk`. `totalBytes` 0: the file is gone.
    case snapshotChunkRead(
        to: NodeID, mark: SnapshotMark, offset: UInt64, bytes: [UInt8], totalBytes: UInt64)
    /// Answer to `.storeSnapshotChunk`. `isComplete`: the whole file is verified, synced, in place. A file
    /// that turns out damaged is answered with `nextOffset` 0 and fetched again.
    case snapshotChunkStored(mark: SnapshotMark, nextOffset: UInt64, isComplete: Bool)
}

/// What the shell has to do, in this order.
public enum Effect: Equatable, Sendable {
    /// Give it to the transport at once, or lose it: what it promises is on disk already.
    case send(Message)
    /// Write it behind all earlier ones and sync, then answer with `.durable`; never after a failed write or sync.
    case persist(Batch)
    /// Linearizable once the state machine has applied `index`.
    case readReady(ReadID, Index)
    /// No leader, or leadership was lost: the caller asks again.
    case readFailed(ReadID)
    /// Role, term or known leader changed; look at the properties of `Raft`.
    case leadershipChanged
    /// Read up to `Settings.maxSnapshotChunkBytes` at `offset` from the newest snapshot file at `mark` and answer with
    /// `.snapshotChunkRead`.
    case readSnapshotChunk(to: NodeID, mark: SnapshotMark, offset: UInt64)
    /// Write into the snapshot that is being received, answer with `.snapshotChunkStored`. Offset 0 starts
    /// it anew.
    case storeSnapshotChunk(Message.SnapshotChunk)
    /// The received snapshot is durable and the log starts behind it: load it into the state machine.
    case restore(SnapshotMark)
    /// A follower's disk is damaged: take a snapshot at or behind this index as soon as that is applied, however
    /// short the log is. Said again until there is one.
    case takeSnapshot(atLeast: Index)
}
