import CLinux
import Glibc

/// A signal that a node acts upon.
enum Signal: Int32, Sendable {
    case terminate = 15
    case interrupt = 2
    case hangUp = 1
}

/// Signals arrive as events of the loop, not as interruptions of whatever happens to run.
enum Signals {
    private static let handled: [Signal] = [.terminate, .interrupt, .hangUp]

    /// To be called in `main` before any thread starts: threads inherit the mask, and one that did not
    /// block SIGTERM would be killed by it, and the process with it.
    ///
    /// SIGPIPE is blocked rather than ignored: writing to a closed pipe then fails with EPIPE all the
    /// same, and a child whose mask is reset gets the default back, which an ignored signal would not.
    static func block() {
        var set = handledSet()
        sigaddset(&set, SIGPIPE)
        let status = pthread_sigmask(SIG_BLOCK, &set, nil)
        precondition(status == 0)
    }

    fileprivate static func handledSet() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in handled { sigaddset(&set, signal.rawValue) }
        return set
    }
}

extension Loop {
    /// Calls `handler` on the loop for every signal. `Signals.block` must have been called.
    func onSignal(_ handler: @escaping (Signal) -> Void) throws(IOError) {
        var set = Signals.handledSet()
        let number = signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        guard number >= 0 else { throw IOError("signalfd", code: errno) }
        let source = SignalSource(descriptor: Descriptor(adopting: number))
        _ = try register(number, for: .readable) { _ in
            while let signal = source.next() { handler(signal) }
        }
    }
}

/// Owns the descriptor for as long as the loop's handler lives.
private final class SignalSource {
    private let descriptor: Descriptor

    init(descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    func next() -> Signal? {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard read(descriptor.number, &info, size) == size else { return nil }
        return Signal(rawValue: Int32(info.ssi_signo))
    }
}
