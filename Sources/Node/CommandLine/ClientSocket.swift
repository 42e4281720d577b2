import Glibc

/// Why there is no reply.
enum ClientError: Error, Equatable, Sendable {
    /// Nothing was sent.
    case cannotConnect(String)
    /// The request, or a part of it, may have reached the node.
    case broken(String)
    case timedOut
    case malformedReply(String)

    /// What the request asked for may have been done.
    var mayHaveReached: Bool {
        if case .cannotConnect = self { return false }
        return true
    }

    var reason: String {
        switch self {
        case .cannotConnect(let reason): reason
        case .broken(let reason): reason
        case .timedOut: "no reply in time"
        case .malformedReply(let reason): "the reply is no HTTP: \(reason)"
        }
    }
}

/// A TCP connection that is read and written with a deadline. `URLSession` would do, but loading it takes
/// longer than most commands of this tool run.
///
/// Unsafe code: addresses from `getaddrinfo`, and buffers handed to `send` and `recv`, which all outlive the call.
final class ClientSocket {
    private let descriptor: Int32

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Tries each address of the host in turn.
    static func connect(
        to address: ServerAddress, deadline: Int64
    ) throws(ClientError) -> ClientSocket {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(address.host, String(address.port), &hints, &list)
        guard status == 0 else {
            throw .cannotConnect("unknown host: " + String(cString: gai_strerror(status)))
        }
        defer { freeaddrinfo(list) }
        var failure = ClientError.cannotConnect("the host has no address")
        var candidate = list
        while let info = candidate {
            do throws(ClientError) {
                return try connect(info.pointee, deadline: deadline)
            } catch {
                failure = error
            }
            candidate = info.pointee.ai_next
        }
        throw failure
    }

    private static func connect(
        _ info: addrinfo, deadline: Int64
    ) throws(ClientError) -> ClientSocket {
        let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(info.ai_family, info.ai_socktype | flags, info.ai_protocol)
        guard descriptor >= 0 else { throw .cannotConnect(reason(errno)) }
        let result = ClientSocket(descriptor)
        var isOn: Int32 = 1
        // Head and body go in one send, but a large body in several: none may wait for the last one's
        // acknowledgement.
        setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
        if Glibc.connect(descriptor, info.ai_addr, info.ai_addrlen) == 0 { return result }
        guard errno == EINPROGRESS else { throw .cannotConnect(reason(errno)) }
        guard result.wait(for: POLLOUT, deadline: deadline) else {
            throw .cannotConnect("no answer")
        }
        var status: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &status, &size) == 0, status == 0 else {
            throw .cannotConnect(reason(status))
        }
        return result
    }

    /// Sends all of it. The deadline is in milliseconds of the monotonic clock.
    func send(_ bytes: [UInt8], deadline: Int64) throws(ClientError) {
        var start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                let rest = UnsafeRawBufferPointer(rebasing: buffer[start...])
                return Glibc.send(
                    descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL.rawValue))
            }
            if count >= 0 {
                start += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: guard wait(for: POLLOUT, deadline: deadline) else { throw .timedOut }
            default: throw .broken(Self.reason(errno))
            }
        }
    }

    private static let receiveBytes = 64 << 10

    /// Appends what has arrived, after waiting for at least one byte; false: the node has closed.
    func receive(into bytes: inout [UInt8], deadline: Int64) throws(ClientError) -> Bool {
        while true {
            var count = 0
            let part = [UInt8](unsafeUninitializedCapacity: Self.receiveBytes) { buffer, filled in
                count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
                filled = max(0, count)
            }
            if count > 0 {
                bytes += part
                return true
            }
            if count == 0 { return false }
            switch errno {
            case EINTR: continue
            case EAGAIN: guard wait(for: POLLIN, deadline: deadline) else { throw .timedOut }
            default: throw .broken(Self.reason(errno))
            }
        }
    }

    /// Whether the descriptor became ready (or failed, which the next call says) before the deadline.
    private func wait(for events: Int32, deadline: Int64) -> Bool {
        while true {
            let rest = deadline - SystemClock.monotonicMilliseconds()
            guard rest > 0 else { return false }
            var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let count = poll(&entry, 1, Int32(clamping: rest))
            if count > 0 { return true }
            if count < 0, errno != EINTR { return true }
        }
    }

    private static func reason(_ code: Int32) -> String {
        switch code {
        case ECONNREFUSED: "connection refused"
        case ECONNRESET, EPIPE: "connection lost"
        default: String(cString: strerror(code)).lowercased()
        }
    }
}
