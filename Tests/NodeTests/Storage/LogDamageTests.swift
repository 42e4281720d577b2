import Raft
import Testing

@testable import Node

/// Damage to what had been acknowledged: never silently different, never shorter, never a lost vote; and
/// where it is certain what was there, the log goes on.
struct LogDamageTests {
    /// A closed log of several segments with everything in it that a log can say.
    private static func closedLog() throws -> (bed: LogBed, truth: Recovered) {
        let bed = try LogBed(segmentBytes: 24 << 10)
        var model = LogModel(initial: LogBed.initial)
        var generator = SeededGenerator(seed: 17)
        var index: Index = 0
        func entries(_ count: Int, term: Term, bytes: Int) -> [Entry] {
            (0..<count).map { _ in
                index += 1
                let payload = (0..<bytes).map { _ in UInt8.random(in: 0...255, using: &generator) }
                return Entry(index: index, term: term, payload: .command(payload))
            }
        }
        let joint = Configuration(voters: ["n1", "n4"], outgoing: ["n1", "n2"])
        let (log, _) = try bed.open()
        var batches = [
            Batch(
                ticket: 1, hardState: HardState(term: 1, vote: "n2"),
                entries: entries(3, term: 1, bytes: 40)),
            Batch(ticket: 2, entries: entries(2, term: 1, bytes: 130)),
            Batch(ticket: 3, entries: entries(4, term: 1, bytes: 8)),
        ]
        index = 7
        batches.append(
            Batch(
                ticket: 4, hardState: HardState(term: 3, vote: "n1"), truncateFrom: 8,
                entries: entries(1, term: 2, bytes: 5) + entries(2, term: 3, bytes: 20)))
        batches.append(Batch(ticket: 5, entries: entries(1, term: 3, bytes: 300)))
        let mark = SnapshotMark(index: 5, term: 1, configuration: LogBed.initial)
        batches.append(Batch(ticket: 6, snapshot: mark))
        index += 1
        batches.append(
            Batch(
                ticket: 7,
                entries: [Entry(index: index, term: 3, payload: .configuration(joint))]))
        for ticket in 8...11 as ClosedRange<Ticket> {
            batches.append(Batch(ticket: ticket, entries: entries(1, term: 3, bytes: 120)))
        }
        batches.append(Batch(ticket: 12, entries: entries(2, term: 3, bytes: 700)))
        for batch in batches {
            model.apply(batch)
            try log.append([batch])
        }
        try log.close()
        return (bed, model.recovered)
    }

    /// Where to damage a file: every byte that says something, and some of what is zero or padding.
    private static func places(in bytes: [UInt8]) -> [Int] {
        bytes.indices.filter {
            $0 % 97 == 0 || (bytes[$0] != 0 && bytes[$0] != BatchHeader.paddingByte)
        }
    }

    @Test func everySingleByteMayRot() throws {
        let (bed, truth) = try Self.closedLog()
        let good = try LogImage(of: bed.scratch)
        #expect(good.names.count > 1)
        var tally = DamageTally()
        for name in good.names {
            let bytes = try #require(good.files[name])
            let file = try bed.scratch.folder.open(name, mode: .readWrite)
            for place in Self.places(in: bytes) {
                let flipped = bytes[place] ^ UInt8(1 << (place % 8))
                try file.write([flipped], at: place)
                let verdict = DamageVerdict(reading: bed, expecting: truth)
                tally.add(verdict, "byte \(place) of \(name)")
                try file.write([bytes[place]], at: place)
            }
        }
        #expect(DamageVerdict(reading: bed, expecting: truth) == .identical)
        #expect(tally.total > 4_000)
        #expect(tally.refused == 0, "\(tally)")
    }

    /// Zeros, and other contents, instead of a sector; the disk's own sectors, and ours.
    @Test(arguments: [512, 4_096]) func everySingleSectorMayBeLost(sectorBytes: Int) throws {
        let (bed, truth) = try Self.closedLog()
        let good = try LogImage(of: bed.scratch)
        var generator = SeededGenerator(seed: 4)
        var tally = DamageTally()
        for name in good.names {
            let bytes = try #require(good.files[name])
            let file = try bed.scratch.folder.open(name, mode: .readWrite)
            for start in stride(from: 0, to: bytes.count, by: sectorBytes) {
                let sector = Array(bytes[start..<start + sectorBytes])
                let noise = sector.map { _ in UInt8.random(in: 0...255, using: &generator) }
                for bad in [[UInt8](repeating: 0, count: sectorBytes), noise] {
                    try file.write(bad, at: start)
                    let verdict = DamageVerdict(reading: bed, expecting: truth)
                    tally.add(verdict, "sector at \(start) of \(name)")
                    try file.write(sector, at: start)
                }
            }
        }
        // What is refused is noise right behind the log's end, which may have been a write.
        #expect(tally.refused <= 2, "\(tally)")
    }

    /// A write that went astray damages two places: where it should have gone and where it went.
    @Test func everyTwoSectorsMayBeSwapped() throws {
        let (bed, truth) = try Self.closedLog()
        let good = try LogImage(of: bed.scratch)
        var tally = DamageTally()
        let sectors = good.names.flatMap { name in
            stride(from: 0, to: good.files[name]?.count ?? 0, by: 512).map { (name, $0) }
        }
        var files: [String: StorageFile] = [:]
        for name in good.names {
            files[name] = try bed.scratch.folder.open(name, mode: .readWrite)
        }
        for (number, first) in sectors.enumerated() {
            for second in sectors[(number + 1)...] where (first.1 + second.1) / 512 % 3 == 0 {
                let a = try #require(good.files[first.0]?[first.1..<first.1 + 512])
                let b = try #require(good.files[second.0]?[second.1..<second.1 + 512])
                guard a != b else { continue }
                try files[first.0]?.write(Array(b), at: first.1)
                try files[second.0]?.write(Array(a), at: second.1)
                let verdict = DamageVerdict(reading: bed, expecting: truth)
                tally.add(verdict, "\(first) with \(second)")
                try files[first.0]?.write(Array(a), at: first.1)
                try files[second.0]?.write(Array(b), at: second.1)
            }
        }
        #expect(tally.survived * 2 > tally.total, "\(tally)")
    }

    /// One flipped bit in random logs that were not closed, so that nothing proves the last write.
    @Test(arguments: 0..<12) func aFlippedBitIsNeverTakenForLess(seed: Int) throws {
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
        var tally = DamageTally()
        for _ in 0..<40 {
            let name = try #require(good.names.randomElement(using: &generator))
            var bytes = try #require(good.files[name])
            let end = SegmentImage(bytes: bytes).endOfNonZero(in: 0..<bytes.count - 4_096)
            let position = Int.random(in: 0..<end, using: &generator)
            bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            var image = good
            image.files[name] = bytes
            try image.restore(to: bed.scratch)
            let verdict = DamageVerdict(reading: bed, expecting: model.recovered)
            tally.add(verdict, "byte \(position) of \(name)")
            #expect(try LogImage(of: bed.scratch) == image)
        }
        #expect(tally.survived * 10 >= tally.total * 9, "\(tally)")
        try good.restore(to: bed.scratch)
        #expect(try bed.recover() == model.recovered)
    }

    /// What opening says about it, and how a batch that brings the entries again makes the log whole.
    @Test func lostEntriesAreReportedAndWrittenAgain() throws {
        let (bed, truth) = try Self.closedLog()
        let good = try LogImage(of: bed.scratch)
        let name = good.names[0]
        let wanted = try #require(truth.entries.first { $0.index == 11 })
        guard case .command(let payload) = wanted.payload else { return }
        var bytes = try #require(good.files[name])
        let place = try #require(
            bytes.indices.first { bytes[$0...].starts(with: payload) }, "entry 11 stands there")
        bytes[place] ^= 1
        try bed.scratch.write(bytes, to: name)

        var settings = SegmentedLog.Settings()
        settings.segmentBytes = bed.segmentBytes
        let (log, recovered, findings) = try SegmentedLog.open(
            folder: bed.scratch.folder, initial: LogBed.initial, mayCreate: false,
            settings: settings)
        #expect(DamageVerdict(of: recovered, expecting: truth) == .lost(1))
        #expect(findings.tornWrite == nil)
        let damage = try #require(findings.damages.first)
        #expect(findings.damages.count == 1)
        #expect(damage.path.hasSuffix(name) && damage.lost == 11...11)
        #expect(damage.offset < place && damage.offset > place - 200)

        // It stays damaged until it is written again, and then it is as if nothing had been.
        try log.close()
        #expect(DamageVerdict(of: try bed.recover(), expecting: truth) == .lost(1))
        let (again, _) = try bed.open(mayCreate: false)
        let rest = truth.entries.filter { $0.index >= 11 }
        try again.append([Batch(ticket: 1, truncateFrom: 11, entries: rest)])
        try again.close()
        #expect(try bed.recover() == truth)
    }

    /// The entries of a batch that lost its header are found by their own; those that are not are lost.
    @Test func aBatchWithoutItsHeaderIsKnownFromTheNextOne() throws {
        let bed = try LogBed()
        var model = LogModel(initial: LogBed.initial)
        // Begins with another byte, or a header that happens to end with a nine would make it seem to begin earlier.
        let payload = [7] + [UInt8](repeating: 9, count: 49)
        func entry(_ index: Index) -> Entry {
            Entry(index: index, term: 1, payload: .command(payload + [UInt8(index)]))
        }
        let batches = [
            Batch(ticket: 1, hardState: HardState(term: 1), entries: [entry(1)]),
            Batch(ticket: 2, entries: [entry(2), entry(3), entry(4)]),
            Batch(ticket: 3, entries: [entry(5)]),
        ]
        for batch in batches { model.apply(batch) }
        let (log, _) = try bed.open()
        try log.append(batches)
        try log.close()
        let name = try LogImage(of: bed.scratch).names[0]
        let bytes = try bed.scratch.bytes(of: name)
        let places = bytes.indices.filter { bytes[$0...].starts(with: payload) }
        #expect(places.count == 5)
        // The batch's header, and that of its first record.
        for (range, lost) in [
            (places[1] - 96..<places[1] - 32, DamageVerdict.identical),
            (places[1] - 96..<places[1] - 8, .lost(1)),
            (places[1] - 96..<places[2], .lost(2)),
            (places[1] - 96..<places[4], .lost(4)),
        ] {
            var damaged = bytes
            damaged.replaceSubrange(range, with: repeatElement(0x55, count: range.count))
            try bed.scratch.write(damaged, to: name)
            #expect(DamageVerdict(reading: bed, expecting: model.recovered) == lost)
        }
    }

    /// Both copies of a vote gone: no peer has it, so the log is refused.
    @Test func aLostVoteIsRefused() throws {
        let bed = try LogBed()
        let (log, _) = try bed.open()
        try log.append([
            Batch(ticket: 1, hardState: HardState(term: 7, vote: "the-node-it-voted-for"))
        ])
        try log.close()
        let good = try LogImage(of: bed.scratch)
        let name = good.names[0]
        var bytes = try #require(good.files[name])
        let text = Array("the-node-it-voted-for".utf8)
        let places = bytes.indices.filter { bytes[$0...].starts(with: text) }
        #expect(places.count == 2)
        bytes[places[0]] ^= 1
        try bed.scratch.write(bytes, to: name)
        #expect(try bed.recover().hardState.vote == "the-node-it-voted-for")
        bytes[places[1]] ^= 1
        try bed.scratch.write(bytes, to: name)
        let error = #expect(throws: StorageError.self) { try bed.recover() }
        #expect(error?.description.contains("copy") == true)
    }

    /// More than one sector: a whole batch is gone that said what no peer knows. The next one counts it.
    @Test func aLostBatchWithFactsIsRefused() throws {
        let bed = try LogBed()
        let (log, _) = try bed.open()
        let text = Array("what-is-lost".utf8)
        try log.append([
            Batch(
                ticket: 1, hardState: HardState(term: 1),
                entries: [Entry(index: 1, term: 1, payload: .noop)])
        ])
        let start = try LogImage(of: bed.scratch)
        try log.append([Batch(ticket: 2, hardState: HardState(term: 2, vote: "what-is-lost"))])
        let end = try LogImage(of: bed.scratch)
        let entry = Entry(index: 2, term: 1, payload: .command(text))
        try log.append([Batch(ticket: 3, entries: [entry])])
        try log.close()
        let name = start.names[0]
        let before = try #require(start.files[name])
        let after = try #require(end.files[name])
        let range = before.indices.filter { before[$0] != after[$0] }
        let (first, last) = (try #require(range.first), try #require(range.last))
        for fill in [0, 0x55] as [UInt8] {
            var bytes = try bed.scratch.bytes(of: name)
            let wiped = first...last
            bytes.replaceSubrange(wiped, with: repeatElement(fill, count: wiped.count))
            try bed.scratch.write(bytes, to: name)
            let error = #expect(throws: StorageError.self) { try bed.recover() }
            #expect(error?.description.contains("1 of the lost batches held a vote") == true)
        }
    }

    @Test func aMissingOrShortSegmentIsReported() throws {
        let (bed, _) = try Self.closedLog()
        let good = try LogImage(of: bed.scratch)
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
}
