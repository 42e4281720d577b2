import Glibc

/// Where to listen or connect, as configured: a host (name or numeric address) and a port.
///
/// Forms: `127.0.0.1:7101`, `[::1]:7101`, `node1.example.com:7101`. Port 0 means any free one.
struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    var host: String
    var port: UInt16

    /// Why a text is not an endpoint.
    struct SyntaxError: Error, Equatable, CustomStringConvertible {
        var description: String
    }

    init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    init(_ text: String) throws(SyntaxError) {
        guard let colon = text.lastIndex(of: ":") else {
            throw SyntaxError(description: "'\(text)' has no port; write it as host:port")
        }
        let portText = text[text.index(after: colon)...]
        guard let port = UInt16(portText), portText.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else {
            throw SyntaxError(description: "'\(portText)' is not a port from 0 to 65535")
        }
        var host = text[..<colon]
        if host.first == "[" && host.last == "]" {
            host = host.dropFirst().dropLast()
            guard host.contains(":") else {
                throw SyntaxError(description: "brackets are for IPv6 addresses: '\(text)'")
            }
        } else if host.contains(where: { $0 == ":" || $0 == "[" || $0 == "]" }) {
            throw SyntaxError(
                description: "'\(text)': write an IPv6 address in brackets, as in [::1]:7101")
        }
        guard !host.isEmpty, !host.utf8.contains(where: { $0 <= 32 || $0 == 127 }) else {
            throw SyntaxError(description: "'\(text)' has no host; write it as host:port")
        }
        self.host = String(host)
        self.port = port
    }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// The address if the host is numeric. Never asks a name server.
    var numericAddress: SocketAddress? {
        try? lookUp(flags: AI_NUMERICHOST | AI_NUMERICSERV).first
    }

    /// All addresses of the host, in the system's order of preference.
    ///
    /// Blocks, for seconds if a name server is silent: call it off the loop's thread, or before the
    /// loop runs.
    func resolve() throws(IOError) -> [SocketAddress] {
        try lookUp(flags: AI_NUMERICSERV)
    }

    private func lookUp(flags: Int32) throws(IOError) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = flags
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else {
            throw IOError(
                "resolve", subject: description, reason: String(cString: gai_strerror(status)))
        }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next {
            if let system = entry.pointee.ai_addr,
                let address = SocketAddress(system: system, length: entry.pointee.ai_addrlen),
                !addresses.contains(address)
            {
                addresses.append(address)
            }
            next = entry.pointee.ai_next
        }
        guard !addresses.isEmpty else {
            throw IOError("resolve", subject: description, reason: "the name has no address")
        }
        return addresses
    }
}
