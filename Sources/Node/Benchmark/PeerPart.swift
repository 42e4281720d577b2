import Raft
import Scheduler

struct PeerPart {
    private static let tasks = 1_000
    private let from = NodeID("n1", directory: 0x1F2E_3D4C)
    private let to = NodeID("n2", directory: 0x5B6A_7988)

    func measure(_ meter: inout PartMeter) {
        for count in [1, Self.tasks] {
            let entry = Entry(index: 4_711, term: 3, payload: .command(SampleRequests.entry(count)))
            let append = Message.Append(
                previousIndex: 4_710, previousTerm: 3, commit: 4_709, entries: [entry], round: 99)
            let suffix = count == 1 ? "1 task" : "1,000, each"
            both(&meter, "append of \(suffix)", raft(.append(append)), count)
            both(&meter, "forward of \(suffix)", .forward(SampleRequests.group(count)), count)
        }
        let reply = Message.AppendReply(round: 99, outcome: .matched(4_711))
        both(&meter, "append's answer", raft(.appendReply(reply)), 1)
        both(
            &meter, "beat of a worker",
            .beat(PeerMessage.Beat(incarnation: 7, sentAt: 1, wall: 1_700_000_000_000)), 1)
        frames(&meter)
    }

    private func raft(_ body: Message.Body) -> PeerMessage {
        .raft(Message(from: from, to: to, term: 3, body: body))
    }

    private func both(
        _ meter: inout PartMeter, _ name: String, _ message: PeerMessage, _ tasks: Int
    ) {
        let bytes = message.encoded()
        meter.measure("\(name), to bytes", bytes: bytes.count / tasks, operations: tasks) {
            message.encoded().count
        }
        meter.measure("\(name), from bytes", bytes: bytes.count / tasks, operations: tasks) {
            let read = PartMeter.sound { () throws(CodecError) in
                try PeerMessage(decoding: bytes)
            }
            if case .raft(let message) = read { return Int(message.term) }
            return 1
        }
    }

    /// Taken out of a stream, checksum and all.
    private func frames(_ meter: inout PartMeter) {
        let payload = SampleRequests.entry(Self.tasks)
        let start =
            0x01_4E43 | UInt64(PeerFrame.Kind.message.rawValue) << 24
            | UInt64(payload.count) << 32
        var checksum = CRC32C()
        checksum.update(word: start)
        checksum.update(payload)
        var stream: [UInt8] = []
        PeerFrame.append(start, bytes: 8, to: &stream)
        PeerFrame.append(UInt64(checksum.value), bytes: 4, to: &stream)
        stream += payload
        var reader = PeerFrame.Reader(maxPayloadBytes: 64 << 20)
        meter.measure(
            "frame of 1,000 taken in, each", bytes: stream.count / Self.tasks,
            operations: Self.tasks
        ) {
            var offset = 0
            do throws(PeerFrame.Malformed) {
                return try reader.next(stream.span, offset: &offset)?.payload.count ?? 0
            } catch {
                preconditionFailure("what the benchmark sends is refused: \(error.reason)")
            }
        }
    }
}
