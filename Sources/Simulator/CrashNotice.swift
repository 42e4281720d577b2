import Glibc
import Synchronization

/// A failed precondition inside the code under test ends the process at once. This tells which seed did it.
enum CrashNotice {
    private static let seed = Atomic<UInt64>(0)
    private static let chaosSeconds = Atomic<UInt64>(0)

    static func begin(_ number: UInt64) { seed.store(number, ordering: .relaxed) }

    static func install(chaosSeconds seconds: UInt64) {
        chaosSeconds.store(seconds, ordering: .relaxed)
        // Whoever asked the runtime for a backtrace shall get it.
        guard getenv("SWIFT_BACKTRACE") == nil else { return }
        for number in [SIGILL, SIGTRAP, SIGSEGV, SIGABRT] {
            signal(number) { _ in
                // Not safe in a signal handler in general; the process is single-threaded, does not return from
                // here, and a lost notice costs only a search for the seed.
                fflush(nil)
                let seed = CrashNotice.seed.load(ordering: .relaxed)
                let seconds = CrashNotice.chaosSeconds.load(ordering: .relaxed)
                let text = """
                    VIOLATION of a precondition in seed \(seed)
                      replay: \(Campaign.replay(seed, seconds))

                    """
                _ = text.utf8.withContiguousStorageIfAvailable {
                    write(1, $0.baseAddress, $0.count)
                }
                _exit(1)
            }
        }
    }
}
