import CLinux
import Glibc
import Synchronization

/// A thread of our own for calls that block; it reports back through a `Mailbox` or a queue. Whoever
/// starts one joins it, or has it detached from the beginning.
///
/// All signals are blocked in it: the loop reads them from a descriptor, and a signal delivered here
/// would miss it, or end the process.
final class SystemThread: Sendable {
    /// nil once it was joined.
    private let handle: Mutex<pthread_t?>

    /// `name` is what `ps -L` shows; at most 15 bytes.
    init(name: String, _ body: @escaping @Sendable () -> Void) throws(IOError) {
        let thread = try Self.start(name, body)
        handle = Mutex(thread)
    }

    /// Starts a thread that nobody joins: what it holds goes when `body` returns.
    static func detached(
        name: String, _ body: @escaping @Sendable () -> Void
    ) throws(IOError) {
        let thread = try start(name, body)
        let code = pthread_detach(thread)
        precondition(code == 0, "a thread is detached once")
    }

    /// Waits for the end of `body`; must not be called from it. Later calls return at once.
    func join() {
        handle.withLock { handle in
            guard let thread = handle else { return }
            precondition(
                pthread_equal(thread, pthread_self()) == 0, "a thread can't wait for itself")
            let code = pthread_join(thread, nil)
            precondition(code == 0, "a thread is joined once")
            handle = nil
        }
    }

    private static func start(
        _ name: String, _ body: @escaping @Sendable () -> Void
    ) throws(IOError) -> pthread_t {
        precondition(name.utf8.count <= 15, "the system takes no longer name")
        // Retained for the new thread, which releases it. If the thread does not start, we do.
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        let code = pthread_create(
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
        guard code == 0 else {
            start.release()
            throw IOError("pthread_create", code: code, subject: name)
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
