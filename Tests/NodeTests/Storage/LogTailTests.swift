import Raft
import Testing

@testable import Node

/// What stands behind the end of the log, or where its end should be.
struct LogTailTests {
    /// A byte right behind the last write may be what is left of another one.
    @Test func bytesRightBehindTheLastWriteAreRefused() throws {
        let bed = try LogBed()
        let (log, _) = try bed.open()
        // Of a length that leaves the place of the next header within one sector.
        let entry = Entry(index: 1, term: 1, payload: .command([UInt8](repeating: 1, count: 96)))
        try log.append([Batch(ticket: 1, hardState: HardState(term: 1), entries: [entry])])
        try log.close()
        let good = try LogImage(of: bed.scratch)
        let name = good.names[0]
        let bytes = try #require(good.files[name])
        let end = SegmentImage(bytes: bytes).endOfNonZero(in: 0..<bytes.count - 4_096)
        #expect(end % 512 < 512 - 64)
        var image = good
        image.files[name]?[end + 3] = 1
        try image.restore(to: bed.scratch)
        let error = #expect(throws: StorageError.self) { try bed.recover() }
        #expect(error?.description.contains("damaged at byte \(end)") == true)
        #expect(try LogImage(of: bed.scratch) == image)
    }

    /// A recycled segment must not show what it held in its former life.
    @Test func recordsOfAFormerLifeDoNotCount() throws {
        let bed = try LogBed()
        let (log, _) = try bed.open()
        try log.append([
            Batch(
                ticket: 1, hardState: HardState(term: 1),
                entries: [Entry(index: 1, term: 1, payload: .command([1]))])
        ])
        try log.close()
        let first = try LogImage(of: bed.scratch)
        let other = try LogBed()
        let (second, _) = try other.open()
        try second.close()
        // The batches of one segment between the headers of another of the same number.
        let name = first.names[0]
        var image = try LogImage(of: other.scratch)
        let body = 4_096..<other.segmentBytes - 4_096
        let foreign = try #require(first.files[name]?[body])
        image.files[name]?.replaceSubrange(body, with: foreign)
        try image.restore(to: other.scratch)
        #expect(throws: StorageError.self) { try other.recover() }
    }

    /// A torn write explains bytes up to its end, not behind it.
    @Test func bytesBehindATornWriteAreNoPartOfIt() throws {
        let bed = try LogBed()
        let (log, _) = try bed.open()
        try log.append([Batch(ticket: 1, hardState: HardState(term: 1))])
        let start = Entry(index: 1, term: 1, payload: .noop)
        try log.append([Batch(ticket: 2, entries: [start])])
        let before = try LogImage(of: bed.scratch)
        let payload = Entry.Payload.command([UInt8](repeating: 3, count: 1_500))
        try log.append([
            Batch(ticket: 3, entries: [Entry(index: 2, term: 1, payload: payload)])
        ])
        log.abandon()
        let name = before.names[0]
        var image = try LogImage(of: bed.scratch)
        let written = try #require(image.files[name])
        let end = SegmentImage(bytes: written).endOfNonZero(in: 0..<written.count - 4_096)
        let lost = end / 512 * 512 - 512
        image.files[name]?.replaceSubrange(lost..<lost + 512, with: repeatElement(0, count: 512))
        try image.restore(to: bed.scratch)
        #expect(try bed.recover().entries == [start])
        image.files[name]?[end + 700] = 1
        try image.restore(to: bed.scratch)
        let found = DamageVerdict(
            reading: bed,
            expecting: Recovered(
                hardState: HardState(term: 1),
                snapshot: SnapshotMark(index: 0, term: 0, configuration: LogBed.initial),
                entries: [start, Entry(index: 2, term: 1, payload: payload)]))
        #expect(found == .lost(1))
    }

    /// The header of a segment that was made ready proves what had been synced in the one before, even if
    /// the last write of that has vanished without a trace.
    @Test func aLostLastWriteInFrontOfAReadySegmentIsKnown() throws {
        let bed = try LogBed()
        let (log, _) = try bed.open()
        try log.append([Batch(ticket: 1, hardState: HardState(term: 1))])
        var before = try LogImage(of: bed.scratch)
        var synced = before
        var model = LogModel(initial: LogBed.initial)
        model.apply(Batch(ticket: 1, hardState: HardState(term: 1)))
        var known = [model.recovered]
        var index: Index = 0
        while synced.names == (try bed.scratch.folder.names().filter(SegmentName.isSegment)) {
            before = synced
            synced = try LogImage(of: bed.scratch)
            index += 1
            let payload = Entry.Payload.command([UInt8](repeating: 3, count: 1_500))
            let batch = Batch(
                ticket: index + 1, entries: [Entry(index: index, term: 1, payload: payload)])
            try log.append([batch])
            model.apply(batch)
            known.append(model.recovered)
        }
        log.abandon()
        let truth = known[known.count - 2]
        let after = try LogImage(of: bed.scratch)
        let new = try #require(after.names.last)
        var unused = try #require(after.files[new])
        let body = 4_096..<unused.count - 4_096
        unused.replaceSubrange(body, with: repeatElement(0, count: body.count))
        var image = synced
        image.files[new] = unused
        try image.restore(to: bed.scratch)
        #expect(try bed.recover() == truth)
        image = before
        image.files[new] = unused
        try image.restore(to: bed.scratch)
        #expect(DamageVerdict(of: try bed.recover(), expecting: truth) == .lost(1))
    }
}
