import CLinux
import Glibc

/// A thread nobody joins. For work that blocks; it reports back through a `Mailbox`.
enum DetachedThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// `name` is what the system's tools show, at most 15 bytes.
    static func start(
        name: String, _ body: @escaping @Sendable () -> Void
    ) throws(IOError) {
        precondition(name.utf8.count <= 15)
        // Retained for the new thread, which releases it. If the thread does not start, we do.
        let passed = Unmanaged.passRetained(Body(body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, passed.toOpaque())
        guard code == 0 else {
            passed.release()
            throw IOError("pthread_create", code: code, subject: name)
        }
        pthread_setname_np(thread, name)
        pthread_detach(thread)
    }
}
