import CLinux
import Glibc
import Synchronization

/// How other threads reach the loop: they post messages, and the loop handles them in its own thread,
/// in order of posting.
///
/// The wake-up is written once for as many messages as gather before the loop comes round. There is no
/// limit on messages: each thread that posts has at most one request in flight, or a bounded number.
final class Mailbox<Message: Sendable>: Sendable {
    private struct State {
        var messages: [Message] = []
        var isWakeupPending = false
    }

    private let state = Mutex(State())
    private let wakeup: Descriptor

    init() throws(IOError) {
        let number = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard number >= 0 else { throw IOError("eventfd", code: errno) }
        wakeup = Descriptor(adopting: number)
    }

    /// From any thread.
    func post(_ message: Message) {
        let mustWake = state.withLock { state in
            state.messages.append(message)
            defer { state.isWakeupPending = true }
            return !state.isWakeupPending
        }
        guard mustWake else { return }
        // The counter is never read, and 2^64 wake-ups do not happen, so this cannot block.
        let status = eventfd_write(wakeup.number, 1)
        precondition(status == 0, "a wake-up can be written")
    }

    fileprivate var descriptor: Int32 { wakeup.number }

    /// Takes all messages. The flag falls under the same lock: a message posted after that wakes
    /// the loop again, so none is left lying.
    fileprivate func take() -> [Message] {
        state.withLock { state in
            state.isWakeupPending = false
            let taken = state.messages
            state.messages = []
            return taken
        }
    }
}

extension Loop {
    /// Calls `handler` on the loop for every message posted. Keeps the mailbox alive until deregistered.
    @discardableResult
    func attach<Message: Sendable>(
        _ mailbox: Mailbox<Message>, handler: @escaping (Message) -> Void
    ) throws(IOError) -> Registration {
        try register(mailbox.descriptor, for: [.readable, .edge]) { _ in
            for message in mailbox.take() { handler(message) }
        }
    }
}
