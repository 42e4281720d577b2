import Raft
import Scheduler

/// Reads a segment batch by batch. `next` stops at the first thing that is no valid batch; what that
/// means `SegmentTail` decides, and `bridge` goes on behind damage (`SegmentScan+Bridge.swift`).
struct SegmentScan {
    let image: SegmentImage
    let header: SegmentHeader
    /// Where batches have to end.
    let limit: Int
    let seed: UInt32
    /// Where the next batch has to begin.
    var position: Int
    var sequence: UInt64
    /// Batches with facts before `position`.
    var factBatches: UInt32
    /// nil: the batch before is damaged, so that its checksum is not known.
    var previousChecksum: UInt32?
    /// What the next batch is to name as the checksum before it; differs from `previousChecksum` only
    /// where nobody checks it.
    var nextChainLink: UInt32
    /// Extent of the write that brought the last valid batch.
    var writeStart: Int
    var writeEnd: Int

    enum Step {
        case batch(ScannedBatch)
        /// No batch stands at `position`. What that means `SegmentTail` decides.
        case stopped(Fault)
    }

    /// Why no batch stands there.
    struct Fault: Error {
        var problem: String
        /// The batch's header, if that much is readable.
        var header: BatchHeader?
        /// The batch is whole, but it is not the one that has to follow: no torn write looks like this,
        /// and no damage that could be bridged.
        var isMisplaced = false
    }

    init(header: SegmentHeader, image: SegmentImage) {
        self.image = image
        self.header = header
        limit = header.bodyEnd
        seed = header.seed
        position = header.bodyOffset
        sequence = header.firstSequence
        factBatches = header.factBatches
        previousChecksum = header.previousChecksum
        nextChainLink = header.previousChecksum
        writeStart = position
        writeEnd = position
    }

    mutating func next() -> Step {
        guard let header = BatchHeader.decode(image, at: position, seed: seed),
            header.offset == position
        else { return .stopped(Fault(problem: "no readable batch header stands there")) }
        do throws(Fault) {
            try check(header)
            let body = try readBody(of: header)
            pass(header, checksum: body.checksum)
            return .batch(body.batch)
        } catch {
            return .stopped(error)
        }
    }

    /// The batch at `position` has to be the one that follows, and to fit.
    func check(_ header: BatchHeader) throws(Fault) {
        guard header.sequence == sequence, header.factBatches == factBatches,
            previousChecksum == nil || header.previousChecksum == previousChecksum
        else {
            throw Fault(
                problem: "batch \(header.sequence) stands there instead of batch \(sequence)",
                header: header, isMisplaced: true)
        }
        guard header.end <= limit else {
            throw Fault(
                problem: "batch \(sequence) would reach beyond the segment", header: header,
                isMisplaced: true)
        }
    }

    mutating func pass(_ header: BatchHeader, checksum: UInt32?) {
        position = header.end
        sequence += 1
        factBatches = header.factBatchesAfter
        previousChecksum = checksum
        nextChainLink =
            checksum ?? BatchHeader.checksum(inTrailer: image.word(at: header.end - 8)) ?? 0
        writeStart = header.writeStart
        writeEnd = header.writeEnd
    }

    /// The batch header that stands at `offset`, or whose copy does, no matter what is around it.
    func header(at offset: Int) -> BatchHeader? {
        BatchHeader.decode(image, at: offset, seed: seed)
    }

    private struct Body {
        var batch: ScannedBatch
        var checksum: UInt32
    }

    private func readBody(of header: BatchHeader) throws(Fault) -> Body {
        var chain = CRC32C(resuming: header.words(seed: seed).checksum)
        var batch = ScannedBatch(header)
        batch.facts = try readFacts(header.facts, of: header, chain: &chain)
        var offset = header.entries.lowerBound
        batch.entries.reserveCapacity(min(header.entryCount, header.bodyBytes / RecordHeader.bytes))
        for _ in 0..<header.entryCount {
            let record = try readRecord(
                at: offset, before: header.entries.upperBound, in: header, chain: &chain)
            guard case .entry(let entry) = record.value else {
                throw Fault(
                    problem: "the record at byte \(offset) is no entry", header: header,
                    isMisplaced: true)
            }
            batch.entries.append(entry)
            offset = record.end
        }
        try checkEnd(of: header, behind: offset, facts: batch.facts)
        guard image.word(at: header.end - 8) == BatchHeader.trailer(checksum: chain.value) else {
            throw Fault(
                problem: "the trailer of batch \(header.sequence) does not match", header: header)
        }
        return Body(batch: batch, checksum: chain.value)
    }

    /// Padding and copies, behind the entries.
    private func checkEnd(
        of header: BatchHeader, behind offset: Int, facts: [LogRecord]
    ) throws(Fault) {
        guard header.isMirrored else {
            guard offset == header.entries.upperBound else {
                throw Fault(
                    problem: "batch \(header.sequence) holds bytes behind its entries",
                    header: header)
            }
            return
        }
        guard image.isFilled(offset..<header.copyOffset, with: BatchHeader.paddingByte),
            self.header(at: header.copyOffset) == header
        else {
            throw Fault(
                problem: "the padding or the copy of the header of batch \(header.sequence) is "
                    + "not as it was written", header: header)
        }
        var unchained = CRC32C()
        let copies = try readFacts(header.factsCopy, of: header, chain: &unchained)
        guard copies == facts else {
            throw Fault(
                problem: "the copies of what batch \(header.sequence) says differ",
                header: header, isMisplaced: true)
        }
    }

    func readFacts(
        _ range: Range<Int>, of header: BatchHeader, chain: inout CRC32C
    ) throws(Fault) -> [LogRecord] {
        var facts: [LogRecord] = []
        var offset = range.lowerBound
        while offset < range.upperBound {
            let record = try readRecord(
                at: offset, before: range.upperBound, in: header, chain: &chain)
            if case .entry = record.value {
                throw Fault(
                    problem: "the record at byte \(offset) is an entry", header: header,
                    isMisplaced: true)
            }
            facts.append(record.value)
            offset = record.end
        }
        return facts
    }

    private func readRecord(
        at offset: Int, before end: Int, in batch: BatchHeader, chain: inout CRC32C
    ) throws(Fault) -> (value: LogRecord, end: Int) {
        guard offset + RecordHeader.bytes <= end,
            let (record, checksum) = RecordHeader.decode(image, at: offset, seed: seed),
            offset + record.totalBytes <= end
        else {
            throw Fault(
                problem: "the record header at byte \(offset), in batch \(batch.sequence), is not "
                    + "readable", header: batch)
        }
        guard hasPayload(record, at: offset) else {
            throw Fault(
                problem: "the payload of the record for index \(record.index), term "
                    + "\(record.term), at byte \(offset), does not match its checksum",
                header: batch)
        }
        chain.update(word: UInt64(checksum))
        return (try value(of: record, at: offset, in: batch), offset + record.totalBytes)
    }

    func hasPayload(_ record: RecordHeader, at offset: Int) -> Bool {
        let start = offset + RecordHeader.bytes
        let end = start + record.payloadBytes
        return image.checksum(start..<end) == record.payloadChecksum
            && image.isZero(end..<offset + record.totalBytes)
    }

    /// What a record with a good header and payload says.
    func value(
        of record: RecordHeader, at offset: Int, in batch: BatchHeader?
    ) throws(Fault) -> LogRecord {
        let start = offset + RecordHeader.bytes
        var payload = Array(image.bytes[start..<start + record.payloadBytes])
        if record.maskKey != 0 {
            PayloadMask.apply(key: record.maskKey, nonce: header.nonce, to: &payload)
        }
        do {
            guard let kind = RecordKind(rawValue: record.kind) else {
                throw CodecError("record kind \(record.kind) is not known")
            }
            return try RecordCodec.decode(
                kind, index: record.index, term: record.term, payload: payload)
        } catch {
            throw Fault(
                problem: "the record at byte \(offset) can't be read: \(error)", header: batch,
                isMisplaced: true)
        }
    }
}
