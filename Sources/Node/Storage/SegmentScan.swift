import Raft
import Scheduler

/// Reads a segment batch by batch and stops at the first thing that is no valid batch.
struct SegmentScan {
    let image: SegmentImage
    /// Where the next batch has to begin.
    private(set) var position: Int
    private(set) var sequence: UInt64
    private(set) var previousChecksum: UInt32
    /// Extent of the write that brought the last valid batch.
    private(set) var writeStart: Int
    private(set) var writeEnd: Int
    private let seed: UInt32
    private let nonce: UInt64

    enum Step {
        case batch([LogRecord])
        case sealed
        /// No batch stands at `position`. What that means `SegmentTail` decides.
        case stopped(Fault)
    }

    /// Why no batch stands there.
    struct Fault {
        var problem: String
        /// The batch's header, if that much is readable.
        var header: BatchHeader?
        /// The batch is whole, but it is not the one that has to follow: no torn write looks like this.
        var isMisplaced = false
    }

    init(header: SegmentHeader, image: SegmentImage) {
        self.image = image
        position = header.bodyOffset
        sequence = header.firstSequence
        previousChecksum = header.previousChecksum
        writeStart = position
        writeEnd = position
        seed = header.seed
        nonce = header.nonce
    }

    mutating func next() -> Step {
        guard let (header, checksum) = BatchHeader.decode(image, at: position, seed: seed) else {
            return .stopped(Fault(problem: "no readable batch header stands there"))
        }
        guard header.sequence == sequence, header.previousChecksum == previousChecksum else {
            return .stopped(
                Fault(
                    problem: "batch \(header.sequence) stands there instead of batch \(sequence)",
                    header: header, isMisplaced: true))
        }
        guard position + header.totalBytes <= image.count else {
            return .stopped(
                Fault(
                    problem: "batch \(sequence) would reach beyond the segment", header: header,
                    isMisplaced: true))
        }
        let body: Body
        do throws(Fault) {
            body = try readBody(of: header, checksum: checksum)
        } catch {
            return .stopped(error)
        }
        position += header.totalBytes
        sequence += 1
        previousChecksum = body.checksum
        writeStart = header.writeStart
        writeEnd = header.writeEnd
        return header.isSeal ? .sealed : .batch(body.records)
    }

    /// Whether a header that was written for that place stands at `offset`, no matter what is around it.
    func header(at offset: Int) -> BatchHeader? {
        BatchHeader.decode(image, at: offset, seed: seed)?.header
    }

    private struct Body {
        var records: [LogRecord]
        var checksum: UInt32
    }

    private func readBody(
        of header: BatchHeader, checksum: UInt32
    ) throws(Fault) -> Body {
        let end = header.offset + BatchHeader.bytes + header.bodyBytes
        var records: [LogRecord] = []
        var chain = CRC32C(resuming: checksum)
        var offset = header.offset + BatchHeader.bytes
        for number in 0..<header.recordCount {
            guard offset + RecordHeader.bytes <= end,
                let (record, recordChecksum) = RecordHeader.decode(image, at: offset, seed: seed),
                offset + record.totalBytes <= end
            else {
                throw Fault(
                    problem: "the header of record \(number) of batch \(header.sequence), "
                        + "at byte \(offset), is not readable", header: header)
            }
            records.append(try read(record, at: offset, in: header))
            chain.update(word: UInt64(recordChecksum))
            offset += record.totalBytes
        }
        guard offset == end, image.word(at: end) == BatchHeader.trailer(checksum: chain.value)
        else {
            throw Fault(
                problem: "the trailer of batch \(header.sequence) does not match", header: header)
        }
        return Body(records: records, checksum: chain.value)
    }

    private func read(
        _ record: RecordHeader, at offset: Int, in batch: BatchHeader
    ) throws(Fault) -> LogRecord {
        let start = offset + RecordHeader.bytes
        let end = start + record.payloadBytes
        guard image.checksum(start..<end) == record.payloadChecksum,
            image.isZero(end..<offset + record.totalBytes)
        else {
            throw Fault(
                problem: "the payload of the record for index \(record.index), term "
                    + "\(record.term), at byte \(offset), does not match its checksum",
                header: batch)
        }
        var payload = Array(image.bytes[start..<end])
        if record.maskKey != 0 {
            PayloadMask.apply(key: record.maskKey, nonce: nonce, to: &payload)
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

extension SegmentScan.Fault: Error {}
