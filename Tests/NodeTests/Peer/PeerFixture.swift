import CLinux
import Glibc
import Raft
import Testing

@testable import Node

/// Nodes on one loop, and what their transports told.
final class PeerFixture {
    final class Node {
        var transport: PeerTransport!
        var frames: [(peer: NodeID, payload: [UInt8])] = []
        var hellos: [PeerHello] = []
        var states: [(peer: String, state: PeerState)] = []
        var log: [String] = []

        func isConnected(to peer: String) -> Bool {
            transport.status(of: peer)?.isConnected == true
        }
    }

    let loop: Loop
    private var nodes: [Node] = []

    init() throws {
        loop = try Loop()
    }

    deinit {
        for node in nodes { node.transport?.close() }
    }

    func node(
        _ id: NodeID, cluster: String = "demo", incarnation: UInt64 = 1, listen: Endpoint? = nil,
        highestStateVersion: UInt32 = 2, peers: [(id: String, endpoint: Endpoint)],
        limits: PeerLimits = .patient
    ) throws -> Node {
        let node = Node()
        let own = PeerHello(
            cluster: cluster, sender: id, incarnation: incarnation,
            highestStateVersion: highestStateVersion, peer: "", api: "127.0.0.1:1")
        node.transport = try PeerTransport(
            loop: loop, own: own, listen: listen ?? Endpoint(host: "127.0.0.1", port: 0),
            peers: peers, limits: limits,
            onFrame: { [unowned node] in node.frames.append(($0, $1)) },
            onHello: { [unowned node] in node.hellos.append($0) },
            onState: { [unowned node] in node.states.append(($0, $1)) },
            log: { [unowned node] in node.log.append($0) })
        nodes.append(node)
        // The port is known only now; connections begin in later turns.
        node.transport.own.peer = "\(endpoint(of: node))"
        return node
    }

    /// Two nodes that know each other and are connected both ways.
    func pair(limits: PeerLimits = .patient) throws -> (a: Node, b: Node) {
        let a = try node("a", peers: [], limits: limits)
        let b = try node("b", peers: [("a", endpoint(of: a))], limits: limits)
        a.transport.update(peers: [("b", endpoint(of: b))])
        turn { a.isConnected(to: "b") && b.isConnected(to: "a") }
        return (a, b)
    }

    func endpoint(of node: Node) -> Endpoint {
        Endpoint(host: "127.0.0.1", port: node.transport.address!.port)
    }

    func turn(until condition: () -> Bool) {
        for _ in 0..<20_000 {
            if condition() { return }
            loop.turn(maxWaitMilliseconds: 1)
        }
        Issue.record("the condition never held")
    }

    /// A connection to a node by something that is none.
    func stranger(to node: Node) throws -> PeerStranger {
        PeerStranger(socket: try Socket.connect(to: node.transport.address!))
    }
}

/// A bare socket.
final class PeerStranger {
    private let socket: Descriptor
    private(set) var received: [UInt8] = []
    private(set) var hasEnded = false

    init(socket: consuming Descriptor) {
        self.socket = socket
    }

    /// Small pieces, which a fresh socket takes whole; false until it is connected.
    func send(_ bytes: [UInt8]) -> Bool {
        let count = Glibc.send(socket.number, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        return count == bytes.count
    }

    func poll() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !hasEnded {
            let count = recv(socket.number, &buffer, buffer.count, 0)
            if count > 0 {
                received += buffer[..<count]
            } else {
                hasEnded = count == 0 || (errno != EAGAIN && errno != ENOTCONN)
                return
            }
        }
    }
}

extension PeerLimits {
    /// No time-out strikes however busy the machine is.
    static var patient: PeerLimits {
        var limits = PeerLimits()
        limits.connectMilliseconds = 60_000
        limits.helloMilliseconds = 60_000
        limits.silenceMilliseconds = 60_000
        limits.callerSilenceMilliseconds = 60_000
        limits.goneMilliseconds = 60_000
        limits.refusedBackoffMilliseconds = 3_600_000
        return limits
    }
}
