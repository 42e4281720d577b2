import Node
import Raft

/// Why a call to a node's storage did not come back.
enum StorageStop: Error {
    /// The disk failed: the node's process ends.
    case failed(StorageError)
    /// The storage code is wrong.
    case broken(Violation)
}

/// What one node has on disk: the real storage code on a simulated disk, with the time of the simulation
/// between a write and its sync. As in `LogThread` batches gather while others are written and synced.
///
/// Beside it stands the plain image of what has to be there, and each opening is compared with it: what was
/// synced is there, and of what was under way the first batches, each as a whole, and nothing else.
final class SimulatedStorage {
    let disk: SimulatedDisk
    /// What is sure to be there after a crash.
    private(set) var synced: LogImage
    /// What the log will be once everything handed over is written.
    private(set) var latest: LogImage
    private(set) var incarnation: UInt64 = 0
    private let id: NodeID
    private let configuration: Configuration
    let segmentBytes: Int
    private var random: RandomSource
    /// nil: the process is down.
    private var files: DirectStorage?
    private var gathering: [Batch] = []
    /// Being written and synced, or left so by a crash.
    private var underWay: [Batch] = []
    private var isWriting = false
    private var strikesAtOpening = 0

    init(
        id: NodeID, configuration: Configuration, segmentBytes: Int, random: RandomSource
    ) {
        self.id = id
        self.configuration = configuration
        self.segmentBytes = segmentBytes
        self.random = random
        disk = SimulatedDisk(random: self.random.fork())
        synced = LogImage(configuration: configuration)
        latest = synced
    }

    /// Nothing is being written or synced.
    var isIdle: Bool { !isWriting }

    // MARK: Process

    /// The process starts. Nothing of what is returned can be lost any more.
    func open() throws(StorageStop) -> (recovered: Recovered, state: [UInt8]?) {
        precondition(files == nil)
        strikesAtOpening = disk.strikeCount
        let settings = DirectStorage.Settings(
            segmentBytes: segmentBytes, nonceSeed: random.next(), newDirectory: id.directory)
        let opened = try perform { () throws(StorageError) in
            try DirectStorage(
                root: "data", cluster: "simulated", node: id, initial: configuration,
                settings: settings, system: disk)
        }
        guard opened.incarnation > incarnation else {
            throw .broken(
                Violation(
                    "an incarnation is used once",
                    "\(id) has \(opened.incarnation) after \(incarnation)"))
        }
        incarnation = opened.incarnation
        guard !opened.recovered.isStateLost || disk.isDamaged else {
            throw .broken(
                Violation(
                    "what was synced survives a restart",
                    "\(id) lost its snapshot at \(opened.recovered.snapshot.index)"))
        }
        try check(opened.recovered)
        files = opened
        return (opened.recovered, opened.state)
    }

    /// The process ends, and the machine may lose power with it.
    func crash(losesPower: Bool) {
        files = nil
        gathering = []
        isWriting = false
        if losesPower || disk.isPowerCut { disk.losePower() } else { disk.endProcess() }
    }

    private func check(_ recovered: Recovered) throws(StorageStop) {
        var image = synced
        var batches = underWay[...]
        while !image.equals(recovered, damaged: disk.isDamaged) {
            guard let batch = batches.popFirst() else {
                let last = recovered.snapshot.index + Index(recovered.entries.count)
                throw .broken(
                    Violation(
                        "what was synced survives a restart",
                        """
                        \(id) finds term \(recovered.hardState.term), mark \
                        \(recovered.snapshot.index), last \(last) instead of \
                        \(synced.hardState.term), \(synced.mark.index), \(synced.lastIndex) \
                        or \(underWay.count) batches more
                        """))
            }
            try add(batch, to: &image)
        }
        image.entries = recovered.entries
        synced = image
        latest = image
        underWay = []
    }

    // MARK: Log

    func persist(_ batch: Batch) throws(StorageStop) {
        if let mark = batch.snapshot {
            let isThere = try perform { files throws(StorageError) in
                try files.hasSnapshot(mark)
            }
            guard isThere else {
                throw .broken(
                    Violation("snapshot durable before its marker", "no file for \(mark.index)"))
            }
        }
        try add(batch, to: &latest)
        gathering.append(batch)
    }

    /// Writes what has gathered, if nothing is under way; true: its sync begins now.
    func beginSync() throws(StorageStop) -> Bool {
        guard files != nil, !isWriting, !gathering.isEmpty else { return false }
        isWriting = true
        swap(&underWay, &gathering)
        let written = try perform { files throws(StorageError) in
            try files.write(underWay, from: 0)
        }
        gathering = Array(underWay[written...])
        underWay.removeLast(underWay.count - written)
        return true
    }

    func endSync() throws(StorageStop) -> Ticket {
        precondition(isWriting)
        try perform { files throws(StorageError) in try files.sync() }
        let batches = underWay
        for batch in batches { try add(batch, to: &synced) }
        underWay = []
        isWriting = false
        if batches.contains(where: { $0.snapshot != nil }) {
            let mark = synced.mark
            try perform { files throws(StorageError) in try files.prune(durable: mark) }
        }
        return batches[batches.count - 1].ticket
    }

    // MARK: Snapshots

    func writeSnapshot(_ mark: SnapshotMark, state: [UInt8]) throws(StorageStop) {
        try perform { files throws(StorageError) in try files.writeSnapshot(mark, state: state) }
    }

    func loadSnapshot(_ mark: SnapshotMark) throws(StorageStop) -> [UInt8] {
        try perform { files throws(StorageError) in try files.loadSnapshot(mark) }
    }

    /// A piece of a snapshot for a peer; nil if it is no longer there.
    func readChunk(
        of mark: SnapshotMark, at offset: UInt64, maxBytes: Int
    ) throws(StorageStop) -> (bytes: [UInt8], totalBytes: UInt64)? {
        try perform { files throws(StorageError) in
            try files.readChunk(of: mark, at: offset, maxBytes: maxBytes)
        }
    }

    func storeChunk(
        _ chunk: Message.SnapshotChunk
    ) throws(StorageStop) -> DirectStorage.Stored {
        try perform { files throws(StorageError) in try files.storeChunk(chunk) }
    }

    // MARK: Errors

    private func add(_ batch: Batch, to image: inout LogImage) throws(StorageStop) {
        do throws(Violation) {
            try image.write(batch)
        } catch {
            throw .broken(error)
        }
    }

    @discardableResult
    private func perform<Result>(
        _ body: (DirectStorage) throws(StorageError) -> Result
    ) throws(StorageStop) -> Result {
        guard let files else { preconditionFailure("\(id) is down") }
        return try perform { () throws(StorageError) in try body(files) }
    }

    /// An error of the disk counts only if something was done to the disk in this run of the process: an
    /// honest disk that fails, or is found damaged, was damaged by the code that wrote it.
    private func perform<Result>(
        _ body: () throws(StorageError) -> Result
    ) throws(StorageStop) -> Result {
        do throws(StorageError) {
            return try body()
        } catch {
            if case .system = error, disk.isPowerCut || disk.strikeCount > strikesAtOpening {
                throw .failed(error)
            }
            throw .broken(Violation("storage works on an honest disk", "\(id): \(error)"))
        }
    }
}
