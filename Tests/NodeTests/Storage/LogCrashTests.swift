import Raft
import Testing

@testable import Node

struct LogCrashTests {
    /// For many random subsets of the sectors of an unsynced write: the log is found as it was after some
    /// whole batch of that write, never damaged, never without what had been synced.
    @Test(arguments: 0..<10) func aTornWriteEndsAtAWholeBatch(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(100 + seed))
        let bed = try LogBed(segmentBytes: 64 << 10)
        let crashed = try LogBed(segmentBytes: 64 << 10)
        var model = LogModel(initial: LogBed.initial)
        let (log, _) = try bed.open()
        defer { log.abandon() }
        var ticket: Ticket = 0
        for _ in 0..<6 {
            let synced = try LogImage(of: bed.scratch)
            var states = [model.recovered]
            var group: [Batch] = []
            for _ in 0..<Int.random(in: 1...5, using: &generator) {
                ticket += 1
                let batch = model.randomBatch(
                    ticket: ticket, maxPayloadBytes: 1_500, using: &generator)
                model.apply(batch)
                states.append(model.recovered)
                group.append(batch)
            }
            let written = try log.write(group, from: 0)
            let unsynced = try LogImage(of: bed.scratch)
            try log.sync()
            // A change of segments syncs by itself; those crashes are the next test's.
            if written == group.count, synced.names == unsynced.names {
                for share in [0, 0.1, 0.5, 0.9, 0.97, 1] {
                    let image = synced.torn(
                        towards: unsynced, using: &generator, share: share)
                    try check(image, on: crashed, isOneOf: states, exactly: share)
                }
            }
            if written < group.count { try log.append(Array(group[written...])) }
        }
    }

    private func check(
        _ image: LogImage, on bed: LogBed, isOneOf states: [Recovered], exactly share: Double
    ) throws {
        try image.restore(to: bed.scratch)
        let (log, recovered) = try bed.open(mayCreate: false)
        #expect(states.contains(recovered))
        if share == 0 { #expect(recovered == states.first) }
        if share == 1 { #expect(recovered == states.last) }
        // And the log goes on behind the cut.
        let last = max(recovered.snapshot.index, recovered.entries.last?.index ?? 0)
        let next = Entry(index: last + 1, term: 1_000, payload: .command([1]))
        let batch = Batch(ticket: 1, hardState: HardState(term: 1_000), entries: [next])
        try log.append([batch])
        log.abandon()
        let again = try bed.recover()
        #expect(again.entries == recovered.entries + [next])
    }

    /// The states a crash can leave while one segment follows another.
    @Test func aCrashWhileSegmentsChangeLosesNothing() throws {
        var generator = SeededGenerator(seed: 7)
        let bed = try LogBed()
        let crashed = try LogBed()
        let (log, _) = try bed.open()
        defer { log.abandon() }
        var model = LogModel(initial: LogBed.initial)
        var before = try LogImage(of: bed.scratch)
        var after = before
        var batch = Batch(ticket: 1, hardState: HardState(term: 1))
        var index: Index = 0
        while after.names == before.names {
            model.apply(batch)
            try log.append([batch])
            before = try LogImage(of: bed.scratch)
            index += 1
            batch = Batch(
                ticket: index + 1,
                entries: [
                    Entry(
                        index: index, term: 1,
                        payload: .command([UInt8](repeating: 5, count: 900)))
                ])
            let crash = try LogImage(of: bed.scratch)
            _ = try log.write([batch], from: 0)
            after = try LogImage(of: bed.scratch)
            if after.names == before.names {
                try log.sync()
                model.apply(batch)
                before = crash
                index += 1
                batch = Batch(
                    ticket: index + 1,
                    entries: [
                        Entry(index: index, term: 1, payload: .command([UInt8(index % 200)]))
                    ])
            }
        }
        let old = try #require(before.names.last)
        let new = try #require(after.names.last)
        let full = try #require(after.files[new])
        let header = try SegmentHeader(decoding: full, path: new)
        var unused = full
        for offset in header.bodyOffset..<header.bodyEnd { unused[offset] = 0 }

        // The next segment stands ready; the seal is nowhere, partly or wholly there.
        for share in [0, 0.5, 0.5, 1] {
            var image = before.torn(towards: after, using: &generator, share: share)
            image.files[new] = unused
            try image.restore(to: crashed.scratch)
            #expect(try crashed.recover() == model.recovered)
            #expect(try crashed.recover() == model.recovered)
        }
        // Sealed, and the first write to the next segment is torn.
        var grown = model
        grown.apply(batch)
        var sealed = after
        sealed.files[new] = unused
        for share in [0, 0.3, 0.6, 1] {
            let image = sealed.torn(towards: after, using: &generator, share: share)
            try image.restore(to: crashed.scratch)
            let recovered = try crashed.recover()
            #expect(recovered == model.recovered || recovered == grown.recovered)
        }
        // Not sealed, although the next segment is in use: no crash does that, but nothing is missing.
        var impossible = after
        impossible.files[old] = before.files[old]
        try impossible.restore(to: crashed.scratch)
        #expect(try crashed.recover() == grown.recovered)
    }

    /// One sector missing, and one sector there, for every sector of a write with large payloads, with
    /// payloads of zeros and with payloads that are written from their own arrays.
    @Test func everySingleSectorMatters() throws {
        let bed = try LogBed(segmentBytes: 256 << 10)
        let crashed = try LogBed(segmentBytes: 256 << 10)
        let (log, _) = try bed.open()
        defer { log.abandon() }
        var model = LogModel(initial: LogBed.initial)
        let first = Batch(ticket: 1, hardState: HardState(term: 1))
        model.apply(first)
        try log.append([first])
        let synced = try LogImage(of: bed.scratch)
        var states = [model.recovered]
        let large = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 >> 9) }
        let payloads = [[5], [UInt8](repeating: 0, count: 3_000), large, [6, 7]]
        var group: [Batch] = []
        for (position, payload) in payloads.enumerated() {
            let entry = Entry(
                index: Index(position) + 1, term: 1, payload: .command(payload))
            group.append(Batch(ticket: Ticket(position) + 2, entries: [entry]))
            model.apply(group[position])
            states.append(model.recovered)
        }
        #expect(try log.write(group, from: 0) == group.count)
        let unsynced = try LogImage(of: bed.scratch)
        let name = synced.names[0]
        let old = try #require(synced.files[name])
        let new = try #require(unsynced.files[name])
        for start in stride(from: 0, to: old.count, by: 512) {
            let range = start..<start + 512
            guard old[range] != new[range] else { continue }
            for (base, sector) in [(unsynced, old[range]), (synced, new[range])] {
                var image = base
                image.files[name]?.replaceSubrange(range, with: sector)
                try image.restore(to: crashed.scratch)
                let recovered = try crashed.recover()
                #expect(states.contains(recovered), "sector at \(start)")
            }
        }
    }

    /// Recovery cuts a torn write off and writes an empty batch; a crash may tear that too, where the
    /// batch before says that its write went further.
    @Test func aCrashDuringRecoveryLosesNothing() throws {
        var generator = SeededGenerator(seed: 21)
        let bed = try LogBed()
        let crashed = try LogBed()
        let (log, _) = try bed.open()
        defer { log.abandon() }
        try log.append([Batch(ticket: 1, hardState: HardState(term: 1))])
        let synced = try LogImage(of: bed.scratch)
        let group = (1...6).map { index in
            Batch(
                ticket: Ticket(index) + 1,
                entries: [
                    Entry(
                        index: Index(index), term: 1,
                        payload: .command([UInt8](repeating: 8, count: 333)))
                ])
        }
        _ = try log.write(group, from: 0)
        let unsynced = try LogImage(of: bed.scratch)
        let name = synced.names[0]
        let markerBytes = BatchLayout.marker(lastIndex: 0).totalBytes
        for _ in 0..<40 {
            let torn = synced.torn(towards: unsynced, using: &generator, share: 0.7)
            try torn.restore(to: crashed.scratch)
            let recovered = try crashed.recover()
            let repaired = try LogImage(of: crashed.scratch)
            let bytes = try #require(repaired.files[name])
            let end = SegmentImage(bytes: bytes).endOfNonZero(in: 0..<bytes.count - 4_096)
            var unmarked = repaired
            let marker = end - markerBytes..<end
            unmarked.files[name]?.replaceSubrange(
                marker, with: repeatElement(0, count: markerBytes))
            for share in [0, 0.5, 1] {
                let image = unmarked.torn(towards: repaired, using: &generator, share: share)
                try image.restore(to: crashed.scratch)
                #expect(try crashed.recover() == recovered)
            }
        }
    }
}
