/// A message between two members. The core emits it only when everything it promises is durable, so the
/// shell may send it at once; it may be lost, repeated, delayed or overtaken.
public struct Message: Equatable, Sendable {
    /// The sender. The transport vouches for it: the core believes it.
    public var from: NodeID
    /// The receiver; any other ignores the message.
    public var to: NodeID
    /// The sender's term; for pre-vote requests the term it would campaign in.
    public var term: Term
    /// What is said.
    public var body: Body

    /// As it came; nothing is checked until a `Raft` takes it.
    public init(from: NodeID, to: NodeID, term: Term, body: Body) {
        self.from = from
        self.to = to
        self.term = term
        self.body = body
    }

    /// What can be said. Votes, appends and snapshots are in figures 2 and 13 of the paper, the rest in the
    /// dissertation, but for the repair.
    public enum Body: Equatable, Sendable {
        /// Would you vote for me in the term of this message? (dissertation, section 9.6)
        case preVoteRequest(VoteRequest)
        /// Granted: of the term that was asked about, and binding nobody. Refused: of the sender's own term.
        case preVoteReply(granted: Bool)
        /// RequestVote (section 5.2).
        case voteRequest(VoteRequest)
        /// Its answer. A vote is on disk before it leaves.
        case voteReply(granted: Bool)
        /// AppendEntries (section 5.3): entries, or a heartbeat.
        case append(Append)
        /// Its answer. What it acknowledges is on disk before it leaves.
        case appendReply(AppendReply)
        /// InstallSnapshot (section 7).
        case snapshotChunk(SnapshotChunk)
        /// Its answer.
        case snapshotReply(SnapshotReply)
        /// Leadership transfer: campaign at once (dissertation, section 3.10).
        case timeoutNow
        /// A follower asks the leader for a read index (dissertation, section 6.4).
        case readRequest(ReadID)
        /// nil: the leader can't serve it; ask again.
        case readReply(ReadID, Index?)
        /// Damaged entries are asked back, of anybody. These messages belong to no term; theirs is 0.
        case repairRequest(RepairRequest)
        /// Its answer, if the sender has anything to give.
        case repairReply(RepairReply)
    }

    /// The content of the entries `first` to `last`, the last of which has the term `lastTerm`.
    public struct RepairRequest: Equatable, Sendable {
        /// The first entry wanted.
        public var first: Index
        /// The last entry wanted.
        public var last: Index
        /// Who has another term there has another history, and does not answer.
        public var lastTerm: Term

        /// Asked of a peer; an empty or inverted range is not answered.
        public init(first: Index, last: Index, lastTerm: Term) {
            self.first = first
            self.last = last
            self.lastTerm = lastTerm
        }
    }

    /// Some of them. `isCompacted`: there is only a snapshot of them.
    public struct RepairReply: Equatable, Sendable {
        /// What the sender has of them; perhaps not all.
        public var entries: [Entry]
        /// They are in a snapshot only, and so committed.
        public var isCompacted: Bool

        /// `entries` ascend by index.
        public init(entries: [Entry], isCompacted: Bool) {
            self.entries = entries
            self.isCompacted = isCompacted
        }
    }

    /// The arguments of RequestVote that are not in every message (section 5.2; figure 2).
    public struct VoteRequest: Equatable, Sendable {
        /// Where the candidate's log ends; on its disk before the request leaves.
        public var lastIndex: Index
        /// The term of that entry: the later one counts for more than the longer log (section 5.4.1).
        public var lastTerm: Term
        /// Set for a leadership transfer: leader stickiness does not apply.
        public var isTransfer: Bool

        /// Where the log of the asking node ends, durably.
        public init(lastIndex: Index, lastTerm: Term, isTransfer: Bool) {
            self.lastIndex = lastIndex
            self.lastTerm = lastTerm
            self.isTransfer = isTransfer
        }
    }

    /// Entries, or a heartbeat when `entries` is empty.
    public struct Append: Equatable, Sendable {
        /// The entry right before `entries`, which has to match (section 5.3).
        public var previousIndex: Index
        /// The term of that entry.
        public var previousTerm: Term
        /// The leader's commit index. It may lie behind what the receiver has once it accepts this message, and
        /// tells it then how much it lacks; committed there is only what has come.
        public var commit: Index
        /// Consecutive; empty in a heartbeat.
        public var entries: [Entry]
        /// Unique within the term and rising: a reply carries it back, which proves that the leader led
        /// when the round was sent (ReadIndex, CheckQuorum). 0 only passes on a commit index: it is
        /// answered only if the log does not match.
        public var round: UInt64

        /// Of one leader and term; `entries` begin at `previousIndex + 1`.
        public init(
            previousIndex: Index, previousTerm: Term, commit: Index, entries: [Entry], round: UInt64
        ) {
            self.previousIndex = previousIndex
            self.previousTerm = previousTerm
            self.commit = commit
            self.entries = entries
            self.round = round
        }
    }

    /// The answer to an append (section 5.3), and to anything else that only needs the term.
    public struct AppendReply: Equatable, Sendable {
        /// The round of the append; 0 proves nothing.
        public var round: UInt64
        /// What has become of it.
        public var outcome: Outcome

        /// The answer to the append of `round`.
        public init(round: UInt64, outcome: Outcome) {
            self.round = round
            self.outcome = outcome
        }

        /// What has become of an append.
        public enum Outcome: Equatable, Sendable {
            /// Durable here and equal to the leader's log up to and including this index.
            case matched(Index)
            /// The entry at `previousIndex` does not match. The follower's log has `conflictTerm` at the
            /// point of conflict, beginning at `firstOfTerm`; a log that is too short answers with
            /// `conflictTerm` 0 and `firstOfTerm` = last index + 1.
            case conflict(previousIndex: Index, conflictTerm: Term, firstOfTerm: Index)
            /// A reply that proves leadership but promises nothing about the log: entries of this
            /// round still wait for the disk.
            case received
            /// As `matched`; and a snapshot at or behind `floor` is wanted, because what it covers is damaged
            /// on the follower's disk.
            case damaged(matched: Index, floor: Index)
        }
    }

    /// A piece of a snapshot file. `offset` and `totalBytes` count bytes of the file.
    public struct SnapshotChunk: Equatable, Sendable {
        /// Which snapshot; two of the same mark have the same bytes.
        public var mark: SnapshotMark
        /// Where the piece begins.
        public var offset: UInt64
        /// The piece; never empty.
        public var bytes: [UInt8]
        /// The size of the whole file.
        public var totalBytes: UInt64
        /// As in an append: a reply carries it back.
        public var round: UInt64

        /// `offset + bytes.count` ≤ `totalBytes`, in bytes of the file.
        public init(
            mark: SnapshotMark, offset: UInt64, bytes: [UInt8], totalBytes: UInt64, round: UInt64
        ) {
            self.mark = mark
            self.offset = offset
            self.bytes = bytes
            self.totalBytes = totalBytes
            self.round = round
        }

        /// Ends with the end of the file.
        public var isLast: Bool { offset + UInt64(bytes.count) == totalBytes }
    }

    /// The answer to a piece of a snapshot (section 7): what the receiver wants next, or that it is done.
    public struct SnapshotReply: Equatable, Sendable {
        /// The snapshot's index.
        public var index: Index
        /// The next byte the follower wants.
        public var nextOffset: UInt64
        /// The snapshot is durable and the follower's log starts behind it.
        public var isInstalled: Bool
        /// The round of the piece; 0 proves nothing.
        public var round: UInt64

        /// The answer to the piece of `round`; `nextOffset` counts bytes of the file.
        public init(index: Index, nextOffset: UInt64, isInstalled: Bool, round: UInt64) {
            self.index = index
            self.nextOffset = nextOffset
            self.isInstalled = isInstalled
            self.round = round
        }
    }
}

/// Names a read; unique within one run of the node that asked, never reused on a retry.
public typealias ReadID = UInt64
