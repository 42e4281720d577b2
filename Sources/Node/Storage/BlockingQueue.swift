import Glibc

/// A queue that a thread sleeps on. Any thread puts; one or more take. After `close` what is queued can
/// still be taken, and nothing more is put.
///
/// The standard library has no condition variable, so this wraps the one of the C library. Mutex and
/// condition live behind pointers because they must not move; `items` and `isClosed` are only touched
/// while the mutex is held, which is what makes `@unchecked Sendable` true.
final class BlockingQueue<Element: Sendable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var items: [Element] = []
    private var isClosed = false

    init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        var attributes = pthread_condattr_t()
        let results = [
            pthread_mutex_init(mutex, nil), pthread_condattr_init(&attributes),
            // A pause must not change its length when the wall clock is set.
            pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC),
            pthread_cond_init(condition, &attributes), pthread_condattr_destroy(&attributes),
        ]
        precondition(results.allSatisfy { $0 == 0 }, "none can fail on Linux")
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// False if the queue was closed: the element is dropped. `isFirst`: it is taken before all that is there.
    @discardableResult
    func put(_ element: Element, isFirst: Bool = false) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !isClosed else { return false }
        items.insert(element, at: isFirst ? 0 : items.count)
        pthread_cond_signal(condition)
        return true
    }

    var count: Int {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return items.count
    }

    /// Waits for an element; nil when the queue is closed and empty.
    func take() -> Element? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while items.isEmpty, !isClosed { pthread_cond_wait(condition, mutex) }
        return items.isEmpty ? nil : items.removeFirst()
    }

    /// An element, if there is one at hand.
    func takeIfAny() -> Element? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return items.isEmpty ? nil : items.removeFirst()
    }

    /// Lets that much time pass, whatever is put meanwhile; false, and at once, when the queue is closed. Only for a
    /// queue that has one taker: another would sleep through what is put meanwhile.
    func pause(nanoseconds: UInt64) -> Bool {
        wait(nanoseconds: nanoseconds) { _ in false }
    }

    /// As `pause`, but no longer than until something is there that can't wait.
    func rest(nanoseconds: UInt64, isPressing: (Element) -> Bool) {
        _ = wait(nanoseconds: nanoseconds, isPressing: isPressing)
    }

    private func wait(nanoseconds: UInt64, isPressing: (Element) -> Bool) -> Bool {
        var end = timespec()
        let result = clock_gettime(CLOCK_MONOTONIC, &end)
        precondition(result == 0, "every Linux has this clock")
        let sum = UInt64(end.tv_nsec) + nanoseconds
        end.tv_sec += Int(sum / 1_000_000_000)
        end.tv_nsec = Int(sum % 1_000_000_000)
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !isClosed, !items.contains(where: isPressing) {
            if pthread_cond_timedwait(condition, mutex, &end) == ETIMEDOUT { break }
        }
        return !isClosed
    }

    /// Waits until there is something and takes all of it, in order, in exchange for the emptied `spare`,
    /// whose storage is used again. False when the queue is closed and empty.
    func takeAll(into spare: inout [Element]) -> Bool {
        spare.removeAll(keepingCapacity: true)
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while items.isEmpty, !isClosed { pthread_cond_wait(condition, mutex) }
        swap(&items, &spare)
        return !spare.isEmpty
    }

    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }
}
