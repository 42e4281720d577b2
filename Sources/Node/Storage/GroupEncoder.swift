import Raft

/// Lays out the batches of one write. Headers and small payloads are gathered in one buffer, which is
/// kept for the next write; large payloads are written from their own arrays.
struct GroupEncoder {
    /// A run of bytes to be written behind the one before.
    enum Piece {
        case staged(Range<Int>)
        case payload([UInt8])
    }

    private(set) var staging: [UInt8] = []
    private(set) var pieces: [Piece] = []
    private var pieceStart = 0
    private var seed: UInt32 = 0
    private var nonce: UInt64 = 0
    private var recordChecksum = CRC32C()

    mutating func begin(in segment: SegmentHeader) {
        staging.removeAll(keepingCapacity: true)
        pieces.removeAll(keepingCapacity: true)
        pieceStart = 0
        seed = segment.seed
        nonce = segment.nonce
    }

    /// What a batch takes in a segment.
    static func encodedBytes(of batch: Batch) -> (body: Int, records: Int) {
        var body = 0
        var records = batch.entries.count
        func add(_ payload: Int) { body += RecordHeader.totalBytes(payloadBytes: payload) }
        if let hardState = batch.hardState {
            add(RecordCodec.encode(hardState).count)
            records += 1
        }
        if let mark = batch.snapshot {
            add(RecordCodec.encode(mark, resetsLog: batch.resetsLog).count)
            records += 1
        }
        if batch.truncateFrom != nil {
            add(0)
            records += 1
        }
        for entry in batch.entries {
            switch entry.payload {
            case .noop, .lost: add(0)
            case .command(let bytes): add(bytes.count)
            case .configuration(let configuration): add(RecordCodec.encode(configuration).count)
            }
        }
        return (body, records)
    }

    /// Encodes one batch under `header`, whose sizes come from `encodedBytes`, and returns the checksum in
    /// its trailer. The records' order is the order they take effect in.
    mutating func append(_ batch: Batch, header: BatchHeader) -> UInt32 {
        let words = header.words(seed: seed)
        stage(words.values)
        recordChecksum = CRC32C(resuming: words.checksum)
        if let hardState = batch.hardState {
            append(.hardState, 0, hardState.term, RecordCodec.encode(hardState))
        }
        if let mark = batch.snapshot {
            append(
                .snapshot, mark.index, mark.term,
                RecordCodec.encode(mark, resetsLog: batch.resetsLog))
        }
        if let from = batch.truncateFrom { append(.truncate, from, 0, []) }
        for entry in batch.entries {
            switch entry.payload {
            case .noop:
                append(.noop, entry.index, entry.term, [])
            case .command(let bytes):
                append(.command, entry.index, entry.term, bytes)
            case .configuration(let configuration):
                append(
                    .configuration, entry.index, entry.term, RecordCodec.encode(configuration))
            case .lost:
                preconditionFailure("entry \(entry.index) has no bytes to write")
            }
        }
        stage(BatchHeader.trailer(checksum: recordChecksum.value))
        return recordChecksum.value
    }

    mutating func finish() {
        closePiece()
    }

    private mutating func append(
        _ kind: RecordKind, _ index: Index, _ term: Term, _ payload: [UInt8]
    ) {
        var key: UInt16 = 0
        var stored = payload
        if PayloadMask.isNeeded(for: payload) {
            (key, stored) = PayloadMask.masked(payload, nonce: nonce)
        }
        let header = RecordHeader(
            kind: kind.rawValue, maskKey: key, payloadBytes: stored.count, index: index,
            term: term, payloadChecksum: CRC32C.checksum(stored))
        let words = header.words(seed: seed)
        stage(words.values)
        recordChecksum.update(word: UInt64(words.checksum))
        if stored.count >= StorageLimits.minUncopiedPayloadBytes {
            closePiece()
            pieces.append(.payload(stored))
        } else {
            staging.append(contentsOf: stored)
        }
        let padding = header.totalBytes - RecordHeader.bytes - stored.count
        if padding > 0 { staging.append(contentsOf: repeatElement(0, count: padding)) }
    }

    private mutating func closePiece() {
        if pieceStart < staging.count { pieces.append(.staged(pieceStart..<staging.count)) }
        pieceStart = staging.count
    }

    private mutating func stage(_ word: UInt64) {
        withUnsafeBytes(of: word.littleEndian) { staging.append(contentsOf: $0) }
    }

    /// One append for a whole header: a tuple of words lies in memory as the header does on disk, given
    /// that words are little-endian on every platform Swift runs on; the precondition says so.
    private mutating func stage<Words>(_ words: Words) {
        precondition(UInt32(1).littleEndian == 1)
        withUnsafeBytes(of: words) { staging.append(contentsOf: $0) }
    }
}
