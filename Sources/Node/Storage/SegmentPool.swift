import Synchronization

/// Keeps a zeroed, synced file at hand for the log's next segment, made on a thread of its own that takes its time:
/// a new node that filled a whole segment at once would hold up every sync of those that share its disk. When the log
/// is faster, it gets small segments until the spare is ready. Without the thread each is made when it is asked for.
///
/// Spare files are named `spare-<number>`. A spare found on opening may be half zeroed, or may be a
/// segment that was renamed a moment before a crash, so it counts as used and is zeroed again. A segment
/// that is not needed any more is renamed to a spare, or removed, in order, each rename synced before the next: after
/// a crash the log lacks segments only at its beginning, and none is zeroed under its old name.
final class SegmentPool: Sendable {
    /// A file of zeros, synced, its name synced too.
    struct Spare: Sendable {
        var name: String
        var bytes: Int
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

    /// `used` are spares found on opening. One that was made on the spot goes: the name belongs to the segment of that
    /// number, which may be made again and take the file away.
    init(
        folder: StorageFolder, segmentBytes: Int, used: [String], usesThread: Bool
    ) throws(StorageError) {
        self.folder = folder
        self.segmentBytes = segmentBytes
        for name in used where Self.isMadeOnTheSpot(name) { try folder.remove(name) }
        let worker = Worker(
            folder: folder, segmentBytes: segmentBytes,
            used: used.filter { !Self.isMadeOnTheSpot($0) },
            hasTime: usesThread)
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

    /// The spare, and the next one is begun. If it is not ready yet, or too small for what segment `number` needs at
    /// least, one is made on the spot: as small as may be, because the log waits for it.
    func take(atLeastBytes: Int, number: UInt64) throws(StorageError) -> Spare {
        guard atLeastBytes <= segmentBytes else {
            return try createOnTheSpot(bytes: atLeastBytes, number: number)
        }
        if thread == nil {
            jobs.put(.prepare)
            workInline()
        }
        guard let result = ready.takeIfAny() else {
            let smallBytes = min(StorageLimits.smallSegmentBytes, segmentBytes)
            return try createOnTheSpot(bytes: max(atLeastBytes, smallBytes), number: number)
        }
        let spare = try result.get()
        // Before what waits to be recycled: the log makes small segments on the spot until there is a spare. But what
        // a flood has left, hundreds of those, must not grow as long as it lasts.
        if thread != nil {
            jobs.put(.prepare, isFirst: jobs.count < StorageLimits.maxSpareSegments)
        }
        return spare
    }

    /// The segment is no longer needed for anything; what it holds is covered by durable later segments.
    func recycle(name: String) {
        jobs.put(.recycle(name: name))
        workInline()
    }

    /// Finishes what was asked for, but a spare, and joins the thread.
    func stop() {
        jobs.close()
        thread?.join()
    }

    private func workInline() {
        guard thread == nil else { return }
        _ = worker.withLock { $0.runOnce(jobs, ready) }
    }

    /// Keeps names of what is made on the spot apart from the pool's own numbers.
    private static let onTheSpotBit: UInt64 = 1 << 63

    private static func isMadeOnTheSpot(_ name: String) -> Bool {
        SegmentName.spareNumber(name).map { $0 & onTheSpotBit != 0 } ?? false
    }

    private func createOnTheSpot(bytes: Int, number: UInt64) throws(StorageError) -> Spare {
        let roundedBytes = (bytes + 4_095) / 4_096 * 4_096
        let name = SegmentName.spare(number | Self.onTheSpotBit)
        let file = try Self.create(name, in: folder)
        try file.fillWithZeros(
            0..<roundedBytes, syncEveryBytes: StorageLimits.zeroingStepBytes)
        try folder.sync()
        return Spare(name: name, bytes: roundedBytes)
    }

    static func create(
        _ name: String, in folder: StorageFolder
    ) throws(StorageError) -> StorageFile {
        _ = try folder.open(name, mode: .replace)
        return try folder.open(name, mode: .append(zerosBefore: 0))
    }

    /// What the thread owns.
    private struct Worker {
        let folder: StorageFolder
        let segmentBytes: Int
        /// Whether the log goes on meanwhile.
        let hasTime: Bool
        var used: [String]
        var nextNumber: UInt64

        init(folder: StorageFolder, segmentBytes: Int, used: [String], hasTime: Bool) {
            self.folder = folder
            self.segmentBytes = segmentBytes
            self.hasTime = hasTime
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
                case .prepare:
                    if let spare = try prepare(until: jobs) { ready.put(.success(spare)) }
                case .recycle(let name):
                    let begun = LogThread.now()
                    try recycle(name)
                    // A snapshot frees several at once. After a flood it is hundreds of small ones, without rests.
                    if hasTime, jobs.count < StorageLimits.maxSpareSegments {
                        jobs.rest(nanoseconds: Self.restNanoseconds(since: begun)) { job in
                            if case .prepare = job { true } else { false }
                        }
                    }
                }
                return true
            } catch {
                // The log learns of it when it next needs a segment, and stops then: until that
                // moment nothing it has acknowledged is in danger.
                ready.put(.failure(error))
                return false
            }
        }

        /// nil: the pool is stopped, and what is there of the spare is of no use. The next start finds it used.
        private mutating func prepare(
            until jobs: BlockingQueue<Job>
        ) throws(StorageError) -> Spare? {
            while let name = used.popLast() {
                let file = try folder.open(name, mode: .append(zerosBefore: 0))
                guard try file.sizeBytes() == segmentBytes else {
                    try folder.remove(name)
                    continue
                }
                guard try fill(file, until: jobs) else { return nil }
                return Spare(name: name, bytes: segmentBytes)
            }
            defer { nextNumber += 1 }
            let name = SegmentName.spare(nextNumber)
            let file = try SegmentPool.create(name, in: folder)
            guard try fill(file, until: jobs) else { return nil }
            try folder.sync()
            return Spare(name: name, bytes: segmentBytes)
        }

        /// False: the pool was stopped.
        private func fill(
            _ file: StorageFile, until jobs: BlockingQueue<Job>
        ) throws(StorageError) -> Bool {
            guard hasTime else {
                return try file.fillWithZeros(
                    0..<segmentBytes, syncEveryBytes: StorageLimits.zeroingStepBytes)
            }
            var begun = LogThread.now()
            return try file.fillWithZeros(
                0..<segmentBytes, syncEveryBytes: StorageLimits.spareStepBytes
            ) {
                defer { begun = LogThread.now() }
                return rest(since: begun, until: jobs)
            }
        }

        /// False: the pool was stopped.
        private func rest(since begun: UInt64, until jobs: BlockingQueue<Job>) -> Bool {
            jobs.pause(nanoseconds: Self.restNanoseconds(since: begun))
        }

        private static func restNanoseconds(since begun: UInt64) -> UInt64 {
            StorageLimits.backgroundRestNanoseconds(after: LogThread.now() - begun)
        }

        private mutating func recycle(_ name: String) throws(StorageError) {
            let bytes = try folder.open(name, mode: .read).sizeBytes()
            if bytes == segmentBytes, used.count < StorageLimits.maxSpareSegments - 1 {
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
