import Raft

/// Reads all segments of a log, goes on behind damage where it is certain what was there, cuts off a torn
/// tail, and makes durable what it read before anybody acts on it.
///
/// Segments are numbered without gaps. All but the last are sealed: a seal is a batch without records,
/// written when the next segment stood ready and synced before anything was written to that. So these
/// are the only states a crash leaves at the end of the log:
///
/// | last but one    | last            | meaning                                                    |
/// |-----------------|-----------------|------------------------------------------------------------|
/// | sealed          | any             | the last is in use                                         |
/// | lacks its seal  | only its header | crashed before the seal was durable: the last but one is in use, the last is discarded |
/// | lacks its seal  | more            | damage: the seal is lost                                   |
/// | lacks more      | any             | damage: the next header tells what has to be there         |
///
/// Nothing is changed on disk before all segments have been read and found good enough to go on with.
/// What is not certain is refused: a node that forgot a vote or an entry it acknowledged would break what
/// the others rely on.
struct LogRecovery {
    /// A segment and what was found in it.
    struct Found {
        var name: String
        var file: StorageFile
        var header: SegmentHeader
        var highestIndex: Index
    }

    /// A batch as it is read, for whoever wants to look.
    struct Observation {
        var segment: String
        var range: Range<Int>
        var batch: ScannedBatch
        /// What the log amounts to behind it.
        var lastIndex: Index
        var lost: ClosedRange<Index>?
    }

    typealias Observer = (Observation) -> Void

    private(set) var segments: [Found] = []
    private(set) var recovered: Recovered
    private(set) var state: LogState
    private(set) var findings = LogFindings()
    /// Where the last segment goes on.
    private(set) var end: Int
    private(set) var nextSequence: UInt64
    private(set) var factBatches: UInt32
    private(set) var previousChecksum: UInt32
    /// A last segment that was never used.
    private(set) var discarded: String?
    private let tornRange: Range<Int>
    private let lastWriteStart: Int
    private let lastImage: SegmentImage

    /// `names` are the segments' file names in order; at least one.
    init(
        folder: StorageFolder, names: [String], mode: StorageFile.Mode = .readWrite,
        observer: Observer? = nil
    ) throws(StorageError) {
        var reading = try Reading(folder: folder, names: names, mode: mode, observer: observer)
        while try reading.readSegment() {}
        guard let last = reading.segments.last, let scan = reading.scan else {
            preconditionFailure("a log has a segment")
        }
        segments = reading.segments
        findings = reading.findings
        discarded = reading.discarded
        tornRange = reading.tornRange
        if !tornRange.isEmpty {
            findings.tornWrite = LogFindings.TornWrite(path: last.file.path, range: tornRange)
        }
        do throws(LogReplay.Contradiction) {
            recovered = try reading.replay.finish()
        } catch {
            throw .missing(path: folder.path, problem: error.problem)
        }
        for position in segments.indices {
            segments[position].highestIndex = reading.replay.highestIndexes[position]
        }
        state = reading.replay.state
        end = scan.position
        nextSequence = scan.sequence
        factBatches = scan.factBatches
        previousChecksum = scan.nextChainLink
        lastWriteStart = scan.writeStart
        lastImage = scan.image
    }

    /// Cuts off a torn tail and syncs everything that was read. Only then may it be published.
    func repair(in folder: StorageFolder) throws(StorageError) {
        guard let last = segments.last else { return }
        // After a failed sync the kernel may hold pages that are clean but not on disk, and another sync
        // would not write them. Nothing proves that the last write was synced, so it is written again.
        for range in lastImage.readable(in: lastWriteStart..<end) {
            try last.file.write(lastImage.bytes, range: range, at: range.lowerBound)
        }
        if !tornRange.isEmpty {
            let zeros = [UInt8](repeating: 0, count: tornRange.count)
            try last.file.write(zeros, at: tornRange.lowerBound)
        }
        for segment in segments { try segment.file.sync() }
        try folder.sync()
    }
}

/// The segments on their way from the first to the last.
private struct Reading {
    private struct Opened {
        var file: StorageFile
        var header: SegmentHeader
        var image: SegmentImage
        var damage: LogDamage?

        var isUnused: Bool { image.isZero(header.bodyOffset..<header.bodyEnd) }
    }

    private(set) var segments: [LogRecovery.Found] = []
    private(set) var replay: LogReplay
    private(set) var findings = LogFindings()
    private(set) var discarded: String?
    /// Of the segment that was read last.
    private(set) var scan: SegmentScan?
    private(set) var tornRange = 0..<0
    private let folder: StorageFolder
    private let names: [String]
    private let mode: StorageFile.Mode
    private let observer: LogRecovery.Observer?
    /// The segment to be read, while one is left.
    private var ahead: Opened?

    init(
        folder: StorageFolder, names: [String], mode: StorageFile.Mode,
        observer: LogRecovery.Observer?
    ) throws(StorageError) {
        self.folder = folder
        self.names = names
        self.mode = mode
        self.observer = observer
        let first = try Self.open(names[0], in: folder, mode)
        ahead = first
        replay = LogReplay(first: first.header.state)
    }

    /// Whether there is another one to be read.
    mutating func readSegment() throws(StorageError) -> Bool {
        guard let opened = ahead else { return false }
        let name = names[segments.count]
        let position = segments.count + 1
        let next =
            position < names.count
            ? try Self.open(names[position], in: folder, mode) : nil
        ahead = next
        segments.append(
            LogRecovery.Found(
                name: name, file: opened.file, header: opened.header, highestIndex: 0))
        if let damage = opened.damage { findings.damages.append(damage) }
        for range in opened.image.unreadable {
            findings.damages.append(
                LogDamage(
                    path: opened.file.path, offset: range.lowerBound,
                    problem: "the disk can't read \(range.count) bytes"))
        }
        let gone = StorageError.missing(
            path: folder.path(of: SegmentName.text(opened.header.number + 1)),
            problem: "this segment of the log is gone")
        if let next, next.header.number != opened.header.number + 1 { throw gone }
        guard let torn = try readBatches(of: opened, before: next) else {
            guard let next, let scan else { throw gone }
            try Self.checkLink(from: scan, to: next)
            return true
        }
        tornRange = torn
        discarded = next == nil ? nil : names[position]
        return false
    }

    /// nil: the segment is sealed, and the log goes on in the next one. Otherwise it is in use, and zeros
    /// belong into the range that is returned.
    private mutating func readBatches(
        of opened: Opened, before next: Opened?
    ) throws(StorageError) -> Range<Int>? {
        var current = SegmentScan(header: opened.header, image: opened.image)
        defer { scan = current }
        var start = 0
        let isNextUnused = next?.isUnused == true && segments.count == names.count - 1
        do {
            try replay.beginSegment(opened.header.state)
            while true {
                start = current.position
                var batch: ScannedBatch
                switch current.next() {
                case .batch(let whole): batch = whole
                case .stopped(var fault):
                    // Before a segment is put in place everything in the one before is synced but the seal.
                    let mayLackSeal =
                        isNextUnused && current.sequence + 1 == next?.header.firstSequence
                    let witness = mayLackSeal ? nil : next?.header.number
                    switch SegmentTail(after: current, fault: fault, provenBy: witness) {
                    case .clean: return start..<start
                    case .torn(let range): return range
                    case .damaged(let problem):
                        fault.problem = problem
                        batch = try current.bridge(
                            fault, before: next.map { SegmentScan.Continuation($0.header) })
                    }
                }
                try take(batch, from: start..<current.position)
                if batch.isLast { return nil }
            }
        } catch let error as LogReplay.Contradiction {
            throw .corrupt(path: opened.file.path, offset: UInt64(start), problem: error.problem)
        } catch let error as SegmentScan.Fault {
            throw .corrupt(path: opened.file.path, offset: UInt64(start), problem: error.problem)
        } catch {
            preconditionFailure("no other error is thrown here: \(error)")
        }
    }

    private mutating func take(
        _ batch: ScannedBatch, from range: Range<Int>
    ) throws(LogReplay.Contradiction) {
        let lost = try replay.apply(batch)
        let segment = segments[segments.count - 1]
        if let problem = batch.problem {
            findings.damages.append(
                LogDamage(
                    path: segment.file.path, offset: range.lowerBound, problem: problem,
                    lost: lost))
        }
        observer?(
            LogRecovery.Observation(
                segment: segment.name, range: range, batch: batch,
                lastIndex: replay.state.lastIndex, lost: lost))
    }

    private static func open(
        _ name: String, in folder: StorageFolder, _ mode: StorageFile.Mode
    ) throws(StorageError) -> Opened {
        let file = try folder.open(name, mode: mode)
        let path = file.path
        let (bytes, unreadable) = try file.readWhatCanBeRead()
        let (header, damage) = try SegmentHeader.read(fromSegment: bytes, path: path)
        guard SegmentName.text(header.number) == name else {
            throw .corrupt(
                path: path, offset: 0, problem: "it is segment \(header.number) under a wrong name")
        }
        guard header.segmentBytes == bytes.count, header.bodyOffset < header.bodyEnd else {
            throw .corrupt(
                path: path, offset: UInt64(bytes.count),
                problem: "the segment has \(bytes.count) bytes instead of \(header.segmentBytes)")
        }
        return Opened(
            file: file, header: header, image: SegmentImage(bytes: bytes, unreadable: unreadable),
            damage: damage)
    }

    private static func checkLink(
        from scan: SegmentScan, to next: Opened
    ) throws(StorageError) {
        guard next.header.firstSequence == scan.sequence,
            next.header.factBatches == scan.factBatches,
            scan.previousChecksum == nil
                || next.header.previousChecksum == scan.previousChecksum
        else {
            throw .corrupt(
                path: next.file.path, offset: 0,
                problem: "the segment does not continue the one before it: it begins with batch "
                    + "\(next.header.firstSequence) instead of \(scan.sequence)")
        }
    }
}
