import Glibc
import Raft
import Testing

@testable import Node

@Suite struct PeerTransportTests {
    @Test func messagesArriveInOrderAndWhole() throws {
        let fixture = try PeerFixture()
        let (a, b) = try fixture.pair()
        let large = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 / 253) }
        let sent: [[UInt8]] = [[], [1], large, [2, 3], Array(large[..<70_000]), [4]]
        for payload in sent { #expect(a.transport.send([payload], to: "b")) }
        #expect(b.transport.send([[9]], to: "a"))
        fixture.turn { b.frames.count == sent.count && a.frames.count == 1 }
        // Compared outside #expect, which would print the megabytes.
        let isWhole = b.frames.map(\.payload) == sent
        #expect(isWhole)
        #expect(b.frames.allSatisfy { $0.peer == "a" })
        #expect(a.frames[0].peer == "b" && a.frames[0].payload == [9])
        let status = try #require(a.transport.status(of: "b"))
        #expect(status.sentFrames == UInt64(sent.count))
        #expect(status.isCalling && status.isConnected)
    }

    @Test func everyPairOfThreeNodesConnects() throws {
        let fixture = try PeerFixture()
        let nodes = try ["a", "b", "c"].map { try fixture.node(NodeID($0), peers: []) }
        let peers = zip(["a", "b", "c"], nodes).map { (id: $0, endpoint: fixture.endpoint(of: $1)) }
        for node in nodes { node.transport.update(peers: peers) }
        fixture.turn {
            nodes.allSatisfy { $0.transport.statuses.filter { $0.isConnected }.count == 2 }
        }
        #expect(nodes[0].transport.statuses.map(\.id) == ["b", "c"], "a node does not call itself")
        fixture.turn {
            nodes.allSatisfy { $0.transport.statuses.allSatisfy { $0.roundTripNanoseconds != nil } }
        }
        for node in nodes {
            for (name, state) in node.states {
                #expect(state == .connected(NodeID(name), incarnation: 1))
            }
        }
    }

    @Test func withoutConnectionAMessageIsDropped() throws {
        let fixture = try PeerFixture()
        let a = try fixture.node("a", peers: [("b", Endpoint(host: "127.0.0.1", port: 1))])
        #expect(!a.transport.send([[1]], to: "b"))
        #expect(!a.transport.send([[1]], to: "nobody"))
        #expect(a.transport.status(of: "b")?.droppedFrames == 1)
        #expect(a.transport.status(of: "nobody") == nil)
        fixture.turn { a.transport.status(of: "b")?.lastFailure != nil }
        #expect(a.transport.status(of: "b")?.lastFailure?.contains("refused") == true)
        #expect(a.states.isEmpty, "who never was there is not gone")
    }

    @Test func aFullQueueDropsAndRecovers() throws {
        var limits = PeerLimits.patient
        limits.maxQueuedBytes = 2_000_000
        limits.maxFrameBytes = 900_000
        let fixture = try PeerFixture()
        let (a, b) = try fixture.pair(limits: limits)
        let payload = [UInt8](repeating: 1, count: 900_000)
        #expect(a.transport.send([payload], to: "b"))
        #expect(a.transport.send([payload], to: "b"))
        #expect(!a.transport.send([payload], to: "b"))
        #expect(!a.transport.send([payload + [1]], to: "b"), "larger than a frame may be")
        #expect(a.transport.status(of: "b")!.queuedBytes <= limits.maxQueuedBytes)
        fixture.turn { b.frames.count == 2 }
        #expect(a.transport.send([payload], to: "b"))
        fixture.turn { b.frames.count == 3 }
        #expect(a.transport.status(of: "b")?.droppedFrames == 2)
    }

    @Test func wrongNodesAreRefusedWithTheReason() throws {
        let cases: [(cluster: String, id: String, callsItself: String, reason: String)] = [
            ("other", "b", "a", "belongs to cluster 'other'"),
            ("demo", "b", "c", "means 'c', but this is 'a'"),
        ]
        for (cluster, id, target, reason) in cases {
            let fixture = try PeerFixture()
            let a = try fixture.node("a", peers: [("b", Endpoint(host: "127.0.0.1", port: 1))])
            let other = try fixture.node(
                NodeID(id), cluster: cluster, peers: [(target, fixture.endpoint(of: a))])
            fixture.turn { !other.states.isEmpty }
            guard case .refused(let told) = other.states[0].state else {
                Issue.record("state is \(other.states[0].state)")
                return
            }
            #expect(told.contains(reason))
            #expect(a.log.contains { $0.contains(reason) })
            #expect(other.log.contains { $0.contains(reason) })
            #expect(!other.transport.send([[1]], to: NodeID(target)))
            // The next attempt is far away: nothing happens for a while.
            let attempts = other.states.count
            let end = Loop.clock() + 100_000_000
            fixture.turn { Loop.clock() >= end }
            #expect(other.states.count == attempts)
        }
    }

    /// A node that nobody told us of, as one that wants to be taken in: called back where it says it is.
    @Test func aGuestIsCalledBackAsLongAsItCalls() throws {
        let fixture = try PeerFixture()
        let a = try fixture.node("a", peers: [])
        let b = try fixture.node(
            NodeID("b", directory: 7), peers: [("a", fixture.endpoint(of: a))])
        fixture.turn { b.isConnected(to: "a") && a.isConnected(to: "b") }
        #expect(a.transport.status(of: "b")?.isGuest == true)
        #expect(a.hellos.contains { $0.id == NodeID("b", directory: 7) && $0.api == "127.0.0.1:1" })
        #expect(a.transport.send([[1]], to: NodeID("b", directory: 7)))
        fixture.turn { b.frames.count == 1 }
        // Told of it, it is no guest any more, and stays connected.
        a.transport.update(peers: [("b", fixture.endpoint(of: b))])
        #expect(a.transport.status(of: "b")?.isGuest == false)
        #expect(a.isConnected(to: "b"))
        // Untold, it is cut off, and a guest as soon as it calls again.
        a.transport.update(peers: [])
        #expect(a.transport.statuses.isEmpty)
        fixture.turn { a.transport.status(of: "b")?.isGuest == true && a.isConnected(to: "b") }
        b.transport.close()
        fixture.turn { a.transport.statuses.isEmpty }
    }

    @Test func thereIsRoomForSoManyGuests() throws {
        var limits = PeerLimits.patient
        limits.maxGuests = 1
        let fixture = try PeerFixture()
        let a = try fixture.node("a", peers: [], limits: limits)
        let peers = [(id: "a", endpoint: fixture.endpoint(of: a))]
        let b = try fixture.node("b", peers: peers)
        fixture.turn { a.isConnected(to: "b") }
        let c = try fixture.node("c", peers: peers)
        fixture.turn { !c.states.isEmpty }
        guard case .refused(let reason) = c.states[0].state else {
            Issue.record("state is \(c.states[0].state)")
            return
        }
        #expect(reason.contains("knows no node 'c'"))
        #expect(a.isConnected(to: "b") && b.isConnected(to: "a"))
    }

    /// What is meant for the node that was lost must not reach the one that took its place.
    @Test func anotherDirectoryIsAnotherReceiver() throws {
        let fixture = try PeerFixture()
        let a = try fixture.node("a", peers: [])
        let b = try fixture.node(
            NodeID("b", directory: 1), peers: [("a", fixture.endpoint(of: a))])
        a.transport.update(peers: [("b", fixture.endpoint(of: b))])
        fixture.turn { a.isConnected(to: "b") && b.isConnected(to: "a") }
        #expect(!a.transport.send([[1]], to: NodeID("b", directory: 2)))
        #expect(a.transport.send([[2]], to: NodeID("b", directory: 1)))
        #expect(b.transport.send([[3]], to: "a"))
        fixture.turn { b.frames.count == 1 && a.frames.count == 1 }
        #expect(b.frames[0].payload == [2])
        #expect(a.frames[0].peer == NodeID("b", directory: 1))
    }

    @Test func aProgramTooOldForTheStateIsRefusedOnBothSides() throws {
        let fixture = try PeerFixture()
        let a = try fixture.node("a", highestStateVersion: 3, peers: [])
        a.transport.own.stateVersion = 3
        let b = try fixture.node(
            "b", highestStateVersion: 2, peers: [("a", fixture.endpoint(of: a))])
        fixture.turn { !b.states.isEmpty }
        let reason = "is at version 3, and the program of b knows only versions up to 2"
        guard case .refused(let told) = b.states[0].state else {
            Issue.record("state is \(b.states[0].state)")
            return
        }
        #expect(told.contains(reason))
        #expect(a.log.contains { $0.contains(reason) })
        // The other way round: the old one is called.
        a.transport.update(peers: [("b", fixture.endpoint(of: b))])
        fixture.turn { !a.states.isEmpty }
        guard case .refused(let answered) = a.states[0].state else {
            Issue.record("state is \(a.states[0].state)")
            return
        }
        #expect(answered.contains(reason))
    }

    @Test func aDeadProcessIsGoneOnceAndItsRestartIsFound() throws {
        let fixture = try PeerFixture()
        let (a, b) = try fixture.pair()
        let address = fixture.endpoint(of: b)
        b.transport.close()
        fixture.turn { a.states.contains { $0.state == .gone("b") } }
        let end = Loop.clock() + 50_000_000
        fixture.turn { Loop.clock() >= end }
        #expect(a.states.filter { $0.state == .gone("b") }.count == 1)
        #expect(!a.isConnected(to: "b"))
        #expect(!a.transport.send([[1]], to: "b"))
        let again = try fixture.node(
            "b", incarnation: 2, listen: address, peers: [("a", fixture.endpoint(of: a))])
        fixture.turn { a.isConnected(to: "b") && again.isConnected(to: "a") }
        #expect(a.states.last?.state == .connected("b", incarnation: 2))
        #expect(a.transport.send([[7]], to: "b"))
        fixture.turn { again.frames.count == 1 }
        #expect(
            a.states.map(\.state).contains { if case .disconnected = $0 { true } else { false } })
    }

    @Test func aPeerThatMovedIsCalledAtItsNewAddress() throws {
        let fixture = try PeerFixture()
        let (a, b) = try fixture.pair()
        b.transport.close()
        let moved = try fixture.node(
            "b", incarnation: 2, peers: [("a", fixture.endpoint(of: a))])
        a.transport.update(peers: [("b", fixture.endpoint(of: moved))])
        fixture.turn { a.isConnected(to: "b") && moved.isConnected(to: "a") }
        #expect(a.transport.send([[1]], to: "b"))
        fixture.turn { moved.frames.count == 1 }
        #expect(b.frames.isEmpty)
    }

    @Test func aSilentPeerIsGivenUp() throws {
        var limits = PeerLimits.patient
        limits.pingMilliseconds = 5
        limits.silenceMilliseconds = 30
        limits.helloMilliseconds = 50
        let fixture = try PeerFixture()
        // Accepts and never says a word, as a stopped process does.
        let mute = try Socket.listen(on: .ipv4(0x7F00_0001, port: 0), backlog: 8)
        let address = try Socket.localAddress(mute)
        let a = try fixture.node(
            "a", peers: [("b", Endpoint(host: "127.0.0.1", port: address.port))], limits: limits)
        fixture.turn { a.transport.status(of: "b")?.lastFailure == "the peer is silent" }
        #expect(a.states.isEmpty)
    }
}
