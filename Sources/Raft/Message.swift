/// A message between two members. The core emits it only when everything it promises is durable, so the
/// shell may send it at once; it may be lost, repeated, delayed or overtaken.
public struct Message: Equatable, Sendable {
    public var from: NodeID
    public var to: NodeID
    /// The sender's term; for pre-vote requests the term it would campaign in.
    public var term: Term
    public var body: Body

    public init(from: NodeID, to: NodeID, term: Term, body: Body) {
        self.from = from
        self.to = to
        self.term = term
        self.body = body
    }

    public enum Body: Equatable, Sendable {
        case preVoteRequest(VoteRequest)
        case preVoteReply(granted: Bool)
        case voteRequest(VoteRequest)
        case voteReply(granted: Bool)
        case append(Append)
        case appendReply(AppendReply)
        case snapshotChunk(SnapshotChunk)
        case snapshotReply(SnapshotReply)
        /// Leadership transfer: campaign at once (dissertation, section 3.10).
        case timeoutNow
        /// A follower asks the leader for a read index (dissertation, section 6.4).
        case readRequest(ReadID)
        /// nil: the leader can't serve it; ask again.
        case readReply(ReadID, Index?)
        /// Damaged entries are asked back, of anybody. These messages belong to no term; theirs is 0.
        case repairRequest(RepairRequest)
        case repairReply(RepairReply)
    }

    /// The content of the entries `first` to `last`, the last of which has the term `lastTerm`.
    public struct RepairRequest: Equatable, Sendable {
        public var first: Index
        public var last: Index
        public var lastTerm: Term

        public init(first: Index, last: Index, lastTerm: Term) {
            self.first = first
            self.last = last
            self.lastTerm = lastTerm
        }
    }

    /// Some of them. `isCompacted`: there is only a snapshot of them.
    public struct RepairReply: Equatable, Sendable {
        public var entries: [Entry]
        public var isCompacted: Bool

        public init(entries: [Entry], isCompacted: Bool) {
            self.entries = entries
            self.isCompacted = isCompacted
        }
    }

    public struct VoteRequest: Equatable, Sendable {
        public var lastIndex: Index
        public var lastTerm: Term
        /// Set for a leadership transfer: leader stickiness does not apply.
        public var isTransfer: Bool

        public init(lastIndex: Index, lastTerm: Term, isTransfer: Bool) {
            self.lastIndex = lastIndex
            self.lastTerm = lastTerm
            self.isTransfer = isTransfer
        }
    }

    /// Entries, or a heartbeat when `entries` is empty.
    public struct Append: Equatable, Sendable {
        public var previousIndex: Index
        public var previousTerm: Term
        public var commit: Index
        public var entries: [Entry]
        /// Unique within the term and rising: a reply carries it back, which proves that the leader led
        /// when the round was sent (ReadIndex, CheckQuorum). 0 only passes on a commit index: it is
        /// answered only if the log does not match.
        public var round: UInt64

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

    public struct AppendReply: Equatable, Sendable {
        public var round: UInt64
        public var outcome: Outcome

        public init(round: UInt64, outcome: Outcome) {
            self.round = round
            self.outcome = outcome
        }

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
        public var mark: SnapshotMark
        public var offset: UInt64
        public var bytes: [UInt8]
        public var totalBytes: UInt64
        public var round: UInt64

        public init(
            mark: SnapshotMark, offset: UInt64, bytes: [UInt8], totalBytes: UInt64, round: UInt64
        ) {
            self.mark = mark
            self.offset = offset
            self.bytes = bytes
            self.totalBytes = totalBytes
            self.round = round
        }

        public var isLast: Bool { offset + UInt64(bytes.count) == totalBytes }
    }

    public struct SnapshotReply: Equatable, Sendable {
        public var index: Index
        /// The next byte the follower wants.
        public var nextOffset: UInt64
        /// The snapshot is durable and the follower's log starts behind it.
        public var isInstalled: Bool
        public var round: UInt64

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
