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
    /// Where the next byte goes in the segment.
    private var offset = 0
    private var recordChecksum = CRC32C()

    mutating func begin(in segment: SegmentHeader) {
        staging.removeAll(keepingCapacity: true)
        pieces.removeAll(keepingCapacity: true)
        pieceStart = 0
        seed = segment.seed
        nonce = segment.nonce
    }

    /// Encodes one batch as `layout` plans it, under `header`, and returns the checksum in its trailer.
    mutating func append(_ batch: Batch, _ layout: BatchLayout, header: BatchHeader) -> UInt32 {
        let words = header.words(seed: seed)
        offset = header.offset
        stage(words.values)
        recordChecksum = CRC32C(resuming: words.checksum)
        for fact in layout.facts { append(fact.kind, fact.index, fact.term, fact.payload) }
        for entry in batch.entries { append(entry) }
        let checksum = recordChecksum.value
        if layout.isMirrored {
            pad(layout.paddingBytes)
            precondition(offset == header.copyOffset, "a batch takes what was computed for it")
            stage(header.words(seed: seed, asCopy: true).values)
            // The copies are bound to other offsets and stand in no chain.
            for fact in layout.facts { append(fact.kind, fact.index, fact.term, fact.payload) }
        }
        stage(BatchHeader.trailer(checksum: checksum))
        precondition(offset == header.end, "a batch takes what was computed for it")
        return checksum
    }

    mutating func finish() {
        closePiece()
    }

    private mutating func append(_ entry: Entry) {
        switch entry.payload {
        case .noop:
            append(.noop, entry.index, entry.term, [])
        case .command(let bytes):
            append(.command, entry.index, entry.term, bytes)
        case .configuration(let configuration):
            append(.configuration, entry.index, entry.term, RecordCodec.encode(configuration))
        case .lost:
            preconditionFailure("entry \(entry.index) has no bytes to write")
        }
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
        let words = header.words(seed: seed, offset: offset)
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
        offset += stored.count + padding
    }

    private mutating func pad(_ count: Int) {
        staging.append(contentsOf: repeatElement(BatchHeader.paddingByte, count: count))
        offset += count
    }

    private mutating func closePiece() {
        if pieceStart < staging.count { pieces.append(.staged(pieceStart..<staging.count)) }
        pieceStart = staging.count
    }

    private mutating func stage(_ word: UInt64) {
        withUnsafeBytes(of: word.littleEndian) { staging.append(contentsOf: $0) }
        offset += 8
    }

    /// One append for a whole header: a tuple of words lies in memory as the header does on disk, given
    /// that words are little-endian on every platform Swift runs on; the precondition says so.
    private mutating func stage<Words>(_ words: Words) {
        precondition(UInt32(1).littleEndian == 1)
        withUnsafeBytes(of: words) { staging.append(contentsOf: $0) }
        offset += MemoryLayout<Words>.size
    }
}
