import Foundation
import Raft

/// A batch on its way to the disk: first only as far as the bytes that are to be written, then all the way.
struct LogPart {
    private let initial = Configuration(voters: [NodeID("n1", directory: 1)])

    private static let steps = [(tasks: 1, repeats: 200), (tasks: 1_000, repeats: 32)]

    func measure(_ meter: inout PartMeter) throws(StorageError) {
        for step in Self.steps { layOut(&meter, step.tasks) }
        var written = [[PartSample]](repeating: [], count: Self.steps.count)
        var made: [PartSample] = []
        for _ in 0..<meter.rounds {
            let path = NSTemporaryDirectory() + "carillon-benchmark-\(getpid())"
            defer { Self.remove(path) }
            let folder = StorageFolder(path: path)
            try folder.create()
            let samples = try write(in: folder, meter)
            for (step, sample) in samples.enumerated() { written[step].append(sample) }
            made.append(try makeSegment(in: folder, meter))
        }
        for (step, samples) in zip(Self.steps, written) {
            let bytes = SampleRequests.entry(step.tasks).count / step.tasks
            for elapsed in [false, true] {
                meter.add(
                    PartFigure(
                        Self.name(step.tasks, "synced") + Self.name(elapsed), samples,
                        operations: step.tasks * step.repeats, bytes: bytes, elapsed: elapsed))
            }
        }
        for elapsed in [false, true] {
            meter.add(
                PartFigure(
                    "file of 1 MiB made\(Self.name(elapsed))", made, operations: 1,
                    bytes: StorageLimits.smallSegmentBytes, elapsed: elapsed))
        }
    }

    private static func remove(_ path: String) {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            print("Benchmark: \(path) is left behind: \(error)")
        }
    }

    private static func name(_ tasks: Int, _ what: String) -> String {
        tasks == 1 ? "entry of 1 task \(what)" : "entry of 1,000 \(what), each"
    }

    private static func name(_ elapsed: Bool) -> String { elapsed ? ", elapsed" : ", processor" }

    /// In a new log, the first segment of which has room for all of it.
    private func write(
        in folder: StorageFolder, _ meter: PartMeter
    ) throws(StorageError) -> [PartSample] {
        var settings = SegmentedLog.Settings()
        settings.usesSpareThread = false
        let log = try SegmentedLog.open(
            folder: folder, initial: initial, mayCreate: true, settings: settings
        ).log
        defer { log.abandon() }
        var state = LogState(initial: initial)
        try write(Self.term, to: log, &state)
        var samples: [PartSample] = []
        for step in Self.steps {
            let entry = SampleRequests.entry(step.tasks)
            let begun = meter.read()
            for _ in 0..<step.repeats {
                try write(Self.batch(entry, after: state), to: log, &state)
            }
            samples.append(meter.since(begun))
        }
        precondition(log.segmentCount == 1, "no other segment had to be made meanwhile")
        return samples
    }

    /// What a log does that is faster than the thread that makes its segments.
    private func makeSegment(
        in folder: StorageFolder, _ meter: PartMeter
    ) throws(StorageError) -> PartSample {
        let begun = meter.read()
        let file = try SegmentPool.create("small", in: folder)
        try file.fillWithZeros(
            0..<StorageLimits.smallSegmentBytes, syncEveryBytes: StorageLimits.zeroingStepBytes)
        try folder.sync()
        return meter.since(begun)
    }

    /// A term is durable before its entries, and announced by the first of them.
    private static let term = Batch(
        ticket: 1, hardState: HardState(term: 1, vote: nil),
        entries: [Entry(index: 1, term: 1, payload: .noop)])

    private static func batch(_ entry: [UInt8], after state: LogState) -> Batch {
        let index = state.lastIndex + 1
        return Batch(
            ticket: index, entries: [Entry(index: index, term: 1, payload: .command(entry))])
    }

    private func write(
        _ batch: Batch, to log: SegmentedLog, _ state: inout LogState
    ) throws(StorageError) {
        state.apply(batch)
        _ = try log.write([batch], from: 0)
        try log.sync()
    }

    /// As `SegmentedLog.write` does it, again and again at the same place.
    private func layOut(_ meter: inout PartMeter, _ count: Int) {
        var state = LogState(initial: initial)
        state.apply(Self.term)
        let header = SegmentHeader(
            number: 1, nonce: 0x0123_4567_89AB_CDEF, segmentBytes: StorageLimits.segmentBytes,
            firstSequence: 1, previousChecksum: 0, factBatches: 0, state: state)
        let entry = SampleRequests.entry(count)
        let batch = Self.batch(entry, after: state)
        var encoder = GroupEncoder()
        meter.measure(
            Self.name(count, "laid out"), bytes: entry.count / count, operations: count
        ) {
            let layout = BatchLayout(of: batch, after: state)
            encoder.begin(in: header)
            let checksum = encoder.append(
                batch, layout,
                header: BatchHeader(
                    isSeal: false, isMirrored: layout.isMirrored, offset: 4_096,
                    lastIndex: layout.lastIndex, sequence: 2, writeStart: 4_096,
                    writeEnd: 4_096 + layout.totalBytes, bodyBytes: layout.bodyBytes,
                    entryCount: layout.entryCount, factBytes: layout.factBytes, factBatches: 0,
                    previousChecksum: 0))
            encoder.finish()
            return Int(checksum)
        }
    }
}
