/// Where one node serves HTTP.
struct ServerAddress: Equatable, Sendable, CustomStringConvertible {
    let host: String
    let port: UInt16

    static let defaultText = "http://127.0.0.1:7201"
    static let maxServers = 64
    private static let defaultPort: UInt16 = 7201

    var isIPv6: Bool { host.utf8.contains(UInt8(ascii: ":")) }

    /// Host and port as they stand in a URL and in the `Host` header.
    var authority: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

    var description: String { "http://" + authority }

    /// URLs separated by commas.
    static func list(_ text: String) throws(CommandFailure) -> [ServerAddress] {
        var result: [ServerAddress] = []
        for part in text.split(separator: ",") {
            let address = try ServerAddress(part.trimmingSpaces)
            if !result.contains(address) { result.append(address) }
        }
        guard !result.isEmpty else { throw .usage("--server names no server") }
        guard result.count <= maxServers else {
            throw .usage("--server names \(result.count) servers, at most \(maxServers) are allowed")
        }
        return result
    }

    /// `http://host:port`; scheme, port and a final slash may be left out.
    init(_ text: String) throws(CommandFailure) {
        func wrong(_ reason: String) -> CommandFailure {
            .usage("--server \(text): \(reason); write it like \(Self.defaultText)")
        }
        var rest = Substring(text)
        if let scheme = rest.firstRange(of: "://") {
            switch rest[..<scheme.lowerBound].lowercased() {
            case "http": rest = rest[scheme.upperBound...]
            case "https": throw .usage("--server \(text): https is not supported by this version")
            default: throw wrong("unknown scheme")
            }
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        var portText: Substring?
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else { throw wrong("a bracket is not closed") }
            let after = rest[rest.index(after: end)...]
            rest = rest[rest.index(after: rest.startIndex)..<end]
            if !after.isEmpty {
                guard after.first == ":" else { throw wrong("unexpected text after the address") }
                portText = after.dropFirst()
            }
        } else if let colon = rest.firstIndex(of: ":") {
            portText = rest[rest.index(after: colon)...]
            rest = rest[..<colon]
        }
        guard !rest.isEmpty, rest.utf8.count <= 255,
            rest.utf8.allSatisfy({ Self.isHostByte($0) })
        else { throw wrong("that is no host") }
        guard let port = portText.map({ UInt16($0) }) ?? Self.defaultPort, port > 0 else {
            throw wrong("that is no port")
        }
        host = String(rest)
        self.port = port
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
            UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "%"):
            true
        default: false
        }
    }
}

extension Substring {
    /// Without spaces and tabs at both ends.
    var trimmingSpaces: String {
        var rest = self
        while let first = rest.first, first == " " || first == "\t" { rest = rest.dropFirst() }
        while let last = rest.last, last == " " || last == "\t" { rest = rest.dropLast() }
        return String(rest)
    }
}
