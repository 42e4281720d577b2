import Glibc
import Raft
import Synchronization

/// The thread that makes batches durable. It takes everything that waits, writes it and syncs once; what
/// is submitted meanwhile gathers for the next turn, so that the disk's own speed decides how much one
/// sync covers. After the first error it never touches the disk again.
final class LogThread: Sendable {
    enum Report: Equatable, Sendable {
        /// This batch and all before it are on disk. The time is that of writing and syncing.
        case durable(Ticket, syncNanoseconds: UInt64)
        /// The last report there is.
        case failed(StorageError)
    }

    private struct Pending: Sendable {
        var batch: Batch
        var sizeBytes: Int
    }

    private let queue = BlockingQueue<Pending>()
    private let pending: PendingWrites
    private let thread: SystemThread

    /// Bytes submitted and not yet durable. The caller bounds them: nothing is refused here.
    var pendingBytes: Int { pending.bytes }

    /// When the oldest batch that is not yet durable was submitted, on the monotonic clock; nil if there
    /// is none. A disk that stalls shows here while the thread itself is stuck in the kernel.
    var oldestPendingSince: Nanoseconds? { pending.oldestSince }

    /// Takes the log over. `report` is called on this thread, in the order of the tickets.
    init(
        log: sending SegmentedLog, report: @escaping @Sendable (Report) -> Void
    ) throws(StorageError) {
        let (queue, pending) = (queue, PendingWrites())
        self.pending = pending
        let box = LogBox(log)
        do throws(IOError) {
            thread = try SystemThread(name: "carillon-log") {
                Self.run(box, queue, pending, report)
            }
        } catch {
            throw StorageError(error)
        }
    }

    /// Called on the loop's thread, with rising tickets. After a failure the batch is dropped: it is not
    /// durable, and never will be reported as such.
    func submit(_ batch: Batch) {
        let sizeBytes = batch.entries.reduce(64) { $0 + $1.sizeBytes }
        pending.add(sizeBytes, since: Self.now())
        queue.put(Pending(batch: batch, sizeBytes: sizeBytes))
    }

    /// Writes what was submitted, closes the log and joins the thread. All reports have been made when this
    /// returns.
    func stop() {
        queue.close()
        thread.join()
    }

    /// Only closes: the last reference may go on the thread itself, which can't wait for itself.
    deinit {
        queue.close()
    }

    /// Gives the thread's closure something to share; only that thread ever locks it.
    private final class LogBox: Sendable {
        let log: Mutex<SegmentedLog>

        init(_ log: sending SegmentedLog) {
            self.log = Mutex(log)
        }
    }

    private static func run(
        _ box: LogBox, _ queue: BlockingQueue<Pending>, _ pending: PendingWrites,
        _ report: @Sendable (Report) -> Void
    ) {
        box.log.withLock { log in
            do throws(StorageError) {
                var items: [Pending] = []
                while queue.takeAll(into: &items) {
                    try write(items, to: log, pending, report)
                }
                try log.close()
            } catch {
                // Closed first: nothing that is submitted from here on waits for anything.
                queue.close()
                // Before anything that may wait for the disk once more: the loop has to know.
                report(.failed(error))
                log.abandon()
            }
        }
    }

    private static func write(
        _ items: [Pending], to log: SegmentedLog, _ pending: PendingWrites,
        _ report: @Sendable (Report) -> Void
    ) throws(StorageError) {
        let batches = items.map(\.batch)
        var first = 0
        while first < batches.count {
            let start = now()
            let next = try log.write(batches, from: first)
            try log.sync()
            let durableBytes = items[first..<next].reduce(0) { $0 + $1.sizeBytes }
            pending.remove(count: next - first, bytes: durableBytes)
            report(.durable(batches[next - 1].ticket, syncNanoseconds: now() - start))
            first = next
        }
    }

    /// CLOCK_BOOTTIME as on the loop, in nanoseconds.
    static func now() -> Nanoseconds {
        var time = timespec()
        let result = clock_gettime(CLOCK_BOOTTIME, &time)
        precondition(result == 0, "every Linux has this clock")
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
