import Raft
import Scheduler

/// What the API needs of the node around it.
struct NodeFacts {
    let clock: () -> Clock
    /// Read off for `/metrics`.
    let gauges: () -> MetricsGauges
    /// A connection to that peer is up.
    let isConnected: (NodeID) -> Bool
    /// What the node of that name says of itself, while there is a connection in either direction; nil as well if it
    /// has not answered anything that was sent to it at that time of the monotonic clock or later. A connection may
    /// seem to be up for seconds after a node, its machine and its disk are gone.
    let hello: (_ node: String, _ since: Nanoseconds?) -> PeerHello?
    /// Asks the node of that name for a sign of life, if there is a connection to it.
    let probe: (_ node: String) -> Void
    /// Where clients, and nodes, reach it, as far as this node knows.
    let apiAddress: (_ node: String) -> String?
    let peerAddress: (_ node: String) -> String?
    /// Calls a node that is no member at this address; nil: no longer.
    let invite: (_ node: String, Endpoint?) -> Void
    /// When a worker was last heard, as far as this node knows: only the leader does.
    let lastHeartbeat: (_ worker: String) -> Milliseconds?
    /// Has the snapshot thread do something with a file for a backup; answered through `API.exported`.
    let export: (SnapshotExport.Job) -> Void
    /// Where bodies are read that are too large for the loop.
    let bodies: BackgroundThread<Result<JSONDocument, JSONError>>
    /// A client for requests to other nodes.
    let httpClient: () throws(IOError) -> HTTPClient
    /// Runs a body in the loop's next turn.
    let later: (@escaping () -> Void) -> Void
    /// Runs a body at a time of the monotonic clock.
    let schedule: (Nanoseconds, @escaping () -> Void) -> Void
}
