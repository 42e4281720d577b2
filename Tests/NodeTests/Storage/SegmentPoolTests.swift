import Testing

@testable import Node

struct SegmentPoolTests {
    private static let segmentBytes = 32 << 10

    /// A crash between making a large segment's file and giving it its name leaves the file. The next start makes it
    /// again under the same name, and takes it away: the pool must not count on it.
    @Test func aLeftOverLargeSpareIsNotKept() throws {
        let scratch = try ScratchFolder()
        let folder = scratch.folder
        let before = try SegmentPool(
            folder: folder, segmentBytes: Self.segmentBytes, used: [], usesThread: false)
        let left = try before.take(atLeastBytes: 2 * Self.segmentBytes, number: 2).name
        let pool = try SegmentPool(
            folder: folder, segmentBytes: Self.segmentBytes, used: [left], usesThread: false)
        let large = try pool.take(atLeastBytes: 2 * Self.segmentBytes, number: 2)
        #expect(large.name == left)
        try folder.rename(large.name, to: SegmentName.text(2))
        let next = try pool.take(atLeastBytes: Self.segmentBytes, number: 3)
        #expect(next.name != left)
        let names = try folder.names()
        #expect(names.sorted() == [SegmentName.text(2), next.name].sorted())
    }

    /// A new log would otherwise begin with a whole segment of zeros, and every sync of its neighbours on the disk wait
    /// behind them.
    @Test func whoIsFasterThanTheSpareGetsASmallOneAtOnce() throws {
        let scratch = try ScratchFolder()
        // Of a size that can't be ready when it is asked for.
        let pool = try SegmentPool(
            folder: scratch.folder, segmentBytes: 8 << 30, used: [], usesThread: true)
        let first = try pool.take(atLeastBytes: 10_000, number: 1)
        #expect(first.bytes == StorageLimits.smallSegmentBytes)
        #expect(try scratch.bytes(of: first.name).count == StorageLimits.smallSegmentBytes)
        let second = try pool.take(atLeastBytes: 3_000_001, number: 2)
        #expect(second.bytes == 3_002_368 && second.name != first.name)
        // Doesn't wait for the spare.
        pool.stop()
        let left = try scratch.folder.names().filter { $0 != first.name && $0 != second.name }
        #expect(left.count == 1)
        let next = try SegmentPool(
            folder: scratch.folder, segmentBytes: Self.segmentBytes, used: left, usesThread: false
        ).take(atLeastBytes: 1, number: 3)
        #expect(next.bytes == Self.segmentBytes && next.name != left.first)
        #expect(try scratch.bytes(of: next.name).count == Self.segmentBytes)
    }

    /// Small ones, made while there was no spare, would take the places of those that can be used again.
    @Test func onlyWholeSegmentsAreKept() throws {
        let scratch = try ScratchFolder()
        let pool = try SegmentPool(
            folder: scratch.folder, segmentBytes: Self.segmentBytes, used: [], usesThread: false)
        try scratch.write([UInt8](repeating: 7, count: 4_096), to: SegmentName.text(1))
        try scratch.write(
            [UInt8](repeating: 7, count: Self.segmentBytes), to: SegmentName.text(2))
        pool.recycle(name: SegmentName.text(1))
        #expect(try scratch.folder.names() == [SegmentName.text(2)])
        pool.recycle(name: SegmentName.text(2))
        let kept = try scratch.folder.names()
        #expect(kept.count == 1 && kept != [SegmentName.text(2)])
        let spare = try pool.take(atLeastBytes: 1, number: 3)
        #expect([spare.name] == kept)
        #expect(try scratch.bytes(of: spare.name).allSatisfy { $0 == 0 })
    }

    @Test(.timeLimit(.minutes(2))) func theSpareIsTakenOnceItIsReady() throws {
        let scratch = try ScratchFolder()
        let segmentBytes = 2 * StorageLimits.smallSegmentBytes
        let pool = try SegmentPool(
            folder: scratch.folder, segmentBytes: segmentBytes, used: [], usesThread: true)
        for round in 0..<2 {
            var spare = try pool.take(atLeastBytes: 1, number: 1)
            while spare.bytes < segmentBytes { spare = try pool.take(atLeastBytes: 1, number: 1) }
            #expect(try scratch.bytes(of: spare.name).count == segmentBytes, "round \(round)")
            let bytes = try scratch.bytes(of: spare.name)
            #expect(bytes.allSatisfy { $0 == 0 })
            try scratch.folder.rename(spare.name, to: SegmentName.text(UInt64(round + 1)))
        }
        pool.stop()
    }
}
