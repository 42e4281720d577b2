import Raft
import Synchronization

/// The thread that writes, reads and receives snapshots, job by job in the order they were submitted. A
/// snapshot that takes minutes delays neither the loop nor the log.
///
/// A job that fails for a reason of the disk is reported as `failed`, and the thread does nothing more.
final class SnapshotThread: Sendable {
    enum Job: Sendable {
        case write(SnapshotMark, SnapshotStore.Producer)
        case readChunk(to: NodeID, SnapshotMark, offset: UInt64, maxBytes: Int)
        case storeChunk(Message.SnapshotChunk)
        case load(SnapshotMark)
        /// The log's batch with this mark is durable: older snapshots may go.
        case prune(SnapshotMark)
        case export(SnapshotExport.Job)

        /// Nobody waits for it.
        var canWait: Bool {
            if case .prune = self { true } else { false }
        }
    }

    enum Report: Sendable, Equatable {
        case written(SnapshotMark, fileBytes: Int, nanoseconds: UInt64)
        case chunkRead(
            to: NodeID, SnapshotMark, offset: UInt64, bytes: [UInt8], totalBytes: UInt64)
        /// That snapshot is no longer there; the peer needs a newer one.
        case chunkGone(to: NodeID, SnapshotMark)
        /// As `chunkGone`, because the file was found damaged; it has been set aside.
        case damaged(to: NodeID, SnapshotMark, StorageError)
        case chunkStored(SnapshotMark, nextOffset: UInt64, isComplete: Bool)
        /// What a peer sent is no valid snapshot; receiving begins anew at offset 0.
        case refused(SnapshotMark, reason: String)
        case loaded(SnapshotMark, state: [UInt8])
        case exported(SnapshotExport.Reply)
        /// The last report there is.
        case failed(StorageError)
    }

    private let queue = BlockingQueue<Job>()
    private let haste = Haste()
    private let thread: SystemThread

    /// `report` is called on this thread, in the order of the jobs. A `prune` that succeeds is not reported.
    init(
        store: sending SnapshotStore, report: @escaping @Sendable (Report) -> Void
    ) throws(StorageError) {
        let (queue, haste) = (queue, haste)
        let owned = Owned(store)
        do throws(IOError) {
            thread = try SystemThread(name: "carillon-snap") {
                owned.store.withLock { store in
                    Self.run(&store, queue, haste, report)
                }
            }
        } catch {
            throw StorageError(error)
        }
    }

    /// The caller bounds what it submits. After a failure jobs are dropped.
    func submit(_ job: Job) {
        queue.put(job)
    }

    /// Whether somebody waits for the snapshot that is being written, or will be, and it takes no rests.
    func setHasty(_ isHasty: Bool) { haste.flag.store(isHasty, ordering: .relaxed) }

    private final class Haste: Sendable {
        let flag = Atomic<Bool>(false)
    }

    /// Does what was submitted and joins the thread.
    func stop() {
        queue.close()
        thread.join()
    }

    /// Only closes: the last reference may go on the thread itself, which can't wait for itself.
    deinit {
        queue.close()
    }

    /// Gives the thread's closure something to share; only that thread ever locks it.
    private final class Owned: Sendable {
        let store: Mutex<SnapshotStore>

        init(_ store: sending SnapshotStore) {
            self.store = Mutex(store)
        }
    }

    private static func run(
        _ store: inout SnapshotStore, _ queue: BlockingQueue<Job>, _ haste: Haste,
        _ report: @Sendable (Report) -> Void
    ) {
        while let job = queue.take() {
            do throws(StorageError) {
                if let result = try perform(job, on: &store, queue, haste) { report(result) }
            } catch {
                queue.close()
                report(.failed(error))
                return
            }
        }
    }

    /// Rests after each piece: a sync of the log, of any node on the same disk, waits behind what was written before it.
    /// Not while somebody waits for this snapshot, for another job, or for the end of the process. An older snapshot can
    /// wait to be removed.
    private static func unhurried(
        _ producer: @escaping SnapshotStore.Producer, _ queue: BlockingQueue<Job>,
        _ haste: Haste
    ) -> SnapshotStore.Producer {
        { put throws(StorageError) in
            var begun = LogThread.now()
            try producer { bytes throws(StorageError) in
                try put(bytes)
                let rest = restNanoseconds(
                    after: LogThread.now() - begun,
                    isHasty: haste.flag.load(ordering: .relaxed))
                if rest > 0 { queue.rest(nanoseconds: rest) { !$0.canWait } }
                begun = LogThread.now()
            }
        }
    }

    static func restNanoseconds(after taken: UInt64, isHasty: Bool) -> UInt64 {
        isHasty ? 0 : StorageLimits.backgroundRestNanoseconds(after: taken)
    }

    private static func perform(
        _ job: Job, on store: inout SnapshotStore, _ queue: BlockingQueue<Job>, _ haste: Haste
    ) throws(StorageError) -> Report? {
        switch job {
        case .write(let mark, let producer):
            let start = LogThread.now()
            let fileBytes = try store.write(mark, from: unhurried(producer, queue, haste))
            return .written(mark, fileBytes: fileBytes, nanoseconds: LogThread.now() - start)
        case .readChunk(let peer, let mark, let offset, let maxBytes):
            do throws(StorageError) {
                guard let chunk = try store.chunk(of: mark, at: offset, maxBytes: maxBytes) else {
                    return .chunkGone(to: peer, mark)
                }
                return .chunkRead(
                    to: peer, mark, offset: offset, bytes: chunk.bytes,
                    totalBytes: chunk.totalBytes)
            } catch {
                // The node's own state is in memory and good: only this file is not.
                guard error.isDamage else { throw error }
                return .damaged(to: peer, mark, error)
            }
        case .storeChunk(let chunk):
            switch try store.receive(chunk) {
            case .wants(let offset):
                return .chunkStored(chunk.mark, nextOffset: offset, isComplete: false)
            case .complete(let fileBytes):
                return .chunkStored(chunk.mark, nextOffset: fileBytes, isComplete: true)
            case .refused(let reason):
                return .refused(chunk.mark, reason: reason)
            }
        case .load(let mark):
            return .loaded(mark, state: try store.load(mark))
        case .prune(let mark):
            try store.prune(durable: mark)
            return nil
        case .export(let job):
            return try store.perform(job).map(Report.exported)
        }
    }
}
