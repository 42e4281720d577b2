import Raft
import Scheduler

/// What nodes say to each other. Any of it may be lost, repeated or delayed.
public enum PeerMessage: Equatable, Sendable {
    case raft(Message)
    /// Commands of the sender's clients, for the leader. There is no reply: the origin finds the outcomes
    /// when it applies the entry, and sends again what stays unanswered.
    case forward(CommandGroup)
    /// A node's worker is alive. Sent to the leader.
    case beat(Beat)
    /// The leader heard that beat while a quorum followed it.
    case beatReply(Beat)
    /// Workers attached to the sender are alive. Sent to the leader.
    case attendance(Attendance)
    /// Those of them that the leader heard and keeps, while a quorum followed it.
    case attendanceReply(Attendance)
    /// A node that nobody leads asks whether there is a cluster, and whether it belongs to it.
    case knock(Knock)
    case knockReply(KnockReply)
    /// For the leader: hand leadership over, to this member or to the best. Whoever asked sees the change.
    case transfer(to: NodeID?)

    public struct Knock: Equatable, Sendable {
        /// To be taken in as a member.
        public var wantsIn: Bool
        public var record: NodeRecord

        public init(wantsIn: Bool, record: NodeRecord) {
            self.wantsIn = wantsIn
            self.record = record
        }
    }

    public struct KnockReply: Equatable, Sendable {
        /// The one who answers is a member of a cluster, as far as it knows.
        public var isFounded: Bool
        /// With which data directory the knocking node's name is a member; nil: it is none.
        public var directory: UInt64?

        public init(isFounded: Bool, directory: UInt64?) {
            self.isFounded = isFounded
            self.directory = directory
        }
    }

    public struct Attendance: Equatable, Sendable {
        public struct Worker: Hashable, Sendable {
            public var id: String
            public var session: UInt64

            public init(id: String, session: UInt64) {
                self.id = id
                self.session = session
            }
        }

        /// Of the node that asks.
        public var incarnation: UInt64
        /// Counted by the node that asks; only that one reads it again, in the reply.
        public var round: UInt64
        public var workers: [Worker]

        public init(incarnation: UInt64, round: UInt64, workers: [Worker]) {
            self.incarnation = incarnation
            self.round = round
            self.workers = workers
        }
    }

    public struct Beat: Equatable, Sendable {
        public var incarnation: UInt64
        /// The sender's monotonic clock; only the sender reads it again, in the reply.
        public var sentAt: Nanoseconds
        /// The wall clock of whoever sends this message; in a reply the leader's time.
        public var wall: Milliseconds

        public init(incarnation: UInt64, sentAt: Nanoseconds, wall: Milliseconds) {
            self.incarnation = incarnation
            self.sentAt = sentAt
            self.wall = wall
        }
    }
}
