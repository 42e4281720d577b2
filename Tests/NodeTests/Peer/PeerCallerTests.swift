import Raft
import Testing

@testable import Node

/// What happens on a connection that somebody opened to us.
@Suite struct PeerCallerTests {
    private let nowhere = Endpoint(host: "127.0.0.1", port: 1)

    private func hello(
        _ sender: NodeID, incarnation: UInt64 = 1, peer: String = ""
    ) -> [UInt8] {
        var hello = PeerHello(
            cluster: "demo", sender: sender, incarnation: incarnation, highestStateVersion: 2,
            peer: peer, api: "")
        hello.receiver = "a"
        return PeerFrameTests.bytes(1, hello.bytes)
    }

    private func isCalling(_ node: PeerFixture.Node) -> Bool {
        node.transport.status(of: "b")?.isCalling == true
    }

    @Test func framesCutAnywhereArrive() throws {
        let fixture = try PeerFixture()
        let a = try fixture.node("a", peers: [("b", nowhere)])
        let stranger = try fixture.stranger(to: a)
        for byte in hello("b") + PeerFrameTests.bytes(3, [1, 2, 3]) + PeerFrameTests.bytes(3, []) {
            fixture.turn { stranger.send([byte]) }
            fixture.loop.turn(maxWaitMilliseconds: 0)
        }
        fixture.turn { a.frames.count == 2 }
        #expect(a.frames.map(\.payload) == [[1, 2, 3], []])
        #expect(a.transport.status(of: "b")?.receivedFrames == 2)
        stranger.poll()
        let answer = a.transport.hello(to: "b")
        #expect(stranger.received == PeerFrameTests.bytes(1, answer.bytes))
    }

    @Test func pingsComeBack() throws {
        let fixture = try PeerFixture()
        let a = try fixture.node("a", peers: [("b", nowhere)])
        let stranger = try fixture.stranger(to: a)
        fixture.turn { stranger.send(hello("b")) }
        #expect(stranger.send(PeerFrameTests.bytes(4, Array(1...8))))
        let pong = PeerFrameTests.bytes(5, Array(1...8))
        fixture.turn {
            stranger.poll()
            return stranger.received.suffix(pong.count).elementsEqual(pong)
        }
    }

    @Test func aDamagedFrameEndsTheConnection() throws {
        let fixture = try PeerFixture()
        let a = try fixture.node("a", peers: [("b", nowhere)])
        let stranger = try fixture.stranger(to: a)
        fixture.turn { stranger.send(hello("b")) }
        var damaged = PeerFrameTests.bytes(3, [1, 2, 3])
        damaged[13] ^= 1
        #expect(
            stranger.send(PeerFrameTests.bytes(3, [7]) + damaged + PeerFrameTests.bytes(3, [8])))
        fixture.turn {
            stranger.poll()
            return stranger.hasEnded
        }
        #expect(a.frames.map(\.payload) == [[7]])
        #expect(!isCalling(a))
        #expect(a.log.contains { $0.contains("checksum") })
    }

    @Test(arguments: 0..<20)
    func strangersAreShutOut(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let fixture = try PeerFixture()
        let a = try fixture.node("a", peers: [("b", nowhere)])
        let beginnings: [[UInt8]] = [
            Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8), PeerFrameTests.bytes(3, [1]),
            PeerFrameTests.bytes(1, [1, 2, 3]),
            PeerFrameTests.bytes(1, Array(repeating: 0, count: 1_400)),
            Array(hello("b").dropLast()) + [1], PeerFrameTests.bytes(5, Array(1...8)),
            (0..<200).map { _ in UInt8.random(in: 0...255, using: &generator) },
            Array(PeerFrameTests.bytes(1, Array(repeating: 0, count: 5_000)).prefix(100)),
        ]
        let bytes = beginnings[seed % beginnings.count]
        let stranger = try fixture.stranger(to: a)
        fixture.turn { stranger.send(bytes) }
        fixture.turn {
            stranger.poll()
            return stranger.hasEnded
        }
        #expect(!isCalling(a))
        #expect(a.frames.isEmpty)
        #expect(stranger.received.isEmpty || stranger.received[3] == 2, "at most a refusal")
    }

    @Test func aNewConnectionReplacesTheOlderOne() throws {
        let fixture = try PeerFixture()
        let a = try fixture.node("a", peers: [("b", nowhere)])
        let old = try fixture.stranger(to: a)
        fixture.turn { old.send(hello("b", incarnation: 2)) }
        fixture.turn { isCalling(a) }
        let new = try fixture.stranger(to: a)
        fixture.turn { new.send(hello("b", incarnation: 3)) }
        fixture.turn {
            old.poll()
            return old.hasEnded
        }
        #expect(a.transport.status(of: "b")?.incarnation == 3)
        // A call from before the restart, accepted late.
        let stale = try fixture.stranger(to: a)
        fixture.turn { stale.send(hello("b", incarnation: 2)) }
        fixture.turn {
            stale.poll()
            return stale.hasEnded
        }
        #expect(a.transport.status(of: "b")?.incarnation == 3)
        #expect(new.send(PeerFrameTests.bytes(3, [5])))
        fixture.turn { a.frames.count == 1 }
    }

    /// A member is not thrown out by another node that has its name: their calls would end each other for ever.
    @Test func aMemberKeepsItsName() throws {
        let fixture = try PeerFixture()
        let a = try fixture.node("a", peers: [("b", nowhere)])
        let member = NodeID("b", directory: 7)
        a.transport.isMember = { $0 == member }
        let newcomer = try fixture.stranger(to: a)
        fixture.turn { newcomer.send(hello(NodeID("b", directory: 8), incarnation: 9)) }
        fixture.turn { isCalling(a) }
        let rightful = try fixture.stranger(to: a)
        fixture.turn { rightful.send(hello(member)) }
        fixture.turn {
            newcomer.poll()
            return newcomer.hasEnded
        }
        #expect(a.transport.status(of: "b")?.hello?.id == member)
        let again = try fixture.stranger(to: a)
        fixture.turn { again.send(hello(NodeID("b", directory: 8), incarnation: 9)) }
        fixture.turn {
            again.poll()
            return again.hasEnded
        }
        #expect(a.transport.status(of: "b")?.hello?.id == member)
    }

    @Test func whoSaysNothingIsShutOutAndDoesNotKeepOthersOut() throws {
        var limits = PeerLimits.patient
        limits.helloMilliseconds = 20
        limits.maxUnidentifiedConnections = 2
        let fixture = try PeerFixture()
        let a = try fixture.node("a", peers: [("b", nowhere)], limits: limits)
        let silent = try (0..<3).map { _ in try fixture.stranger(to: a) }
        fixture.turn {
            for stranger in silent { stranger.poll() }
            return silent.allSatisfy(\.hasEnded)
        }
        #expect(a.log.contains { $0.contains("too many connections") })
        let late = try fixture.stranger(to: a)
        fixture.turn { late.send(hello("b")) }
        fixture.turn { isCalling(a) }
    }

    @Test func aCallerThatFallsSilentIsGivenUp() throws {
        var limits = PeerLimits.patient
        limits.callerSilenceMilliseconds = 20
        let fixture = try PeerFixture()
        let a = try fixture.node("a", peers: [("b", nowhere)], limits: limits)
        let stranger = try fixture.stranger(to: a)
        fixture.turn { stranger.send(hello("b")) }
        fixture.turn { isCalling(a) }
        fixture.turn { !isCalling(a) }
    }
}
