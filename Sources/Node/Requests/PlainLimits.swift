import Raft

/// What requests of plain http may take.
struct PlainLimits: Sendable {
    /// Further requests wait for one of them.
    var maxConnectionsPerHost = WorkerLimits.maxConnectionsPerHost
    /// Kept without a request, to all hosts together; beyond, one that has done its work is closed.
    var maxIdleConnections = 512
    var idleMilliseconds = 30_000
    var dials = DialRace.Limits()
    /// A server's machine that answers nothing for so long is gone, however long the server may take for its reply.
    var deadPeerMilliseconds = 60_000
    /// The time-out of the attempt comes first.
    var writeStallMilliseconds = 366 * 86_400_000
    /// Status line, fields and the empty line of a reply.
    var maxHeadBytes = 64 * 1024

    /// How long a name's addresses are taken to be its addresses.
    static let addressNanoseconds: Nanoseconds = 60_000_000_000

    /// Chunks of one byte are eight times as large as what is in them, at most.
    func maxChunkOverheadBytes(bodyBytes: Int) -> Int { 8 * bodyBytes + 256 * 1024 }
}
