import Raft

/// What the transport tells about a peer.
enum PeerState: Equatable, Sendable {
    /// Messages can be sent. `incarnation` tells the peer's restarts apart.
    case connected(NodeID, incarnation: UInt64)
    /// They cannot; calling goes on.
    case disconnected(reason: String)
    /// The peer does not talk to us, or we not to it.
    case refused(reason: String)
    /// The connection was closed by the other side, and nobody listens there any more: the process has
    /// ended. Comes once for each lost connection, after `disconnected`.
    case gone(NodeID)
}

/// How it stands with one peer.
struct PeerStatus: Equatable, Sendable {
    var id: String
    var endpoint: Endpoint
    /// As it says of itself; nil before the first connection in either direction.
    var hello: PeerHello?
    /// Nobody told us of it; it has called.
    var isGuest = false
    /// We have a connection to it.
    var isConnected = false
    /// It has a connection to us.
    var isCalling = false
    /// Of the last hello it sent.
    var incarnation: UInt64? { hello?.incarnation }
    var queuedBytes = 0
    /// Of the last ping.
    var roundTripNanoseconds: Nanoseconds?
    /// When the last ping that it answered was sent: then it surely ran.
    var answeredPingAt: Nanoseconds?
    /// Why there is no connection to it, if there is none.
    var lastFailure: String?
    var sentFrames: UInt64 = 0
    var sentBytes: UInt64 = 0
    /// Because there was no connection or the queue was full.
    var droppedFrames: UInt64 = 0
    var receivedFrames: UInt64 = 0
    var receivedBytes: UInt64 = 0
}
