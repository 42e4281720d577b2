import Raft

/// Going on behind damage. Nothing is guessed: either what stands around the damage proves what was lost,
/// or the scan can't go on and says why.
///
/// | damaged                        | known from                                          | lost          |
/// |--------------------------------|-----------------------------------------------------|---------------|
/// | payload of an entry            | its header                                          | its content   |
/// | header of an entry             | the batch's header: first index, number of entries  | its content   |
/// | facts, or their copy           | the other one                                       | nothing       |
/// | header of a mirrored batch     | its copy                                            | nothing       |
/// | header of a batch of entries   | the next header, or the next segment's: last index, | what is found |
/// |                                | sequence, and that no batch with facts is missing   | nowhere       |
/// | trailer, padding, seal         | nothing depends on it                               | nothing       |
/// | facts and copy; a fact batch;  |                                                     | refused       |
/// | header of the last batch       |                                                     |               |
///
/// Entries whose record headers are found behind the damage are kept: a header is bound to its offset and
/// to this life of the segment, and names index and term.
extension SegmentScan {
    /// What must follow this segment, as the next segment's header has it.
    struct Continuation {
        var sequence: UInt64
        var lastIndex: Index
        var factBatches: UInt32
        var previousChecksum: UInt32

        init(_ next: SegmentHeader) {
            sequence = next.firstSequence
            lastIndex = next.state.lastIndex
            factBatches = next.factBatches
            previousChecksum = next.previousChecksum
        }
    }

    /// What stands at `position`, where `next` stopped because of damage; `position` moves behind it.
    ///
    /// Throws if it can't be known what was lost. `continuation` is nil in the last segment.
    mutating func bridge(
        _ fault: Fault, before continuation: Continuation?
    ) throws(Fault) -> ScannedBatch {
        if fault.isMisplaced { throw fault }
        guard let header = firstHeader() else {
            guard let continuation else {
                throw Fault(
                    problem: "\(fault.problem), and no batch behind it tells what was lost")
            }
            return try skipToEnd(fault, continuation)
        }
        guard header.offset == position else { return try skip(to: header, fault) }
        try check(header)
        return try salvage(header, fault)
    }

    /// The first batch at or behind `position` whose header or copy is readable.
    private func firstHeader() -> BatchHeader? {
        var offset = position
        while offset + BatchHeader.bytes <= limit {
            if let header = header(at: offset), header.offset >= position { return header }
            offset += 8
        }
        return nil
    }

    /// Batches without a header, in front of one that has its own.
    private mutating func skip(
        to header: BatchHeader, _ fault: Fault
    ) throws(Fault) -> ScannedBatch {
        guard header.sequence > sequence else {
            throw Fault(
                problem: "\(fault.problem), and behind it stands batch \(header.sequence)")
        }
        try checkFacts(header.factBatches, fault)
        var batch = ScannedBatch(through: header.lastIndex)
        batch.entries = try salvagedEntries(position..<header.offset, in: nil)
        batch.problem = fault.problem
        position = header.offset
        sequence = header.sequence
        previousChecksum = header.previousChecksum
        // Nothing says which write brought them; the header ahead says it of what follows.
        writeStart = min(position, header.writeStart)
        writeEnd = position
        return batch
    }

    /// Everything up to the end of the segment, the seal included.
    private mutating func skipToEnd(
        _ fault: Fault, _ continuation: Continuation
    ) throws(Fault) -> ScannedBatch {
        guard continuation.sequence > sequence else {
            throw Fault(
                problem: "\(fault.problem), and the next segment goes on with batch "
                    + "\(continuation.sequence)")
        }
        try checkFacts(continuation.factBatches, fault)
        var batch = ScannedBatch(through: continuation.lastIndex)
        batch.entries = try salvagedEntries(position..<limit, in: nil)
        batch.problem = fault.problem
        batch.isLast = true
        position = limit
        sequence = continuation.sequence
        previousChecksum = continuation.previousChecksum
        writeStart = limit
        writeEnd = limit
        return batch
    }

    private func checkFacts(_ found: UInt32, _ fault: Fault) throws(Fault) {
        guard found == factBatches else {
            throw Fault(
                problem: "\(fault.problem), and \(found &- factBatches) of the lost batches held a "
                    + "vote, a truncation, a snapshot mark or the start of a term")
        }
    }

    /// A batch whose header is known.
    private mutating func salvage(
        _ header: BatchHeader, _ fault: Fault
    ) throws(Fault) -> ScannedBatch {
        var batch = ScannedBatch(header)
        var unchained = CRC32C()
        do throws(Fault) {
            batch.facts = try readFacts(header.facts, of: header, chain: &unchained)
        } catch {
            guard !error.isMisplaced else { throw error }
            do throws(Fault) {
                batch.facts = try readFacts(header.factsCopy, of: header, chain: &unchained)
            } catch let second {
                throw Fault(
                    problem: "\(error.problem), and in its copy \(second.problem)", header: header)
            }
        }
        batch.entries = try salvagedEntries(header.entries, in: header)
        batch.problem = fault.problem
        pass(header, checksum: chain(of: header))
        return batch
    }

    /// What the trailer of a batch has to hold, which takes all its record headers but none of its
    /// payloads; nil if one can't be read.
    private func chain(of header: BatchHeader) -> UInt32? {
        var chain = CRC32C(resuming: header.words(seed: seed).checksum)
        for range in [header.facts, header.entries] {
            var offset = range.lowerBound
            var left = range == header.facts ? Int.max : header.entryCount
            while offset < range.upperBound, left > 0 {
                guard let (record, checksum) = RecordHeader.decode(image, at: offset, seed: seed)
                else { return nil }
                chain.update(word: UInt64(checksum))
                offset += record.totalBytes
                left -= 1
            }
        }
        return chain.value
    }

    /// The entries whose record headers stand in `range`, those with a damaged payload as lost.
    private func salvagedEntries(
        _ range: Range<Int>, in header: BatchHeader?
    ) throws(Fault) -> [Entry] {
        var entries: [Entry] = []
        var offset = range.lowerBound
        while offset + RecordHeader.bytes <= range.upperBound {
            guard let (record, _) = RecordHeader.decode(image, at: offset, seed: seed),
                let kind = RecordKind(rawValue: record.kind), kind.isEntry,
                offset + record.totalBytes <= range.upperBound
            else {
                offset += 8
                continue
            }
            var entry = Entry(index: record.index, term: record.term, payload: .lost)
            if hasPayload(record, at: offset),
                case .entry(let whole) = try value(of: record, at: offset, in: header)
            {
                entry = whole
            }
            entries.append(entry)
            offset += record.totalBytes
        }
        return entries
    }
}
