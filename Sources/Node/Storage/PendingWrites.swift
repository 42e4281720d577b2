import Raft
import Synchronization

/// What was submitted to the disk and is not yet durable; written by two threads, read by the loop.
final class PendingWrites: Sendable {
    private struct State {
        var bytes = 0
        /// Submission times, oldest first; those before `head` are done.
        var since: [Nanoseconds] = []
        var head = 0
    }

    private static let maxDone = 64

    private let state = Mutex(State())

    /// Room that is taken, in submissions.
    var capacity: Int { state.withLock { $0.since.capacity } }

    var bytes: Int { state.withLock { $0.bytes } }

    var oldestSince: Nanoseconds? {
        state.withLock { $0.head < $0.since.count ? $0.since[$0.head] : nil }
    }

    func add(_ sizeBytes: Int, since: Nanoseconds) {
        state.withLock { state in
            state.bytes += sizeBytes
            state.since.append(since)
        }
    }

    /// The oldest `count` are durable.
    func remove(count: Int, bytes: Int) {
        state.withLock { state in
            state.bytes -= bytes
            state.head += count
            precondition(state.bytes >= 0 && state.head <= state.since.count)
            // Under load there is always something pending: what is done must not gather until there is not.
            if state.head == state.since.count {
                state.since.removeAll(keepingCapacity: true)
                state.head = 0
            } else if state.head > Self.maxDone, 2 * state.head > state.since.count {
                state.since.removeFirst(state.head)
                state.head = 0
            }
        }
    }
}
