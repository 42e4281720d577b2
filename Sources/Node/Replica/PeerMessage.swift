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

    public struct Beat: Equatable, Sendable {
        public var incarnation: UInt64
        /// The sender's monotonic clock; only the sender reads it again, in the reply.
        public var sentAt: Nanoseconds
        /// The wall clock of whoever sends this message.
        public var wall: Milliseconds

        public init(incarnation: UInt64, sentAt: Nanoseconds, wall: Milliseconds) {
            self.incarnation = incarnation
            self.sentAt = sentAt
            self.wall = wall
        }
    }
}
