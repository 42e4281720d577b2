/// A term: a logical clock that names at most one leader (Raft paper, section 5.1).
public typealias Term = UInt64

/// A position in the log. The first entry has index 1; 0 means "before the log".
public typealias Index = UInt64

/// Nanoseconds of a node's monotonic clock. Comparable only within one run of one node.
public typealias Nanoseconds = UInt64

/// One entry of the replicated log.
public struct Entry: Equatable, Sendable {
    /// Position in the log. With the term it determines the entry on all nodes (log matching, section 5.3).
    public var index: Index
    /// The term of the leader that appended it; never falls along the log.
    public var term: Term
    /// What it is for.
    public var payload: Payload

    /// - Precondition: `index` ≥ 1; the term is that of the leader that appends it.
    public init(index: Index, term: Term, payload: Payload) {
        self.index = index
        self.term = term
        self.payload = payload
    }

    /// What an entry is for.
    public enum Payload: Equatable, Sendable {
        /// Appended by a new leader so that entries of earlier terms can commit (section 5.4.2).
        case noop
        /// Opaque to Raft: a batch of commands for the state machine.
        case command([UInt8])
        /// Takes effect when it is appended, not when it is committed (section 6).
        case configuration(Configuration)
        /// The bytes on this node's disk are damaged: index and term are known, the content has to come from
        /// a peer. Never sent, never counted as durable, never applied.
        case lost
    }

    /// What the entry counts for in limits: its payload and a fixed charge for its header.
    public var sizeBytes: Int {
        switch payload {
        case .noop, .lost: 32
        case .command(let bytes): 32 + bytes.count
        case .configuration(let configuration): 32 + configuration.sizeBytes
        }
    }
}
