import Raft
import Scheduler

/// How a segment opens:
///
///      0  magic "CRLNSEG1"
///      8  u32 format version     12  u32 header bytes H, a multiple of 4,096
///     16  u64 segment number     24  u64 nonce
///     32  u64 segment bytes      40  u64 sequence of the first batch
///     48  u32 trailer checksum of the last batch before this segment
///     52  u32 batches with facts before this segment (`BatchHeader`)
///     56  u64 term, vote, mark (both as in `RaftCodec.swift`), u64 last index, u64 last term
///      …  zeros
///    H-4  u32 CRC32C of the H-4 bytes before; here in every future version too
///
/// The last H bytes of the segment are a copy of these H, written before the segment got its name. So a
/// damaged header costs nothing.
///
/// The nonce is random, new in every life of a segment, and seeds the checksums of its batches and
/// records: nothing of a former life, and nothing a client puts into a payload, passes for a record.
struct SegmentHeader: Equatable, Sendable {
    static let formatVersion: UInt32 = 1

    var number: UInt64
    var nonce: UInt64
    var segmentBytes: Int
    var firstSequence: UInt64
    var previousChecksum: UInt32
    var factBatches: UInt32
    var state: LogState

    /// Offset of the first batch.
    var bodyOffset: Int { Self.roundedUp(contents().count + 4) }

    /// Where batches have to end and the copy of the header begins.
    var bodyEnd: Int { segmentBytes - bodyOffset }

    /// The seed of every checksum in this segment.
    var seed: UInt32 {
        var seed = CRC32C()
        seed.update(word: nonce)
        seed.update(word: number)
        return seed.value
    }

    func encoded() -> [UInt8] {
        var bytes = contents()
        let count = Self.roundedUp(bytes.count + 4)
        precondition(count <= StorageLimits.maxSegmentHeaderBytes, "the configuration is too large")
        bytes.append(contentsOf: repeatElement(0, count: count - 4 - bytes.count))
        withUnsafeBytes(of: CRC32C.checksum(bytes).littleEndian) { bytes.append(contentsOf: $0) }
        return bytes
    }

    /// `bytes` is the segment from its beginning, at least as much of it as its header takes.
    init(decoding bytes: [UInt8], path: String) throws(StorageError) {
        func corrupt(_ problem: String) -> StorageError {
            .corrupt(path: path, offset: 0, problem: problem)
        }
        guard bytes.count >= 16, bytes.starts(with: Self.magic) else {
            throw corrupt("it does not begin like a log segment")
        }
        let image = SegmentImage(bytes: bytes)
        let version = UInt32(truncatingIfNeeded: image.word(at: 8))
        let headerBytes = Int(image.word(at: 8) >> 32)
        guard headerBytes % Self.alignment == 0, headerBytes > 0,
            headerBytes <= min(bytes.count, StorageLimits.maxSegmentHeaderBytes)
        else { throw corrupt("the segment's header announces \(headerBytes) bytes") }
        let checksum = UInt32(image.word(at: headerBytes - 8) >> 32)
        guard checksum == image.checksum(0..<headerBytes - 4) else {
            throw corrupt("the checksum of the segment's header does not match")
        }
        guard version == Self.formatVersion else {
            throw .unsupportedVersion(
                path: path, found: "\(version)", supported: "\(Self.formatVersion)")
        }
        do {
            var reader = ByteReader(bytes, range: 16..<headerBytes)
            try self.init(fields: &reader)
        } catch {
            throw corrupt("the segment's header can't be read: \(error)")
        }
    }

    /// Reads the header of a whole segment, from its copy if need be, and says what is wrong with the other
    /// one of the two. Throws what is wrong with the header if neither can be read.
    static func read(
        fromSegment bytes: [UInt8], path: String
    ) throws(StorageError) -> (header: SegmentHeader, damage: LogDamage?) {
        let front = Result { () throws(StorageError) in
            try SegmentHeader(decoding: bytes, path: path)
        }
        switch front {
        case .success(let header):
            let copyOffset = header.bodyEnd
            guard
                header.segmentBytes != bytes.count || copyOffset < header.bodyOffset
                    || bytes[copyOffset...] != bytes[..<header.bodyOffset]
            else { return (header, nil) }
            // A wrong size is reported by who compares it with the file's.
            return (
                header,
                LogDamage(
                    path: path, offset: copyOffset,
                    problem: "the copy of the segment's header does not match the header")
            )
        case .failure(let error):
            var offset = bytes.count - alignment
            while offset > 0, bytes.count - offset <= StorageLimits.maxSegmentHeaderBytes {
                let candidate = Result { () throws(StorageError) in
                    try SegmentHeader(decoding: Array(bytes[offset...]), path: path)
                }
                if case .success(let header) = candidate, header.bodyEnd == offset {
                    return (
                        header,
                        LogDamage(
                            path: path, offset: 0,
                            problem: "the segment's header can't be read; its copy was used")
                    )
                }
                offset -= alignment
            }
            throw error
        }
    }

    private init(fields reader: inout ByteReader) throws(CodecError) {
        number = try reader.uint64()
        nonce = try reader.uint64()
        segmentBytes = Int(truncatingIfNeeded: try reader.uint64())
        firstSequence = try reader.uint64()
        previousChecksum = try reader.uint32()
        factBatches = try reader.uint32()
        let term = try reader.uint64()
        let vote = try reader.vote()
        let mark = try reader.snapshotMark()
        state = LogState(
            hardState: HardState(term: term, vote: vote), mark: mark,
            lastIndex: try reader.uint64(), lastTerm: try reader.uint64())
    }

    init(
        number: UInt64, nonce: UInt64, segmentBytes: Int, firstSequence: UInt64,
        previousChecksum: UInt32, factBatches: UInt32, state: LogState
    ) {
        self.number = number
        self.nonce = nonce
        self.segmentBytes = segmentBytes
        self.firstSequence = firstSequence
        self.previousChecksum = previousChecksum
        self.factBatches = factBatches
        self.state = state
    }

    private static let magic = Array("CRLNSEG1".utf8)
    private static let alignment = 4_096

    private static func roundedUp(_ count: Int) -> Int {
        (count + alignment - 1) / alignment * alignment
    }

    private func contents() -> [UInt8] {
        var writer = ByteWriter(capacity: Self.alignment)
        writer.putRaw(Self.magic)
        writer.put(Self.formatVersion)
        let lengthOffset = writer.count
        writer.put(UInt32(0))
        writer.put(number)
        writer.put(nonce)
        writer.put(UInt64(segmentBytes))
        writer.put(firstSequence)
        writer.put(previousChecksum)
        writer.put(factBatches)
        writer.put(state.hardState.term)
        writer.put(state.hardState.vote)
        writer.put(state.mark)
        writer.put(state.lastIndex)
        writer.put(state.lastTerm)
        writer.patch(UInt32(Self.roundedUp(writer.count + 4)), at: lengthOffset)
        return writer.bytes
    }
}
