import Raft

/// Reads all segments of a log, repairs a torn tail, and makes durable what it read before anybody acts
/// on it.
///
/// Segments are numbered without gaps. All but the last are sealed: a seal is a batch without records,
/// written when the next segment stood ready and synced before anything was written to that. So these
/// are the only states a crash leaves at the end of the log:
///
/// | last but one | last            | meaning                                                    |
/// |--------------|-----------------|------------------------------------------------------------|
/// | sealed       | any             | the last is in use                                         |
/// | not sealed   | only its header | crashed before the seal was durable: the last but one is in use, the last is discarded |
/// | not sealed   | more            | damage                                                     |
///
/// Nothing is changed on disk before all segments have been read and found good.
struct LogRecovery {
    /// A segment and what was found in it.
    struct Found {
        var name: String
        var file: StorageFile
        var header: SegmentHeader
        var highestIndex: Index
    }

    private(set) var segments: [Found] = []
    private(set) var recovered: Recovered
    private(set) var state: LogState
    /// Where the last segment goes on.
    private(set) var end: Int
    private(set) var nextSequence: UInt64
    private(set) var previousChecksum: UInt32
    /// A last segment that was never used.
    private(set) var discarded: String?
    private let tornRange: Range<Int>
    private let lastWriteStart: Int
    private let lastImage: SegmentImage

    /// `names` are the segments' file names in order; at least one.
    init(folder: StorageFolder, names: [String]) throws(StorageError) {
        var replay: LogReplay?
        var scan: SegmentScan?
        var tail = SegmentTail.clean
        var unsealed: (fault: SegmentScan.Fault, file: StorageFile)?
        for (position, name) in names.enumerated() {
            let opened = try Self.open(folder.path(of: name), name: name)
            if let unsealed, let before = scan {
                try Self.checkUnused(
                    opened, behind: before, fault: unsealed.fault, file: unsealed.file,
                    isLast: position == names.count - 1)
                discarded = name
                break
            }
            if let last = segments.last, opened.header.number != last.header.number + 1 {
                throw .missing(
                    path: folder.path(of: SegmentName.text(last.header.number + 1)),
                    problem: "this segment of the log is gone")
            }
            if let before = scan { try Self.checkLink(from: before, to: opened) }
            let result = try Self.replaySegment(opened, into: &replay)
            segments.append(
                Found(name: name, file: opened.file, header: opened.header, highestIndex: 0))
            scan = result.scan
            tail = .clean
            if let fault = result.fault {
                unsealed = (fault, opened.file)
                tail = SegmentTail(after: result.scan, fault: fault)
            } else if position == names.count - 1 {
                throw .missing(
                    path: folder.path(of: SegmentName.text(opened.header.number + 1)),
                    problem: "this segment of the log is gone")
            }
        }
        guard let replay, let scan, let last = segments.last else {
            preconditionFailure("a log has a segment")
        }
        switch tail {
        case .clean: tornRange = scan.position..<scan.position
        case .torn(let range): tornRange = range
        case .damaged(let problem):
            throw .corrupt(
                path: last.file.path, offset: UInt64(scan.position), problem: problem)
        }
        do throws(LogReplay.Contradiction) {
            recovered = try replay.finish()
        } catch {
            throw .missing(path: folder.path, problem: error.problem)
        }
        for position in segments.indices {
            segments[position].highestIndex = replay.highestIndexes[position]
        }
        state = replay.state
        end = scan.position
        nextSequence = scan.sequence
        previousChecksum = scan.previousChecksum
        lastWriteStart = scan.writeStart
        lastImage = scan.image
    }

    /// Cuts off a torn tail and syncs everything that was read. Only then may it be published.
    func repair(in folder: StorageFolder) throws(StorageError) {
        guard let last = segments.last else { return }
        // After a failed sync the kernel may hold pages that are clean but not on disk, and another sync
        // would not write them. Nothing proves that the last write was synced, so it is written again.
        try last.file.write(lastImage.bytes, range: lastWriteStart..<end, at: lastWriteStart)
        if !tornRange.isEmpty {
            let zeros = [UInt8](repeating: 0, count: tornRange.count)
            try last.file.write(zeros, at: tornRange.lowerBound)
        }
        for segment in segments { try segment.file.sync() }
        try folder.sync()
    }

    private struct Opened {
        var file: StorageFile
        var header: SegmentHeader
        var image: SegmentImage
    }

    private static func open(_ path: String, name: String) throws(StorageError) -> Opened {
        let file = try StorageFile(path: path, mode: .readWrite)
        let bytes = try file.read(count: try file.sizeBytes(), at: 0)
        let header = try SegmentHeader(decoding: bytes, path: path)
        guard SegmentName.text(header.number) == name else {
            throw .corrupt(
                path: path, offset: 0, problem: "it is segment \(header.number) under a wrong name")
        }
        guard header.segmentBytes == bytes.count else {
            throw .corrupt(
                path: path, offset: UInt64(bytes.count),
                problem: "the segment has \(bytes.count) bytes instead of \(header.segmentBytes)")
        }
        return Opened(file: file, header: header, image: SegmentImage(bytes: bytes))
    }

    private static func replaySegment(
        _ opened: Opened, into replay: inout LogReplay?
    ) throws(StorageError) -> (scan: SegmentScan, fault: SegmentScan.Fault?) {
        var scan = SegmentScan(header: opened.header, image: opened.image)
        var current = replay ?? LogReplay(first: opened.header.state)
        defer { replay = current }
        var start = 0
        do throws(LogReplay.Contradiction) {
            try current.beginSegment(opened.header.state)
            while true {
                start = scan.position
                switch scan.next() {
                case .batch(let records):
                    for record in records { try current.apply(record) }
                case .sealed: return (scan, nil)
                case .stopped(let fault): return (scan, fault)
                }
            }
        } catch {
            throw .corrupt(path: opened.file.path, offset: UInt64(start), problem: error.problem)
        }
    }

    private static func checkLink(
        from scan: SegmentScan, to next: Opened
    ) throws(StorageError) {
        guard next.header.firstSequence == scan.sequence,
            next.header.previousChecksum == scan.previousChecksum
        else {
            throw .corrupt(
                path: next.file.path, offset: 0,
                problem: "the segment does not continue the one before it: it begins with batch "
                    + "\(next.header.firstSequence) instead of \(scan.sequence)")
        }
    }

    /// A segment behind one that is not sealed must be unused. Its header also proves what had been
    /// synced in the one before: all batches but the seal, which has the sequence before its own first.
    private static func checkUnused(
        _ opened: Opened, behind scan: SegmentScan, fault: SegmentScan.Fault, file: StorageFile,
        isLast: Bool
    ) throws(StorageError) {
        let isUnused = opened.image.isZero(opened.header.bodyOffset..<opened.image.count)
        guard isLast, isUnused, scan.sequence + 1 == opened.header.firstSequence else {
            throw .corrupt(
                path: file.path, offset: UInt64(scan.position),
                problem:
                    "\(fault.problem), although segment \(opened.header.number) shows that the "
                    + "log went on to batch \(opened.header.firstSequence - 2) and further")
        }
    }
}
