import Raft
import Scheduler

// Raft's values as bytes, for peers and for the log on disk.
//
//     entry          index u64 · term u64 · kind u8 (0 noop, 1 command, 2 configuration) · payload;
//                    a lost payload is never written and never sent
//     node           name string · directory u64
//     vote           u8 is there one · node, if so
//     configuration  voters · outgoing · learners, each a list of nodes
//     mark           index u64 · term u64 · configuration

extension ByteWriter {
    mutating func put(_ id: NodeID) {
        put(id.name)
        put(id.directory)
    }

    mutating func put(_ vote: NodeID?) {
        put(vote != nil)
        if let vote { put(vote) }
    }

    mutating func put(_ ids: [NodeID]) {
        put(UInt32(ids.count))
        for id in ids { put(id) }
    }

    mutating func put(_ configuration: Configuration) {
        put(configuration.voters)
        put(configuration.outgoing)
        put(configuration.learners)
    }

    mutating func put(_ mark: SnapshotMark) {
        put(mark.index)
        put(mark.term)
        put(mark.configuration)
    }

    mutating func put(_ entry: Entry) {
        put(entry.index)
        put(entry.term)
        switch entry.payload {
        case .noop:
            put(UInt8(0))
        case .command(let bytes):
            put(UInt8(1))
            put(bytes)
        case .configuration(let configuration):
            put(UInt8(2))
            put(configuration)
        case .lost:
            preconditionFailure("entry \(entry.index) is damaged here")
        }
    }

    mutating func put(_ request: Message.VoteRequest) {
        put(request.lastIndex)
        put(request.lastTerm)
        put(request.isTransfer)
    }

    mutating func put(_ append: Message.Append) {
        put(append.previousIndex)
        put(append.previousTerm)
        put(append.commit)
        put(append.round)
        put(append.entries)
    }

    mutating func put(_ entries: [Entry]) {
        put(UInt32(entries.count))
        for entry in entries { put(entry) }
    }

    mutating func put(_ reply: Message.AppendReply) {
        put(reply.round)
        switch reply.outcome {
        case .matched(let index):
            put(UInt8(0))
            put(index)
        case .conflict(let previousIndex, let conflictTerm, let firstOfTerm):
            put(UInt8(1))
            put(previousIndex)
            put(conflictTerm)
            put(firstOfTerm)
        case .received:
            put(UInt8(2))
        case .damaged(let matched, let floor):
            put(UInt8(3))
            put(matched)
            put(floor)
        }
    }

    mutating func put(_ chunk: Message.SnapshotChunk) {
        put(chunk.mark)
        put(chunk.offset)
        put(chunk.totalBytes)
        put(chunk.round)
        put(chunk.bytes)
    }

    mutating func put(_ beat: PeerMessage.Beat) {
        put(beat.incarnation)
        put(beat.sentAt)
        put(beat.wall)
    }
}

extension ByteReader {
    mutating func nodeID() throws(CodecError) -> NodeID {
        NodeID(try string(), directory: try uint64())
    }

    /// An index, term or round. None ever gets far enough for adding to it to overflow.
    mutating func ordinal() throws(CodecError) -> UInt64 {
        let value = try uint64()
        guard value <= 1 << 62 else { throw CodecError("\(value) is no index, term or round") }
        return value
    }

    mutating func vote() throws(CodecError) -> NodeID? {
        try bool() ? try nodeID() : nil
    }

    private mutating func nodeIDs() throws(CodecError) -> [NodeID] {
        let count = try count(minimumBytes: 12)
        var ids: [NodeID] = []
        ids.reserveCapacity(count)
        for _ in 0..<count { ids.append(try nodeID()) }
        return ids
    }

    mutating func configuration() throws(CodecError) -> Configuration {
        Configuration(
            voters: try nodeIDs(), outgoing: try nodeIDs(), learners: try nodeIDs())
    }

    mutating func snapshotMark() throws(CodecError) -> SnapshotMark {
        SnapshotMark(
            index: try ordinal(), term: try ordinal(), configuration: try configuration())
    }

    mutating func entry() throws(CodecError) -> Entry {
        let index = try ordinal()
        let term = try ordinal()
        switch try byte() {
        case 0: return Entry(index: index, term: term, payload: .noop)
        case 1: return Entry(index: index, term: term, payload: .command(try blob()))
        case 2:
            return Entry(index: index, term: term, payload: .configuration(try configuration()))
        case let kind: throw CodecError("entry \(index) is of unknown kind \(kind)")
        }
    }

    mutating func voteRequest() throws(CodecError) -> Message.VoteRequest {
        Message.VoteRequest(
            lastIndex: try ordinal(), lastTerm: try ordinal(), isTransfer: try bool())
    }

    mutating func append() throws(CodecError) -> Message.Append {
        let previousIndex = try ordinal()
        let previousTerm = try ordinal()
        let commit = try ordinal()
        let round = try ordinal()
        let entries = try entries()
        for (position, entry) in entries.enumerated() {
            guard entry.index == previousIndex &+ 1 &+ UInt64(position) else {
                throw CodecError("entry \(entry.index) does not follow \(previousIndex)")
            }
        }
        return Message.Append(
            previousIndex: previousIndex, previousTerm: previousTerm, commit: commit,
            entries: entries, round: round)
    }

    mutating func entries() throws(CodecError) -> [Entry] {
        let count = try count(minimumBytes: 17)
        var entries: [Entry] = []
        entries.reserveCapacity(count)
        for _ in 0..<count { entries.append(try entry()) }
        return entries
    }

    mutating func appendReply() throws(CodecError) -> Message.AppendReply {
        let round = try ordinal()
        switch try byte() {
        case 0: return Message.AppendReply(round: round, outcome: .matched(try ordinal()))
        case 1:
            return Message.AppendReply(
                round: round,
                outcome: .conflict(
                    previousIndex: try ordinal(), conflictTerm: try ordinal(),
                    firstOfTerm: try ordinal()))
        case 2: return Message.AppendReply(round: round, outcome: .received)
        case 3:
            return Message.AppendReply(
                round: round,
                outcome: .damaged(matched: try ordinal(), floor: try ordinal()))
        case let other: throw CodecError("append reply of unknown outcome \(other)")
        }
    }

    mutating func snapshotChunk() throws(CodecError) -> Message.SnapshotChunk {
        let mark = try snapshotMark()
        let offset = try uint64()
        let totalBytes = try uint64()
        let round = try ordinal()
        let bytes = try blob()
        guard offset <= totalBytes, UInt64(bytes.count) <= totalBytes - offset else {
            throw CodecError("snapshot chunk at \(offset) reaches beyond \(totalBytes) bytes")
        }
        return Message.SnapshotChunk(
            mark: mark, offset: offset, bytes: bytes, totalBytes: totalBytes, round: round)
    }

    mutating func beat() throws(CodecError) -> PeerMessage.Beat {
        PeerMessage.Beat(
            incarnation: try uint64(), sentAt: try uint64(), wall: try int64())
    }
}
