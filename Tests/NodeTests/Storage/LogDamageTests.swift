import Raft
import Testing

@testable import Node

struct LogDamageTests {
    /// One flipped bit anywhere in what was acknowledged is reported and changes nothing on disk, even in
    /// the last write, behind which nothing proves that it was synced.
    @Test(arguments: 0..<12) func aFlippedBitIsReported(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(200 + seed))
        let bed = try LogBed()
        var model = LogModel(initial: LogBed.initial)
        let (log, _) = try bed.open()
        for ticket in 1...UInt64.random(in: 5...40, using: &generator) {
            let batch = model.randomBatch(
                ticket: ticket, maxPayloadBytes: 1_800, using: &generator)
            model.apply(batch)
            try log.append([batch])
        }
        log.abandon()
        let good = try LogImage(of: bed.scratch)
        for _ in 0..<40 {
            let name = try #require(good.names.randomElement(using: &generator))
            var bytes = try #require(good.files[name])
            let end = SegmentImage(bytes: bytes).endOfNonZero(in: 0..<bytes.count)
            let position = Int.random(in: 0..<end, using: &generator)
            bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            var image = good
            image.files[name] = bytes
            try image.restore(to: bed.scratch)
            #expect(throws: StorageError.self, "byte \(position) of \(name)") {
                try bed.recover()
            }
            #expect(try LogImage(of: bed.scratch) == image)
        }
        try good.restore(to: bed.scratch)
        #expect(try bed.recover() == model.recovered)
    }

    /// Everything in front of the last write is proven by the writes behind it, so that even sectors that
    /// turned to zero there are damage and not a torn write.
    @Test func aLostSectorBehindWhichTheLogWentOnIsReported() throws {
        var generator = SeededGenerator(seed: 3)
        let bed = try LogBed()
        var model = LogModel(initial: LogBed.initial)
        let (log, _) = try bed.open()
        for ticket in 1...6 as ClosedRange<UInt64> {
            var batch = Batch(ticket: ticket, hardState: HardState(term: ticket))
            batch.entries = [
                Entry(
                    index: ticket, term: ticket,
                    payload: LogModel.randomPayload(1_000, using: &generator))
            ]
            model.apply(batch)
            try log.append([batch])
        }
        try log.close()
        let good = try LogImage(of: bed.scratch)
        let name = try #require(good.names.last)
        let bytes = try #require(good.files[name])
        let marker = BatchHeader.bytes + BatchHeader.trailerBytes
        let end = SegmentImage(bytes: bytes).endOfNonZero(in: 0..<bytes.count)
        for start in stride(from: 4_096, to: (end - marker) / 512 * 512, by: 512) {
            var image = good
            image.files[name]?.replaceSubrange(
                start..<start + 512, with: repeatElement(0, count: 512))
            try image.restore(to: bed.scratch)
            let error = #expect(throws: StorageError.self) { try bed.recover() }
            guard case .corrupt(let path, let offset, _) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(path.hasSuffix(name))
            #expect(offset < UInt64(start + 512))
        }
    }

    @Test func aMissingOrShortSegmentIsReported() throws {
        let bed = try LogBed()
        let (log, _) = try bed.open()
        try log.append([Batch(ticket: 1, hardState: HardState(term: 1))])
        for index in 1...60 as ClosedRange<UInt64> {
            let payload = Entry.Payload.command([UInt8](repeating: 7, count: 1_000))
            try log.append([
                Batch(
                    ticket: index + 1,
                    entries: [Entry(index: index, term: 1, payload: payload)])
            ])
        }
        try log.close()
        let good = try LogImage(of: bed.scratch)
        #expect(good.names.count > 3)
        for name in good.names {
            var image = good
            image.files[name] = nil
            try image.restore(to: bed.scratch)
            #expect(throws: StorageError.self, "without \(name)") { try bed.recover() }
            image.files[name] = good.files[name]?.dropLast(512)
            try image.restore(to: bed.scratch)
            #expect(throws: StorageError.self, "\(name) short") { try bed.recover() }
        }
    }

    @Test func bytesBehindTheLastWriteAreReported() throws {
        let bed = try LogBed()
        let (log, _) = try bed.open()
        try log.append([Batch(ticket: 1, hardState: HardState(term: 1))])
        try log.close()
        let good = try LogImage(of: bed.scratch)
        let name = good.names[0]
        let bytes = try #require(good.files[name])
        let end = SegmentImage(bytes: bytes).endOfNonZero(in: 0..<bytes.count)
        var image = good
        image.files[name]?[end + 3] = 1
        try image.restore(to: bed.scratch)
        let error = #expect(throws: StorageError.self) { try bed.recover() }
        #expect(error?.description.contains("damaged at byte \(end)") == true)
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
        // The batches of one segment under the header of another of the same number.
        let name = first.names[0]
        var image = try LogImage(of: other.scratch)
        let body = try #require(first.files[name]?[4_096...])
        image.files[name]?.replaceSubrange(4_096..., with: body)
        try image.restore(to: other.scratch)
        #expect(throws: StorageError.self) { try other.recover() }
    }

    /// Every bit of a small log, padding included.
    @Test func everyBitCounts() throws {
        let bed = try LogBed()
        let (log, _) = try bed.open()
        try log.append([
            Batch(
                ticket: 1, hardState: HardState(term: 1, vote: "n2"),
                entries: [
                    Entry(index: 1, term: 1, payload: .command([1, 2, 3])),
                    Entry(index: 2, term: 1, payload: .noop),
                ]),
            Batch(ticket: 2, entries: [Entry(index: 3, term: 1, payload: .command([9]))]),
        ])
        log.abandon()
        let good = try LogImage(of: bed.scratch)
        let name = good.names[0]
        let bytes = try #require(good.files[name])
        let end = SegmentImage(bytes: bytes).endOfNonZero(in: 0..<bytes.count)
        for position in 4_096..<end {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[position] ^= 1 << bit
                try bed.scratch.write(damaged, to: name)
                #expect(throws: StorageError.self, "bit \(bit) of byte \(position)") {
                    try bed.recover()
                }
            }
        }
    }

    /// A torn write explains bytes up to its end, not behind it.
    @Test func bytesBehindATornWriteAreReported() throws {
        let bed = try LogBed()
        let (log, _) = try bed.open()
        try log.append([Batch(ticket: 1, hardState: HardState(term: 1))])
        let before = try LogImage(of: bed.scratch)
        let payload = Entry.Payload.command([UInt8](repeating: 3, count: 1_500))
        try log.append([
            Batch(ticket: 2, entries: [Entry(index: 1, term: 1, payload: payload)])
        ])
        log.abandon()
        let name = before.names[0]
        var image = try LogImage(of: bed.scratch)
        let written = try #require(image.files[name])
        let end = SegmentImage(bytes: written).endOfNonZero(in: 0..<written.count)
        let lost = end / 512 * 512 - 512
        image.files[name]?.replaceSubrange(lost..<lost + 512, with: repeatElement(0, count: 512))
        try image.restore(to: bed.scratch)
        #expect(try bed.recover().entries.isEmpty)
        image.files[name]?[end + 700] = 1
        try image.restore(to: bed.scratch)
        #expect(throws: StorageError.self) { try bed.recover() }
    }

    /// The header of a segment that was made ready proves what had been synced in the one before, even if
    /// the last write of that has vanished without a trace.
    @Test func aLostLastWriteInFrontOfAReadySegmentIsReported() throws {
        let bed = try LogBed()
        let (log, _) = try bed.open()
        try log.append([Batch(ticket: 1, hardState: HardState(term: 1))])
        var before = try LogImage(of: bed.scratch)
        var synced = before
        var index: Index = 0
        while synced.names == (try bed.scratch.folder.names().filter(SegmentName.isSegment)) {
            before = synced
            synced = try LogImage(of: bed.scratch)
            index += 1
            let payload = Entry.Payload.command([UInt8](repeating: 3, count: 1_500))
            try log.append([
                Batch(
                    ticket: index + 1,
                    entries: [Entry(index: index, term: 1, payload: payload)])
            ])
        }
        log.abandon()
        let after = try LogImage(of: bed.scratch)
        let new = try #require(after.names.last)
        var unused = try #require(after.files[new])
        unused.replaceSubrange(4_096..., with: repeatElement(0, count: unused.count - 4_096))
        var image = synced
        image.files[new] = unused
        try image.restore(to: bed.scratch)
        #expect(try bed.recover().entries.count == Int(index) - 1)
        image = before
        image.files[new] = unused
        try image.restore(to: bed.scratch)
        let error = #expect(throws: StorageError.self) { try bed.recover() }
        #expect(error?.description.contains("went on") == true)
    }
}
