import Raft
import Scheduler
import Testing

@testable import Node

@Suite struct PeerMessageCodecTests {
    static let mark = SnapshotMark(
        index: 5, term: 2, configuration: Configuration(voters: ["n1", "n2"], learners: ["n9"]))

    static let bodies: [Message.Body] = [
        .preVoteRequest(.init(lastIndex: 1, lastTerm: 2, isTransfer: false)),
        .preVoteReply(granted: true),
        .voteRequest(.init(lastIndex: 1 << 62, lastTerm: 2, isTransfer: true)),
        .voteReply(granted: false),
        .append(.init(previousIndex: 3, previousTerm: 1, commit: 2, entries: [], round: 9)),
        .append(
            .init(
                previousIndex: 3, previousTerm: 1, commit: 2,
                entries: [
                    Entry(index: 4, term: 1, payload: .noop),
                    Entry(index: 5, term: 2, payload: .command([0, 255, 1])),
                    Entry(index: 6, term: 2, payload: .configuration(mark.configuration)),
                ], round: 9)),
        .appendReply(.init(round: 1, outcome: .matched(7))),
        .appendReply(.init(round: 1, outcome: .received)),
        .appendReply(
            .init(
                round: 1, outcome: .conflict(previousIndex: 5, conflictTerm: 2, firstOfTerm: 3))),
        .snapshotChunk(
            .init(mark: mark, offset: 10, bytes: [1, 2, 3], totalBytes: 13, round: 4)),
        .snapshotReply(.init(index: 5, nextOffset: 13, isInstalled: true, round: 4)),
        .timeoutNow,
        .readRequest(77),
        .readReply(77, 12),
        .readReply(77, nil),
        .appendReply(.init(round: 3, outcome: .damaged(matched: 4, floor: 9))),
        .repairRequest(.init(first: 3, last: 5, lastTerm: 2)),
        .repairReply(
            .init(entries: [Entry(index: 4, term: 1, payload: .noop)], isCompacted: false)),
    ]

    static var messages: [PeerMessage] {
        var group = CommandGroup(origin: "n2", incarnation: 3, acknowledgedBelow: 4)
        group.append(sequence: 9, command: [1, 2, 3])
        let record = NodeRecord(
            name: "n9", directory: 1, peer: "a:1", api: "b:2", stateVersion: 3)
        let beat = PeerMessage.Beat(incarnation: 1, sentAt: 2, wall: -3)
        return bodies.map { .raft(Message(from: "n1", to: "n2", term: 8, body: $0)) }
            + [
                .forward(group), .beat(beat), .beatReply(beat),
                .knock(.init(wantsIn: true, record: record)),
                .knockReply(.init(isFounded: true, directory: 7)),
                .knockReply(.init(isFounded: false, directory: nil)),
                .attendance(
                    .init(incarnation: 3, round: 7, workers: [.init(id: "w7", session: 1 << 63)])),
                .attendanceReply(.init(incarnation: 3, round: 7, workers: [])),
                .transfer(to: nil), .transfer(to: NodeID("n2", directory: 9)),
            ]
    }

    @Test(arguments: messages)
    func roundTrips(_ message: PeerMessage) throws {
        #expect(try PeerMessage(decoding: message.encoded()) == message)
    }

    @Test(arguments: messages)
    func inPiecesItIsTheSameBytes(_ message: PeerMessage) {
        for minSharedBytes in [1, 5, 100] {
            let pieces = message.encodedPieces(minSharedBytes: minSharedBytes)
            #expect(Array(pieces.joined()) == message.encoded())
            #expect(pieces.allSatisfy { !$0.isEmpty })
        }
    }

    @Test func aLargePayloadIsAPieceOfItsOwn() {
        let payload = [UInt8](repeating: 7, count: 20_000)
        let append = Message.Append(
            previousIndex: 3, previousTerm: 1, commit: 2,
            entries: [
                Entry(index: 4, term: 1, payload: .command([1])),
                Entry(index: 5, term: 1, payload: .command(payload)),
                Entry(index: 6, term: 1, payload: .noop),
            ], round: 1)
        let message = PeerMessage.raft(
            Message(from: "n1", to: "n2", term: 1, body: .append(append)))
        let pieces = message.encodedPieces(minSharedBytes: 16_384)
        #expect(pieces.count == 3 && pieces[1] == payload)
        #expect(Array(pieces.joined()) == message.encoded())
    }

    @Test(arguments: messages)
    func refusesEveryTruncationAndAnythingBehind(_ message: PeerMessage) {
        let bytes = message.encoded()
        for count in 0..<bytes.count {
            #expect(throws: CodecError.self) {
                try PeerMessage(decoding: Array(bytes.prefix(count)))
            }
        }
        #expect(throws: CodecError.self) { try PeerMessage(decoding: bytes + [0]) }
    }

    @Test func damageIsRefusedOrReadAsAWholeMessage() throws {
        var state: UInt64 = 1
        for message in Self.messages {
            let bytes = message.encoded()
            for _ in 0..<200 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                var damaged = bytes
                damaged[Int(state >> 33) % bytes.count] ^=
                    UInt8(truncatingIfNeeded: state >> 20) | 1
                guard let message = try? PeerMessage(decoding: damaged) else { continue }
                #expect(try PeerMessage(decoding: message.encoded()) == message)
            }
        }
    }

    @Test func refusesEntriesThatDoNotFollow() {
        let append = Message.Append(
            previousIndex: 3, previousTerm: 1, commit: 2,
            entries: [Entry(index: 6, term: 1, payload: .noop)], round: 1)
        let bytes = PeerMessage.raft(
            Message(from: "n1", to: "n2", term: 1, body: .append(append))
        ).encoded()
        #expect(throws: CodecError.self) { try PeerMessage(decoding: bytes) }
    }
}
