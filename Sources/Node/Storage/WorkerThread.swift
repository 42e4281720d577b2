import CLinux
import Glibc
import Synchronization

/// A thread of our own for calls that block. All signals are blocked in it: the loop reads them from a
/// descriptor, and a signal delivered here would miss it.
final class WorkerThread: Sendable {
    /// nil once it was joined.
    private let handle: Mutex<pthread_t?>

    /// `name` is what `ps -L` shows; at most 15 bytes.
    init(name: String, body: @escaping @Sendable () -> Void) throws(StorageError) {
        let thread = try Self.start(name, body)
        handle = Mutex(thread)
    }

    /// Waits for the end of `body`; must not be called from it. Later calls return at once.
    func join() {
        handle.withLock { handle in
            guard let thread = handle else { return }
            precondition(
                pthread_equal(thread, pthread_self()) == 0, "a thread can't wait for itself")
            let result = pthread_join(thread, nil)
            precondition(result == 0, "a thread is joined once")
            handle = nil
        }
    }

    private static func start(
        _ name: String, _ body: @escaping @Sendable () -> Void
    ) throws(StorageError) -> pthread_t {
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                var signals = sigset_t()
                sigfillset(&signals)
                pthread_sigmask(SIG_BLOCK, &signals, nil)
                // A name only helps people who look at the process: failing to set it stops nothing.
                _ = pthread_setname_np(pthread_self(), start.name)
                start.body()
                return nil
            }, start.toOpaque())
        guard result == 0 else {
            start.release()
            throw .system(operation: "start the thread", path: name, errno: result)
        }
        return thread
    }

    /// Carries the closure into the new thread.
    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}
