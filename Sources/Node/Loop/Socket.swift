import CLinux
import Glibc

/// System calls on TCP sockets. Every socket is non-blocking, closed on exec (or handlers would
/// inherit it and keep a port or a client open), and without Nagle's delay (40 ms stalls otherwise).
enum Socket {
    /// A socket that accepts connections.
    static func listen(on address: SocketAddress, backlog: Int32) throws(IOError) -> Descriptor {
        let socket = try open(address)
        // A restarted node must get its port back while connections of its last life linger.
        try set(socket, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR")
        if case .ipv6 = address {
            // "[::]:7101" must not silently take the IPv4 port as well.
            try set(socket, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1, "IPV6_V6ONLY")
        }
        let number = socket.number
        let failure = address.withSystemAddress { pointer, length -> Int32 in
            Glibc.bind(number, pointer, length) == 0 ? 0 : errno
        }
        guard failure == 0 else {
            throw IOError("bind", code: failure, subject: address.description)
        }
        guard Glibc.listen(number, backlog) == 0 else {
            throw IOError("listen", code: errno, subject: address.description)
        }
        return socket
    }

    /// Starts to connect. The socket becomes writable when the outcome is known, which
    /// `pendingError` then tells.
    static func connect(to address: SocketAddress) throws(IOError) -> Descriptor {
        let socket = try open(address)
        try disableDelay(socket)
        let number = socket.number
        let failure = address.withSystemAddress { pointer, length -> Int32 in
            Glibc.connect(number, pointer, length) == 0 ? 0 : errno
        }
        // An interrupted connect goes on in the background, like one in progress.
        guard failure == 0 || failure == EINPROGRESS || failure == EINTR else {
            throw IOError("connect", code: failure, subject: address.description)
        }
        return socket
    }

    /// The address a socket is bound to: tells which port the system chose for port 0.
    static func localAddress(_ socket: borrowing Descriptor) throws(IOError) -> SocketAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let number = socket.number
        let address = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { system in
                getsockname(number, system, &length) == 0
                    ? SocketAddress(system: system, length: length) : nil
            }
        }
        guard let address else { throw IOError("getsockname", code: errno) }
        return address
    }

    /// The outcome of a connect that was in progress, or of the last failure. 0 is success.
    static func pendingError(_ socket: Int32) -> Int32 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else {
            return errno
        }
        return code
    }

    /// Nothing waits to be read: neither bytes, nor the peer's end, nor a failure.
    static func isQuiet(_ socket: Int32) -> Bool {
        var byte: UInt8 = 0
        let count = recv(socket, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        return count < 0 && (errno == EAGAIN || errno == EINTR)
    }

    static func disableDelay(_ socket: borrowing Descriptor) throws(IOError) {
        try set(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1, "TCP_NODELAY")
    }

    /// Gives a connection up when sent data stays unacknowledged this long, or when an idle peer
    /// answers no probe: a machine that vanished sends neither FIN nor RST. RFC 5482, RFC 9293 3.8.4.
    static func detectDeadPeer(_ socket: Int32, afterMilliseconds milliseconds: Int) {
        let tcp = Int32(IPPROTO_TCP)
        let idleSeconds = max(1, milliseconds / 1000)
        for (level, option, value) in [
            (tcp, TCP_USER_TIMEOUT, milliseconds), (SOL_SOCKET, SO_KEEPALIVE, 1),
            (tcp, TCP_KEEPIDLE, idleSeconds), (tcp, TCP_KEEPINTVL, 1),
        ] {
            var value = Int32(clamping: value)
            let status = setsockopt(
                socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
            precondition(status == 0, "an open TCP socket takes these options")
        }
    }

    private static func open(_ address: SocketAddress) throws(IOError) -> Descriptor {
        let flags = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let number = Glibc.socket(address.family, flags, 0)
        guard number >= 0 else {
            throw IOError("socket", code: errno, subject: address.description)
        }
        return Descriptor(adopting: number)
    }

    private static func set(
        _ socket: borrowing Descriptor, _ level: Int32, _ option: Int32, _ value: Int32,
        _ name: String
    ) throws(IOError) {
        var value = value
        let length = socklen_t(MemoryLayout<Int32>.size)
        guard setsockopt(socket.number, level, option, &value, length) == 0 else {
            throw IOError("setsockopt", code: errno, subject: name)
        }
    }
}
