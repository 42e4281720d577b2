import Raft
import Testing

@testable import Node

struct SegmentedLogTests {
    @Test func anEmptyDiskGivesTheInitialConfiguration() throws {
        let bed = try LogBed()
        let (log, recovered) = try bed.open()
        try log.close()
        #expect(recovered == LogModel(initial: LogBed.initial).recovered)
        #expect(try bed.recover() == recovered)
    }

    @Test func aVanishedLogIsRefused() throws {
        let bed = try LogBed()
        let error = #expect(throws: StorageError.self) { try bed.recover() }
        guard case .missing = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func everyKindOfBatchSurvivesReopening() throws {
        let bed = try LogBed()
        var model = LogModel(initial: LogBed.initial)
        let joint = Configuration(voters: ["n1", "n4"], outgoing: ["n1", "n2"], learners: ["n5"])
        let batches = [
            Batch(ticket: 1, hardState: HardState(term: 3, vote: "n2")),
            Batch(
                ticket: 2,
                entries: [
                    Entry(index: 1, term: 1, payload: .noop),
                    Entry(index: 2, term: 2, payload: .command([1, 2, 3])),
                    Entry(index: 3, term: 3, payload: .configuration(joint)),
                    Entry(index: 4, term: 3, payload: .command([])),
                ]),
            Batch(ticket: 3, hardState: HardState(term: 4), truncateFrom: 3),
            Batch(
                ticket: 4, truncateFrom: 2,
                entries: [Entry(index: 2, term: 4, payload: .command([9]))]),
            Batch(
                ticket: 5, entries: [Entry(index: 3, term: 4, payload: .command([7, 7]))]),
            Batch(
                ticket: 6,
                snapshot: SnapshotMark(index: 2, term: 4, configuration: joint)),
            Batch(
                ticket: 7, snapshot: SnapshotMark(index: 10, term: 4, configuration: joint),
                resetsLog: true, entries: [Entry(index: 11, term: 4, payload: .noop)]),
            Batch(ticket: 8),
        ]
        for batch in batches {
            let (log, before) = try bed.open()
            #expect(before == model.recovered)
            try log.append([batch])
            log.abandon()
            model.apply(batch)
            #expect(try bed.recover() == model.recovered)
        }
    }

    @Test(arguments: 0..<6) func randomBatchesOverManySegments(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let bed = try LogBed()
        var model = LogModel(initial: LogBed.initial)
        var ticket: Ticket = 0
        for _ in 0..<8 {
            let (log, recovered) = try bed.open()
            #expect(recovered == model.recovered)
            for _ in 0..<15 {
                var group: [Batch] = []
                for _ in 0..<Int.random(in: 1...5, using: &generator) {
                    ticket += 1
                    let batch = model.randomBatch(
                        ticket: ticket, maxPayloadBytes: 2_000, using: &generator)
                    model.apply(batch)
                    group.append(batch)
                }
                try log.append(group)
            }
            if Bool.random(using: &generator) { try log.close() } else { log.abandon() }
        }
        #expect(try bed.recover() == model.recovered)
    }

    @Test func payloadsLargerThanASegmentGetOneOfTheirOwn() throws {
        let bed = try LogBed()
        var model = LogModel(initial: LogBed.initial)
        let large = (0..<5 << 18).map { UInt8(truncatingIfNeeded: $0 &* 131 >> 3) }
        let batches = [
            Batch(ticket: 1, hardState: HardState(term: 1)),
            Batch(
                ticket: 2,
                entries: [
                    Entry(index: 1, term: 1, payload: .command([1])),
                    Entry(index: 2, term: 1, payload: .command(large)),
                ]),
            Batch(
                ticket: 3,
                entries: [
                    Entry(
                        index: 3, term: 1,
                        payload: .command([UInt8](repeating: 0, count: 100_000))),
                    Entry(index: 4, term: 1, payload: .command([2])),
                ]),
        ]
        let (log, _) = try bed.open()
        try log.append(batches)
        try log.close()
        for batch in batches { model.apply(batch) }
        #expect(try bed.recover() == model.recovered)
    }

    @Test func compactionKeepsTheNumberOfFilesBounded() throws {
        let bed = try LogBed()
        var (log, _) = try bed.open()
        try log.append([Batch(ticket: 1, hardState: HardState(term: 1, vote: "n1"))])
        var last: Index = 0
        for round in 0..<60 {
            var batch = Batch(ticket: Ticket(round + 2))
            for _ in 0..<4 {
                last += 1
                batch.entries.append(
                    Entry(
                        index: last, term: 1,
                        payload: .command([UInt8](repeating: UInt8(round), count: 1_500))))
            }
            try log.append([batch])
            if round % 5 == 4 {
                let mark = SnapshotMark(
                    index: last - 2, term: 1, configuration: LogBed.initial)
                try log.append([Batch(ticket: 0, snapshot: mark)])
                #expect(log.segmentCount <= 2)
            }
            if round % 20 == 19 {
                try log.close()
                let files = try bed.scratch.folder.names().count
                #expect(files <= 2 + StorageLimits.maxSpareSegments)
                log = try bed.open().0
            }
        }
        try log.close()
        let recovered = try bed.recover()
        #expect(recovered.snapshot.index == last - 2)
        #expect(recovered.entries.map(\.index) == [last - 1, last])
        #expect(recovered.hardState == HardState(term: 1, vote: "n1"))
    }

    @Test func anEntryBeyondTheLimitIsRefused() throws {
        let bed = try LogBed()
        let (log, _) = try bed.open()
        defer { log.abandon() }
        let bytes = [UInt8](repeating: 1, count: StorageLimits.maxEntryPayloadBytes + 1)
        #expect(throws: StorageError.self) {
            try log.append([
                Batch(
                    ticket: 1, hardState: HardState(term: 1),
                    entries: [Entry(index: 1, term: 1, payload: .command(bytes))])
            ])
        }
    }

    /// An installed snapshot of another history may end before the log it replaces.
    @Test func aResetToAnEarlierIndexSurvivesCompaction() throws {
        let bed = try LogBed()
        let (log, _) = try bed.open()
        try log.append([Batch(ticket: 1, hardState: HardState(term: 1))])
        for index in 1...40 as ClosedRange<Index> {
            let payload = Entry.Payload.command([UInt8](repeating: 7, count: 1_000))
            try log.append([
                Batch(
                    ticket: index + 1,
                    entries: [Entry(index: index, term: 1, payload: payload)])
            ])
        }
        #expect(log.segmentCount > 2)
        let mark = SnapshotMark(index: 20, term: 2, configuration: LogBed.initial)
        try log.append([
            Batch(
                ticket: 50, hardState: HardState(term: 2), snapshot: mark, resetsLog: true,
                entries: [Entry(index: 21, term: 2, payload: .noop)])
        ])
        #expect(log.segmentCount == 1)
        try log.close()
        let recovered = try bed.recover()
        #expect(recovered.snapshot == mark)
        #expect(recovered.entries == [Entry(index: 21, term: 2, payload: .noop)])
    }

    @Test func segmentsOfDifferentSizesAreReadAsOneLog() throws {
        // So large that the spare is not ready before the end.
        let bed = try LogBed(segmentBytes: 2 << 30)
        let sizes = [700_000, 700_000, 3_000_000, 10, 900_000]
        let batches = sizes.enumerated().map { position, bytes in
            Batch(
                ticket: Ticket(position + 1),
                hardState: position == 0 ? HardState(term: 1) : nil,
                entries: [
                    Entry(
                        index: Index(position + 1), term: 1,
                        payload: .command([UInt8](repeating: UInt8(position + 1), count: bytes)))
                ])
        }
        let (log, _) = try bed.open()
        try log.append(batches)
        try log.close()
        let files = try bed.scratch.folder.names().filter(SegmentName.isSegment)
        let found = try Set(
            files.map { try bed.scratch.folder.open($0, mode: .read).sizeBytes() })
        #expect(found.count == 2 && found.contains(StorageLimits.smallSegmentBytes))
        #expect(try bed.recover().entries == batches.flatMap(\.entries))
    }
}
