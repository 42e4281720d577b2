import Raft
import Testing

@testable import Node

struct SegmentFormatTests {
    private let header = SegmentHeader(
        number: 3, nonce: 0x0123_4567_89ab_cdef, segmentBytes: 16 << 10, firstSequence: 77,
        previousChecksum: 5, factBatches: 6,
        state: LogState(
            hardState: HardState(term: 9, vote: "n2"),
            mark: SnapshotMark(
                index: 4, term: 2,
                configuration: Configuration(
                    voters: ["n1"], outgoing: ["n2"], learners: ["n3"])),
            lastIndex: 12, lastTerm: 8))

    @Test func aHeaderComesBack() throws {
        let bytes = header.encoded()
        #expect(bytes.count == header.bodyOffset)
        #expect(bytes.count == 4_096)
        #expect(try SegmentHeader(decoding: bytes, path: "p") == header)
    }

    @Test func aLargeConfigurationTakesMorePages() throws {
        var large = header
        large.state.mark.configuration = Configuration(
            voters: (0..<300).map { NodeID("a-rather-long-name-of-a-node-\($0)") })
        let bytes = large.encoded()
        #expect(bytes.count > 8_192 && bytes.count % 4_096 == 0)
        #expect(try SegmentHeader(decoding: bytes, path: "p") == large)
    }

    @Test func aNewerVersionIsToldFromDamage() throws {
        var bytes = header.encoded()
        bytes[8] = 2
        guard
            case .corrupt = #expect(
                throws: StorageError.self,
                performing: {
                    try SegmentHeader(decoding: bytes, path: "p")
                })
        else {
            Issue.record("a changed byte passed for a newer version")
            return
        }
        let checksum = CRC32C.checksum(Array(bytes.dropLast(4)))
        for position in 0..<4 {
            bytes[bytes.count - 4 + position] = UInt8(
                truncatingIfNeeded: checksum >> (8 * UInt32(position)))
        }
        #expect(
            throws: StorageError.unsupportedVersion(path: "p", found: "2", supported: "1")
        ) { try SegmentHeader(decoding: bytes, path: "p") }
    }

    /// Written by version 1: a change that can't read this any more needs a new version.
    @Test func theFormatOfABatchIsFixed() {
        var encoder = GroupEncoder()
        encoder.begin(in: header)
        let batch = Batch(
            ticket: 1, hardState: HardState(term: 10, vote: "n1"), truncateFrom: 6,
            entries: [
                Entry(index: 6, term: 10, payload: .command([1, 2, 3])),
                Entry(
                    index: 7, term: 10,
                    payload: .configuration(Configuration(voters: ["n1"]))),
            ])
        let layout = BatchLayout(of: batch, after: header.state)
        let checksum = encoder.append(
            batch, layout,
            header: BatchHeader(
                isSeal: false, isMirrored: true, offset: 4_096, lastIndex: 12, sequence: 77,
                writeStart: 4_096, writeEnd: 4_096 + layout.totalBytes,
                bodyBytes: layout.bodyBytes, entryCount: 2, factBytes: layout.factBytes,
                factBatches: 6, previousChecksum: 5))
        encoder.finish()
        #expect(encoder.staging.count == layout.totalBytes)
        #expect(CRC32C.checksum(encoder.staging) == Self.fixedBatchChecksum)
        #expect(checksum == Self.fixedTrailerChecksum)
    }

    private static let fixedBatchChecksum: UInt32 = 722_618_164
    private static let fixedTrailerChecksum: UInt32 = 2_976_530_421
}
