import Raft
import Scheduler

// The inside of a frame between peers.
//
//     message   version u8 = 1 · kind u8 · body
//
// Integers are little-endian; a list is a 32-bit count and its items. A message that does not decode is dropped, and the
// connection goes on: frames carry a checksum, so the bytes are what the other side meant, which may be a newer one.

extension PeerMessage {
    static let codecVersion: UInt8 = 1

    private enum Kind: UInt8 {
        case preVoteRequest = 1
        case preVoteReply, voteRequest, voteReply, append, appendReply, snapshotChunk
        case snapshotReply, timeoutNow, readRequest, readReply, forward, beat, beatReply
        case repairRequest, repairReply, knock, knockReply, transfer
        case attendance = 50
        case attendanceReply
    }

    public func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: sizeHint())
        encode(into: &writer)
        return writer.bytes
    }

    /// The same bytes, one piece behind the other. Large payloads are not copied: what goes to several peers stands in memory
    /// once, in the log.
    func encodedPieces(minSharedBytes: Int) -> [[UInt8]] {
        var writer = ByteWriter(
            capacity: sizeHint(minSharedBytes: minSharedBytes), minSharedBytes: minSharedBytes)
        encode(into: &writer)
        return writer.takePieces()
    }

    private func encode(into writer: inout ByteWriter) {
        writer.put(Self.codecVersion)
        switch self {
        case .raft(let message):
            encode(message, into: &writer)
        case .forward(let group):
            writer.put(Kind.forward.rawValue)
            group.encode(into: &writer)
        case .beat(let beat):
            writer.put(Kind.beat.rawValue)
            writer.put(beat)
        case .beatReply(let beat):
            writer.put(Kind.beatReply.rawValue)
            writer.put(beat)
        case .knock(let knock):
            writer.put(Kind.knock.rawValue)
            writer.put(knock.wantsIn)
            writer.put(Command.announceNode(knock.record).encoded())
        case .knockReply(let reply):
            writer.put(Kind.knockReply.rawValue)
            writer.put(reply.isFounded)
            writer.put(reply.directory != nil)
            writer.put(reply.directory ?? 0)
        case .transfer(let target):
            writer.put(Kind.transfer.rawValue)
            writer.put(target)
        case .attendance(let attendance):
            writer.put(Kind.attendance.rawValue)
            attendance.encode(into: &writer)
        case .attendanceReply(let attendance):
            writer.put(Kind.attendanceReply.rawValue)
            attendance.encode(into: &writer)
        }
    }

    /// Bytes that have to be written; of large arrays only those around them.
    private func sizeHint(minSharedBytes: Int = .max) -> Int {
        func own(_ entries: [Entry]) -> Int {
            entries.reduce(128) { $0 + ($1.sizeBytes < minSharedBytes ? $1.sizeBytes : 32) }
        }
        switch self {
        case .raft(let message):
            switch message.body {
            case .append(let append): return own(append.entries)
            case .repairReply(let reply): return own(reply.entries)
            case .snapshotChunk(let chunk):
                return chunk.bytes.count < minSharedBytes ? chunk.bytes.count + 512 : 512
            default: return 128
            }
        case .forward(let group):
            return group.body.count < minSharedBytes ? group.encodedBytes + 16 : 128
        case .attendance(let attendance), .attendanceReply(let attendance):
            return 32 + attendance.workers.count * 32
        case .beat, .beatReply, .knock, .knockReply, .transfer: return 32
        }
    }

    private func encode(_ message: Message, into writer: inout ByteWriter) {
        func begin(_ kind: Kind) {
            writer.put(kind.rawValue)
            writer.put(message.from)
            writer.put(message.to)
            writer.put(message.term)
        }
        switch message.body {
        case .preVoteRequest(let request):
            begin(.preVoteRequest)
            writer.put(request)
        case .preVoteReply(let granted):
            begin(.preVoteReply)
            writer.put(granted)
        case .voteRequest(let request):
            begin(.voteRequest)
            writer.put(request)
        case .voteReply(let granted):
            begin(.voteReply)
            writer.put(granted)
        case .append(let append):
            begin(.append)
            writer.put(append)
        case .appendReply(let reply):
            begin(.appendReply)
            writer.put(reply)
        case .snapshotChunk(let chunk):
            begin(.snapshotChunk)
            writer.put(chunk)
        case .snapshotReply(let reply):
            begin(.snapshotReply)
            writer.put(reply.index)
            writer.put(reply.nextOffset)
            writer.put(reply.isInstalled)
            writer.put(reply.round)
        case .timeoutNow:
            begin(.timeoutNow)
        case .readRequest(let id):
            begin(.readRequest)
            writer.put(id)
        case .readReply(let id, let index):
            begin(.readReply)
            writer.put(id)
            writer.put(index != nil)
            writer.put(index ?? 0)
        case .repairRequest(let request):
            begin(.repairRequest)
            writer.put(request.first)
            writer.put(request.last)
            writer.put(request.lastTerm)
        case .repairReply(let reply):
            begin(.repairReply)
            writer.put(reply.isCompacted)
            writer.put(reply.entries)
        }
    }

    public init(decoding bytes: [UInt8]) throws(CodecError) {
        var reader = ByteReader(bytes)
        let version = try reader.byte()
        guard version == Self.codecVersion else {
            throw CodecError("peer message version \(version) is not known to this program")
        }
        let number = try reader.byte()
        guard let kind = Kind(rawValue: number) else {
            throw CodecError("peer message of unknown kind \(number)")
        }
        switch kind {
        case .forward: self = .forward(try CommandGroup(from: &reader))
        case .beat: self = .beat(try reader.beat())
        case .beatReply: self = .beatReply(try reader.beat())
        case .knock: self = .knock(try Knock(from: &reader))
        case .knockReply:
            let isFounded = try reader.bool()
            let isKnown = try reader.bool()
            let directory = try reader.uint64()
            self = .knockReply(
                KnockReply(isFounded: isFounded, directory: isKnown ? directory : nil))
        case .transfer: self = .transfer(to: try reader.vote())
        case .attendance: self = .attendance(try Attendance(from: &reader))
        case .attendanceReply: self = .attendanceReply(try Attendance(from: &reader))
        default:
            let from = try reader.nodeID()
            let to = try reader.nodeID()
            let term = try reader.ordinal()
            let body = try Self.decodeBody(kind, &reader)
            self = .raft(Message(from: from, to: to, term: term, body: body))
        }
        guard reader.remaining == 0 else {
            throw CodecError("\(reader.remaining) bytes behind a peer message")
        }
    }

    private static func decodeBody(
        _ kind: Kind, _ reader: inout ByteReader
    ) throws(CodecError) -> Message.Body {
        switch kind {
        case .preVoteRequest: return .preVoteRequest(try reader.voteRequest())
        case .preVoteReply: return .preVoteReply(granted: try reader.bool())
        case .voteRequest: return .voteRequest(try reader.voteRequest())
        case .voteReply: return .voteReply(granted: try reader.bool())
        case .append: return .append(try reader.append())
        case .appendReply: return .appendReply(try reader.appendReply())
        case .snapshotChunk: return .snapshotChunk(try reader.snapshotChunk())
        case .snapshotReply:
            return .snapshotReply(
                Message.SnapshotReply(
                    index: try reader.ordinal(), nextOffset: try reader.uint64(),
                    isInstalled: try reader.bool(), round: try reader.ordinal()))
        case .timeoutNow: return .timeoutNow
        case .readRequest: return .readRequest(try reader.uint64())
        case .readReply:
            let id = try reader.uint64()
            let isKnown = try reader.bool()
            let index = try reader.uint64()
            return .readReply(id, isKnown ? index : nil)
        case .repairRequest:
            return .repairRequest(
                Message.RepairRequest(
                    first: try reader.ordinal(), last: try reader.ordinal(),
                    lastTerm: try reader.ordinal()))
        case .repairReply:
            let isCompacted = try reader.bool()
            return .repairReply(
                Message.RepairReply(entries: try reader.entries(), isCompacted: isCompacted))
        case .forward, .beat, .beatReply, .knock, .knockReply, .transfer, .attendance,
            .attendanceReply:
            throw CodecError("not a Raft message")
        }
    }
}

extension PeerMessage.Knock {
    /// wantsIn bool · the record as the command that announces it
    fileprivate init(from reader: inout ByteReader) throws(CodecError) {
        wantsIn = try reader.bool()
        guard case .announceNode(let record) = try Command(decoding: try reader.blob()) else {
            throw CodecError("a knock without a node's record")
        }
        self.record = record
    }
}

extension PeerMessage.Attendance {
    /// incarnation u64 · round u64 · workers (count u32 · (id string · session u64)…)
    fileprivate func encode(into writer: inout ByteWriter) {
        writer.put(incarnation)
        writer.put(round)
        writer.put(UInt32(workers.count))
        for worker in workers {
            writer.put(worker.id)
            writer.put(worker.session)
        }
    }

    fileprivate init(from reader: inout ByteReader) throws(CodecError) {
        incarnation = try reader.uint64()
        round = try reader.uint64()
        workers = []
        for _ in 0..<(try reader.count(minimumBytes: 12)) {
            let id = try reader.string()
            workers.append(Worker(id: id, session: try reader.uint64()))
        }
    }
}
