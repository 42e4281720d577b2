import CLinux
import Glibc

/// A listening socket on the loop: accepts connections and hands them over.
final class Listener {
    static let backlog: Int32 = 1024
    static let maxAcceptsPerTurn = 64
    /// How long accepting pauses when the process has no descriptor or memory left.
    static let exhaustionPauseMilliseconds = 100

    /// The bound address, with the real port when port 0 was asked for.
    let address: SocketAddress

    private let loop: Loop
    private let socket: Descriptor
    private let onAccept: (consuming Descriptor, SocketAddress) -> Void
    private let onTrouble: (IOError) -> Void
    private var registration: Registration?
    private var pause: TimerID?

    /// Listens at once. A host name is resolved here and may block: nodes listen before the loop runs.
    /// `onTrouble` hears of failures to accept that cost no connection; accepting goes on after them.
    init(
        loop: Loop, endpoint: Endpoint, onTrouble: @escaping (IOError) -> Void,
        onAccept: @escaping (consuming Descriptor, SocketAddress) -> Void
    ) throws(IOError) {
        let wanted = try endpoint.resolve()[0]
        socket = try Socket.listen(on: wanted, backlog: Listener.backlog)
        address = try Socket.localAddress(socket)
        self.loop = loop
        self.onAccept = onAccept
        self.onTrouble = onTrouble
        registration = try loop.register(socket.number, for: .readable) { [weak self] _ in
            self?.accept()
        }
    }

    deinit {
        close()
    }

    /// Accepts those whose connection the system has completed already. What is left in its queue when the
    /// listener closes is reset, with the request that may be in it.
    func acceptWaiting() { accept() }

    /// Accepts no more. The socket closes with the listener.
    func close() {
        if let registration { loop.deregister(registration) }
        registration = nil
        if let pause { loop.cancel(pause) }
        pause = nil
        // The system would go on completing handshakes that nobody accepts.
        _ = shutdown(socket.number, Int32(SHUT_RDWR))
    }

    private func accept() {
        var accepted = 0
        while accepted < Listener.maxAcceptsPerTurn && registration != nil {
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let listening = socket.number
            var remote: SocketAddress?
            let number = withUnsafeMutablePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { system in
                    let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
                    let number = accept4(listening, system, &length, flags)
                    if number >= 0 { remote = SocketAddress(system: system, length: length) }
                    return number
                }
            }
            guard number >= 0 else {
                if shouldRetry(errno) { continue }
                return
            }
            accepted += 1
            handOver(Descriptor(adopting: number), from: remote)
        }
    }

    private func handOver(_ accepted: consuming Descriptor, from remote: SocketAddress?) {
        do throws(IOError) {
            try Socket.disableDelay(accepted)
        } catch {
            // The client reset the connection while it waited to be accepted.
            onTrouble(error)
            return
        }
        guard let remote else { return }
        onAccept(accepted, remote)
    }

    /// True if the failure belongs to one connection, which is gone, and not to the listener. accept(2)
    /// lists the network's errors that it passes on.
    private func shouldRetry(_ code: Int32) -> Bool {
        switch code {
        case EAGAIN:
            return false
        case EINTR, ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH,
            EOPNOTSUPP, ENETUNREACH:
            return true
        default:
            onTrouble(IOError("accept", code: code, subject: address.description))
            pauseAccepting()
            return false
        }
    }

    /// A connection that cannot be accepted stays readable: without a pause the loop would spin on it.
    private func pauseAccepting() {
        guard let registration, pause == nil else { return }
        loop.change(registration, to: [])
        let nanoseconds = UInt64(Listener.exhaustionPauseMilliseconds) * 1_000_000
        pause = loop.schedule(at: loop.now + nanoseconds) { [weak self] in
            guard let self, let registration = self.registration else { return }
            pause = nil
            loop.change(registration, to: .readable)
        }
    }
}
