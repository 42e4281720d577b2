import Node
import Raft

/// Why a call to a node's storage did not come back.
enum StorageStop: Error {
    /// The disk failed: the node's process ends.
    case failed(StorageError)
    /// What is on the disk is damaged so that the node must not go on with it.
    case refused(StorageError)
    /// The storage code is wrong.
    case broken(Violation)
}

/// What one node has on disk: the real storage code on a simulated disk, with the time of the simulation
/// between a write and its sync. As in `LogThread` batches gather while others are written and synced.
///
/// Beside it stands the plain image of what has to be there, and each opening is compared with it: what was
/// synced is there, and of what was under way the first batches, each as a whole, and nothing else. If the disk was
/// damaged, entries may be known as lost, and the state, or the opening may be refused; other data is never found.
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
    private var errorsAtOpening = 0
    /// Something on the disk was changed that the node has not read since.
    private(set) var isDamageUnseen = false

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

    /// As far as anybody knows, all that was synced is there.
    var isWhole: Bool { !isDamageUnseen && synced.isWhole }

    // MARK: Process

    /// The process starts. Nothing of what is returned can be lost any more.
    func open() throws(StorageStop) -> (recovered: Recovered, state: [UInt8]?) {
        precondition(files == nil)
        errorsAtOpening = disk.errorCount
        let opened = try perform(orRefuse: isDamageUnseen) { () throws(StorageError) in
            try openFiles()
        }
        guard opened.id == id, opened.incarnation > incarnation else {
            throw .broken(
                Violation(
                    "an incarnation is used once",
                    "\(id) is \(opened.id), and has \(opened.incarnation) after \(incarnation)"))
        }
        incarnation = opened.incarnation
        try check(opened.recovered)
        isDamageUnseen = false
        files = opened
        return (opened.recovered, opened.state)
    }

    private func openFiles() throws(StorageError) -> DirectStorage {
        let settings = DirectStorage.Settings(
            segmentBytes: segmentBytes, nonceSeed: random.next(), newDirectory: id.directory)
        return try DirectStorage(
            root: "data", cluster: "simulated", node: id, initial: configuration,
            settings: settings, system: disk)
    }

    /// The process ends, and the machine may lose power with it.
    func crash(losesPower: Bool) {
        files = nil
        gathering = []
        isWriting = false
        if losesPower || disk.isPowerCut { disk.losePower() } else { disk.endProcess() }
    }

    /// Something of what is on the platter changes. While the process runs only snapshots are hit: it reads nothing
    /// else.
    /// - Returns: what was done; nil: nothing could be.
    func damage(_ fault: DiskFault) -> String? {
        let isRunning = files != nil
        let usual = random.chance(permille: 900)
        let place = disk.damage(fault) { path in
            if path.contains("/snapshots/") { return true }
            return !isRunning && (!usual || path.contains("/log/segment"))
        }
        if place != nil { isDamageUnseen = true }
        return place
    }

    private func check(_ recovered: Recovered) throws(StorageStop) {
        var image = synced
        var batches = underWay[...]
        while !image.equals(recovered, damaged: isDamageUnseen) {
            guard let batch = batches.popFirst() else {
                let last = recovered.snapshot.index + Index(recovered.entries.count)
                throw .broken(
                    Violation(
                        "what was synced survives a restart",
                        """
                        \(id) finds term \(recovered.hardState.term), mark \
                        \(recovered.snapshot.index), last \(last) instead of \
                        \(synced.hardState.term), \(synced.mark.index), \(synced.lastIndex) \
                        or \(underWay.count) batches more; lost are \(lost(recovered)) instead of \
                        \(synced.isStateLost ? "the state, " : "")\(synced.lost)
                        """))
            }
            try add(batch, to: &image)
        }
        image.take(recovered)
        synced = image
        latest = image
        underWay = []
    }

    private func lost(_ recovered: Recovered) -> String {
        let indexes = recovered.entries.filter { $0.payload == .lost }.map(\.index)
        return (recovered.isStateLost ? "the state, " : "") + "\(indexes)"
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

    enum ChunkRead {
        case chunk(bytes: [UInt8], totalBytes: UInt64)
        case gone
        /// The file is not what it was. The node goes on with what it has in memory.
        case damaged
    }

    /// A piece of a snapshot for a peer.
    func readChunk(
        of mark: SnapshotMark, at offset: UInt64, maxBytes: Int
    ) throws(StorageStop) -> ChunkRead {
        let isUnseen = isDamageUnseen
        return try perform { files throws(StorageError) in
            do throws(StorageError) {
                let chunk = try files.readChunk(of: mark, at: offset, maxBytes: maxBytes)
                return chunk.map { .chunk(bytes: $0.bytes, totalBytes: $0.totalBytes) } ?? .gone
            } catch {
                guard isUnseen, case .corrupt = error else { throw error }
                return .damaged
            }
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
    ///
    /// - Parameter refuses: damage that is met is the operator's affair; otherwise it ends the process, and the next
    ///   one sees what is to be done.
    private func perform<Result>(
        orRefuse refuses: Bool = false, _ body: () throws(StorageError) -> Result
    ) throws(StorageStop) -> Result {
        do throws(StorageError) {
            return try body()
        } catch {
            switch error {
            case .system where disk.isPowerCut || disk.errorCount > errorsAtOpening:
                throw .failed(error)
            case .corrupt, .missing, .foreign, .unsupportedVersion:
                if refuses { throw .refused(error) }
                if isDamageUnseen { throw .failed(error) }
            default: break
            }
            throw .broken(Violation("storage works on an honest disk", "\(id): \(error)"))
        }
    }
}
