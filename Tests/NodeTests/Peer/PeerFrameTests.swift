import Raft
import Testing

@testable import Node

@Suite struct PeerFrameTests {
    /// A frame's bytes, put together apart from the code under test.
    static func bytes(_ kind: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let length = UInt32(payload.count)
        var bytes: [UInt8] = [0x43, 0x4E, 1, kind]
        for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: length >> shift)) }
        let checksum = CRC32C.checksum(bytes + payload)
        for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: checksum >> shift)) }
        return bytes + payload
    }

    private func read(
        _ bytes: [UInt8], _ reader: inout PeerFrame.Reader
    ) throws(PeerFrame.Malformed) -> (frames: [PeerFrame], used: Int) {
        var frames: [PeerFrame] = []
        var offset = 0
        while let frame = try reader.next(bytes.span, offset: &offset) { frames.append(frame) }
        return (frames, offset)
    }

    @Test func theSameFramesComeOutWhereverTheBytesAreCut() throws {
        let payloads: [[UInt8]] = [[], [1], Array(0..<200), [], [9, 9]]
        let bytes = payloads.flatMap { PeerFrameTests.bytes(3, $0) }
        for cut in 0...bytes.count {
            var reader = PeerFrame.Reader(maxPayloadBytes: 200)
            let first = try read(Array(bytes[..<cut]), &reader)
            // What was not used comes again.
            let second = try read(Array(bytes[first.used...]), &reader)
            #expect((first.frames + second.frames).map(\.payload) == payloads)
            #expect(first.used + second.used == bytes.count)
        }
    }

    @Test func anArrayThatIsHandedBackServesAgainAndLeavesNothingBehind() throws {
        var reader = PeerFrame.Reader(maxPayloadBytes: 10 << 20)
        func next(_ payload: [UInt8]) throws -> PeerFrame? {
            var offset = 0
            return try reader.next(PeerFrameTests.bytes(3, payload).span, offset: &offset)
        }
        var large = try #require(try next([UInt8](repeating: 1, count: 50_000)))
        reader.reuse(&large.payload)
        var small = try #require(try next([2, 3]))
        #expect(small.payload == [2, 3])
        #expect(small.payload.capacity >= 50_000)
        reader.reuse(&small.payload)
        // A large one would be held by every idle connection.
        var huge = try #require(try next([UInt8](repeating: 4, count: 2 << 20)))
        reader.reuse(&huge.payload)
        let last = try #require(try next([5]))
        #expect(last.payload == [5])
        #expect(last.payload.capacity < 1 << 20)
    }

    @Test func everyDamagedBitIsNoticed() {
        let intact = PeerFrameTests.bytes(3, [1, 2, 3, 4, 5])
        for bit in 0..<intact.count * 8 {
            var bytes = intact
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            var reader = PeerFrame.Reader(maxPayloadBytes: 1_000_000)
            do throws(PeerFrame.Malformed) {
                // A damaged length may make the frame wait for more.
                #expect(try read(bytes, &reader).frames.isEmpty)
            } catch {
                #expect(!error.reason.isEmpty)
            }
        }
    }

    @Test func aLengthBeyondTheLimitIsRefusedBeforeAnythingIsKept() {
        var reader = PeerFrame.Reader(maxPayloadBytes: 10)
        #expect(throws: PeerFrame.Malformed.self) {
            try read(Array(PeerFrameTests.bytes(3, Array(0..<11))[..<12]), &reader)
        }
    }

    @Test func helloSurvivesTheJourney() throws {
        var hello = PeerHello(
            cluster: "démo", sender: NodeID("n1", directory: .max), incarnation: .max - 1,
            highestStateVersion: .max, peer: "n1.example:7101", api: "[::1]:7201")
        hello.receiver = "n2"
        hello.stateVersion = 70_000
        #expect(PeerHello(hello.bytes) == hello)
        for count in 0..<hello.bytes.count {
            #expect(PeerHello(Array(hello.bytes[..<count])) == nil)
        }
        #expect(PeerHello(hello.bytes + [0]) == nil)
        var later = hello
        later.highestVersion = 9
        #expect(PeerHello(later.bytes + [1, 2, 3]) == later, "a later version may add fields")
        later.lowestVersion = 8
        #expect(!later.sharesVersion)
        let refusal = PeerRefusal(.cluster, "wrong")
        #expect(PeerRefusal(refusal.bytes) == refusal)
        #expect(PeerRefusal([]) == nil)
        #expect(PeerRefusal([99, 65]) == nil)
    }

    @Test func waitsDoubleUpToTheLongest() {
        var generator = SeededGenerator(seed: 1)
        var backoff = PeerBackoff(firstMilliseconds: 10, maxMilliseconds: 500)
        for full in [10, 20, 40, 80, 160, 320, 500, 500] {
            let wait = backoff.next(using: &generator)
            #expect(wait >= UInt64(full) * 500_000 && wait <= UInt64(full) * 1_000_000)
        }
        backoff.reset()
        #expect(backoff.next(using: &generator) <= 10_000_000)
    }
}
