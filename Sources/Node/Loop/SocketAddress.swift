import Glibc

/// A numeric internet address and port, as a value that can be compared and printed.
enum SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// Host byte order.
    case ipv4(UInt32, port: UInt16)
    /// Host byte order, upper half first. `scope` is an interface index, for link-local addresses.
    case ipv6(UInt64, UInt64, port: UInt16, scope: UInt32)

    var port: UInt16 {
        switch self {
        case .ipv4(_, let port), .ipv6(_, _, let port, _): return port
        }
    }

    /// True for addresses that only this machine can reach.
    var isLoopback: Bool {
        switch self {
        case .ipv4(let address, _): return address >> 24 == 127
        case .ipv6(let high, let low, _, _): return high == 0 && low == 1
        }
    }

    var family: Int32 {
        switch self {
        case .ipv4: return AF_INET
        case .ipv6: return AF_INET6
        }
    }

    /// The address alone, without brackets or port.
    var host: String {
        switch self {
        case .ipv4(let address, _):
            return "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)"
        case .ipv6:
            return withSystemAddress { address, length in
                var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
                let status = getnameinfo(
                    address, length, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
                precondition(status == 0, "a numeric address has a numeric form")
                return text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
            }
        }
    }

    var description: String {
        switch self {
        case .ipv4: return "\(host):\(port)"
        case .ipv6: return "[\(host)]:\(port)"
        }
    }

    /// Reads what `accept` or `getaddrinfo` filled in; nil for other families.
    init?(system address: UnsafePointer<sockaddr>, length: socklen_t) {
        let raw = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET where Int(length) >= MemoryLayout<sockaddr_in>.size:
            let value = raw.loadUnaligned(as: sockaddr_in.self)
            self = .ipv4(
                UInt32(bigEndian: value.sin_addr.s_addr), port: UInt16(bigEndian: value.sin_port))
        case AF_INET6 where Int(length) >= MemoryLayout<sockaddr_in6>.size:
            let value = raw.loadUnaligned(as: sockaddr_in6.self)
            let (high, low) = withUnsafeBytes(of: value.sin6_addr) { bytes in
                (
                    UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                    UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                )
            }
            self = .ipv6(
                high, low, port: UInt16(bigEndian: value.sin6_port), scope: value.sin6_scope_id)
        default:
            return nil
        }
    }

    /// The address in the form system calls take, for the time of the call.
    func withSystemAddress<Result>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        switch self {
        case .ipv4(let address, let port):
            var value = sockaddr_in()
            value.sin_family = sa_family_t(AF_INET)
            value.sin_port = port.bigEndian
            value.sin_addr.s_addr = address.bigEndian
            return SocketAddress.borrow(&value, body)
        case .ipv6(let high, let low, let port, let scope):
            var value = sockaddr_in6()
            value.sin6_family = sa_family_t(AF_INET6)
            value.sin6_port = port.bigEndian
            value.sin6_scope_id = scope
            withUnsafeMutableBytes(of: &value.sin6_addr) { bytes in
                bytes.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
                bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            return SocketAddress.borrow(&value, body)
        }
    }

    /// Every family's structure begins like `sockaddr`, which is what the calls are declared with.
    private static func borrow<Value, Result>(
        _ value: inout Value, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        withUnsafePointer(to: &value) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                body(address, socklen_t(MemoryLayout<Value>.size))
            }
        }
    }
}
