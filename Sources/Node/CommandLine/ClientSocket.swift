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
/// Unsafe code: buffers handed to `send` and `recv` outlive the call.
struct ClientSocket: ~Copyable {
    private let descriptor: Descriptor

    private init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// Tries each address of the host in turn. The deadline is in milliseconds of the monotonic clock.
    static func connect(
        to endpoint: Endpoint, deadline: Int64
    ) throws(ClientError) -> ClientSocket {
        let addresses: [SocketAddress]
        do throws(IOError) {
            addresses = try endpoint.resolve()
        } catch {
            throw .cannotConnect(error.reason)
        }
        var failure = ClientError.cannotConnect("the host has no address")
        for address in addresses {
            do throws(ClientError) {
                return try connect(to: address, deadline: deadline)
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private static func connect(
        to address: SocketAddress, deadline: Int64
    ) throws(ClientError) -> ClientSocket {
        let result: ClientSocket
        do throws(IOError) {
            result = ClientSocket(try Socket.connect(to: address))
        } catch {
            throw .cannotConnect(reason(error.code))
        }
        guard result.wait(for: POLLOUT, deadline: deadline) else {
            throw .cannotConnect("no answer")
        }
        let status = Socket.pendingError(result.descriptor.number)
        guard status == 0 else { throw .cannotConnect(reason(status)) }
        return result
    }

    /// Sends all of it.
    func send(_ bytes: [UInt8], deadline: Int64) throws(ClientError) {
        var start = 0
        while start < bytes.count {
            let number = descriptor.number
            let count = bytes.withUnsafeBytes { buffer in
                let rest = UnsafeRawBufferPointer(rebasing: buffer[start...])
                return Glibc.send(
                    number, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
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
            let number = descriptor.number
            var count = 0
            let part = [UInt8](unsafeUninitializedCapacity: Self.receiveBytes) { buffer, filled in
                count = recv(number, buffer.baseAddress, buffer.count, 0)
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
            var entry = pollfd(fd: descriptor.number, events: Int16(events), revents: 0)
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
