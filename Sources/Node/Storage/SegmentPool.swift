import Synchronization

/// Keeps a zeroed, synced file at hand for the log's next segment, made on a thread of its own so that the
/// log never waits for it in ordinary times. Without the thread each is made when it is asked for.
///
/// Spare files are named `spare-<number>`. A spare found on opening may be half zeroed, or may be a
/// segment that was renamed a moment before a crash, so it counts as used and is zeroed again. A segment
/// that is not needed any more is renamed to a spare, in order, each rename synced before the next: after
/// a crash the log lacks segments only at its beginning, and none is zeroed under its old name.
final class SegmentPool: Sendable {
    /// A file of zeros, synced, its name synced too.
    struct Spare: Sendable {
        var name: String
        var file: StorageFile
    }

    private enum Job {
        /// Makes one more spare ready.
        case prepare
        /// A segment nobody needs any more.
        case recycle(name: String)
    }

    private let folder: StorageFolder
    private let segmentBytes: Int
    private let jobs = BlockingQueue<Job>()
    private let ready = BlockingQueue<Result<Spare, StorageError>>()
    /// nil: the jobs are done by whoever puts them.
    private let thread: SystemThread?
    private let worker: Mutex<Worker>

    /// `used` are spares found on opening. One that was made for a large segment goes: the name belongs to the segment
    /// of that number, which may be made again and take the file away.
    init(
        folder: StorageFolder, segmentBytes: Int, used: [String], usesThread: Bool
    ) throws(StorageError) {
        self.folder = folder
        self.segmentBytes = segmentBytes
        for name in used where Self.isOversize(name) { try folder.remove(name) }
        let worker = Worker(
            folder: folder, segmentBytes: segmentBytes, used: used.filter { !Self.isOversize($0) })
        self.worker = Mutex(worker)
        guard usesThread else {
            thread = nil
            return
        }
        jobs.put(.prepare)
        let (jobs, ready) = (jobs, ready)
        do throws(IOError) {
            thread = try SystemThread(name: "carillon-spare") {
                var worker = worker
                worker.run(jobs, ready)
            }
        } catch {
            throw StorageError(error)
        }
    }

    /// The thread holds no reference to this object, so that a log that is dropped ends it.
    deinit {
        stop()
    }

    /// Takes the spare that is ready, waiting for it if need be, and has the next one made. A segment
    /// of another size than usual is made on the spot.
    func take(bytes: Int, number: UInt64) throws(StorageError) -> Spare {
        guard bytes == segmentBytes else {
            return try Self.create(
                SegmentName.spare(number | Self.oversizeBit), bytes: bytes, in: folder)
        }
        jobs.put(.prepare)
        workInline()
        guard let result = ready.take() else { preconditionFailure("the pool was stopped") }
        return try result.get()
    }

    /// The segment is no longer needed for anything; what it holds is covered by durable later segments.
    func recycle(name: String) {
        jobs.put(.recycle(name: name))
        workInline()
    }

    /// Finishes what was asked for and joins the thread.
    func stop() {
        jobs.close()
        thread?.join()
    }

    private func workInline() {
        guard thread == nil else { return }
        _ = worker.withLock { $0.runOnce(jobs, ready) }
    }

    /// Keeps names of oversize segments apart from the pool's own numbers.
    private static let oversizeBit: UInt64 = 1 << 63

    private static func isOversize(_ name: String) -> Bool {
        SegmentName.spareNumber(name).map { $0 & oversizeBit != 0 } ?? false
    }

    private static func create(
        _ name: String, bytes: Int, in folder: StorageFolder
    ) throws(StorageError) -> Spare {
        let file = try folder.open(name, mode: .replace)
        try file.fillWithZeros(0..<bytes, syncEveryBytes: StorageLimits.zeroingStepBytes)
        try folder.sync()
        return Spare(name: name, file: file)
    }

    /// What the thread owns.
    private struct Worker {
        let folder: StorageFolder
        let segmentBytes: Int
        var used: [String]
        var nextNumber: UInt64

        init(folder: StorageFolder, segmentBytes: Int, used: [String]) {
            self.folder = folder
            self.segmentBytes = segmentBytes
            self.used = used
            nextNumber = (used.compactMap(SegmentName.spareNumber).max() ?? 0) + 1
        }

        mutating func run(
            _ jobs: BlockingQueue<Job>, _ ready: BlockingQueue<Result<Spare, StorageError>>
        ) {
            while runOnce(jobs, ready) {}
        }

        /// False: there is nothing more to do.
        mutating func runOnce(
            _ jobs: BlockingQueue<Job>, _ ready: BlockingQueue<Result<Spare, StorageError>>
        ) -> Bool {
            guard let job = jobs.take() else { return false }
            do throws(StorageError) {
                switch job {
                case .prepare: ready.put(.success(try prepare()))
                case .recycle(let name): try recycle(name)
                }
                return true
            } catch {
                // The log learns of it when it next needs a segment, and stops then: until that
                // moment nothing it has acknowledged is in danger.
                ready.put(.failure(error))
                return false
            }
        }

        private mutating func prepare() throws(StorageError) -> Spare {
            while let name = used.popLast() {
                let file = try folder.open(name, mode: .readWrite)
                guard try file.sizeBytes() == segmentBytes else {
                    try folder.remove(name)
                    continue
                }
                try file.fillWithZeros(
                    0..<segmentBytes, syncEveryBytes: StorageLimits.zeroingStepBytes)
                return Spare(name: name, file: file)
            }
            defer { nextNumber += 1 }
            return try SegmentPool.create(
                SegmentName.spare(nextNumber), bytes: segmentBytes, in: folder)
        }

        private mutating func recycle(_ name: String) throws(StorageError) {
            if used.count < StorageLimits.maxSpareSegments - 1 {
                let spare = SegmentName.spare(nextNumber)
                nextNumber += 1
                try folder.rename(name, to: spare)
                try folder.sync()
                used.append(spare)
            } else {
                try folder.remove(name)
                try folder.sync()
            }
        }
    }
}
