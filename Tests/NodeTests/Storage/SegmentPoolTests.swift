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
        let left = try before.take(bytes: 2 * Self.segmentBytes, number: 2).name
        let pool = try SegmentPool(
            folder: folder, segmentBytes: Self.segmentBytes, used: [left], usesThread: false)
        let large = try pool.take(bytes: 2 * Self.segmentBytes, number: 2)
        #expect(large.name == left)
        try folder.rename(large.name, to: SegmentName.text(2))
        let next = try pool.take(bytes: Self.segmentBytes, number: 3)
        #expect(next.name != left)
        let names = try folder.names()
        #expect(names.sorted() == [SegmentName.text(2), next.name].sorted())
    }
}
