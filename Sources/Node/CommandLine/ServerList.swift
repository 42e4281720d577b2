/// The nodes that the command line asks, in turn.
enum ServerList {
    static let defaultText = "http://127.0.0.1:7201"
    private static let maxServers = 64
    private static let defaultPort: UInt16 = 7201

    /// URLs separated by commas.
    static func parse(_ text: String) throws(CommandFailure) -> [Endpoint] {
        var result: [Endpoint] = []
        for part in text.split(separator: ",") {
            let endpoint = try endpoint(part.trimmingSpaces)
            if !result.contains(endpoint) { result.append(endpoint) }
        }
        guard !result.isEmpty else { throw .usage("--server names no server") }
        guard result.count <= maxServers else {
            throw .usage(
                "--server names \(result.count) servers, at most \(maxServers) are allowed")
        }
        return result
    }

    /// `http://host:port`; scheme, port and a final slash may be left out.
    private static func endpoint(_ text: String) throws(CommandFailure) -> Endpoint {
        func wrong(_ reason: String) -> CommandFailure {
            .usage("--server \(text): \(reason); write it like \(defaultText)")
        }
        var rest = Substring(text)
        if let separator = rest.firstRange(of: "://") {
            switch rest[..<separator.lowerBound].lowercased() {
            case "http": rest = rest[separator.upperBound...]
            case "https": throw .usage("--server \(text): https is not supported by this version")
            default: throw wrong("unknown scheme")
            }
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard !rest.contains("/"), !rest.contains("@"), !rest.contains("?") else {
            throw wrong("it names more than a host and a port")
        }
        let endpoint: Endpoint
        let hasPort = rest.last != "]" && rest.contains(":")
        do throws(Endpoint.SyntaxError) {
            endpoint = try Endpoint(hasPort ? String(rest) : "\(rest):\(defaultPort)")
        } catch {
            throw wrong(error.description)
        }
        guard endpoint.port > 0 else { throw wrong("0 is no port") }
        return endpoint
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
