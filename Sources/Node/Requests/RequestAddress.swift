import Foundation

/// Where a request of plain http goes, and what it asks for there: a URL in the parts that go over the wire.
///
/// URLs of the characters of RFC 3986 are taken apart here; only those that have others, which have to be encoded
/// first, cost a `URL`.
struct RequestAddress: Equatable, Sendable {
    /// The host in lower case, and without the brackets of an IPv6 address.
    let endpoint: Endpoint
    /// For the field `Host`: in the case in which it was written, which signatures go by, and without the port that goes without
    /// saying (RFC 9110 7.2).
    let authority: String
    /// Path and query. The fragment stays here.
    let target: String
    /// What stands before the host, for `Authorization`: `user:password`, decoded.
    let credentials: [UInt8]?

    /// nil: not a URL of http with a host.
    init?(_ text: String) {
        if let address = Self.read(text) {
            self = address
        } else {
            // What is not taken once it is encoded is no URL to be requested.
            guard let encoded = URL(string: text)?.absoluteString,
                let address = Self.read(encoded)
            else { return nil }
            self = address
        }
    }

    /// Whether the text begins like a URL of http, in any case of letters.
    static func isHTTP(_ text: String) -> Bool {
        text.utf8.span.hasPrefixIgnoringCase("http://")
    }

    private init(
        endpoint: Endpoint, writtenHost: String, target: String, credentials: [UInt8]?
    ) {
        self.endpoint = endpoint
        self.target = target
        self.credentials = credentials
        authority = endpoint.port == 80 ? writtenHost : "\(writtenHost):\(endpoint.port)"
    }

    // MARK: Reading

    private static func read(_ text: String) -> RequestAddress? {
        let bytes = text.utf8.span
        guard bytes.hasPrefixIgnoringCase("http://") else { return nil }
        let start = 7
        var end = start
        while end < bytes.count, !isAuthorityEnd(bytes[end]) { end += 1 }
        var hostStart = start
        var credentials: [UInt8]?
        if let at = bytes.firstIndex(of: 0x40, in: start..<end) {
            guard let decoded = readCredentials(bytes.extracting(start..<at)) else { return nil }
            credentials = decoded
            hostStart = at + 1
        }
        let server = bytes.extracting(hostStart..<end)
        let hostEnd = hostEnd(of: server)
        guard let endpoint = readEndpoint(server, hostEnd: hostEnd),
            let target = readTarget(bytes.extracting(end..<bytes.count))
        else { return nil }
        return RequestAddress(
            endpoint: endpoint, writtenHost: server.extracting(0..<hostEnd).text(),
            target: target, credentials: credentials)
    }

    /// `/`, `?` or `#`.
    private static func isAuthorityEnd(_ byte: UInt8) -> Bool {
        byte == 0x2F || byte == 0x3F || byte == 0x23
    }

    private static func readCredentials(_ bytes: Span<UInt8>) -> [UInt8]? {
        guard bytes.isURIText(or: ":") else { return nil }
        var decoded = PercentDecoding.decode(bytes.array()[...], plusIsSpace: false)
        // Basic has a password, even if it is empty (RFC 7617 2).
        if bytes.firstIndex(of: 0x3A, in: 0..<bytes.count) == nil { decoded.append(0x3A) }
        return decoded
    }

    /// Where the port begins, if there is one; 0: a bracket is not closed.
    private static func hostEnd(of server: Span<UInt8>) -> Int {
        if server.count > 0, server[0] == 0x5B {
            return server.firstIndex(of: 0x5D, in: 0..<server.count).map { $0 + 1 } ?? 0
        }
        return server.firstIndex(of: 0x3A, in: 0..<server.count) ?? server.count
    }

    private static func readEndpoint(_ bytes: Span<UInt8>, hostEnd: Int) -> Endpoint? {
        guard let host = readHost(bytes.extracting(0..<hostEnd)) else { return nil }
        guard hostEnd < bytes.count else { return Endpoint(host: host, port: 80) }
        guard bytes[hostEnd] == 0x3A else { return nil }
        // An empty port is the usual one (RFC 3986 3.2.3).
        guard hostEnd + 1 < bytes.count else { return Endpoint(host: host, port: 80) }
        let digits = bytes.extracting(hostEnd + 1..<bytes.count)
        guard digits.count <= 5 else { return nil }
        var port = 0
        for index in digits.indices {
            guard digits[index] &- 48 < 10 else { return nil }
            port = port * 10 + Int(digits[index] - 48)
        }
        guard (1...65_535).contains(port) else { return nil }
        return Endpoint(host: host, port: UInt16(port))
    }

    private static func readHost(_ bytes: Span<UInt8>) -> String? {
        guard !bytes.isEmpty else { return nil }
        if bytes[0] == 0x5B {
            let literal = bytes.extracting(1..<bytes.count - 1)
            for index in literal.indices {
                let byte = literal[index]
                guard byte.hexadecimalValue != nil || byte == 0x3A || byte == 0x2E else {
                    return nil
                }
            }
            let host = literal.text()
            guard case .ipv6? = Endpoint(host: host, port: 0).numericAddress else { return nil }
            return host.lowercased()
        }
        var host: [UInt8] = []
        host.reserveCapacity(bytes.count)
        for index in bytes.indices {
            let byte = bytes[index].asciiLowercased
            guard byte.isLetterOrDigit || byte == 0x2D || byte == 0x2E || byte == 0x5F else {
                return nil
            }
            host.append(byte)
        }
        return String(decoding: host, as: UTF8.self)
    }

    private static func readTarget(_ bytes: Span<UInt8>) -> String? {
        let end = bytes.firstIndex(of: 0x23, in: 0..<bytes.count) ?? bytes.count
        let whole = bytes.extracting(0..<end)
        guard whole.isURIText(or: ":@/?") else { return nil }
        let pathEnd = whole.firstIndex(of: 0x3F, in: 0..<end) ?? end
        let path = whole.extracting(0..<pathEnd)
        let query = whole.extracting(pathEnd..<end)
        if path.isEmpty { return "/" + query.text() }
        guard path.hasDotSegment else { return whole.text() }
        return withoutDots(path) + query.text()
    }

    /// RFC 3986 5.2.4: every client does it before it asks.
    private static func withoutDots(_ path: Span<UInt8>) -> String {
        var kept: [Substring] = []
        let segments = path.text().dropFirst().split(
            separator: "/", omittingEmptySubsequences: false)
        for segment in segments {
            if segment == ".." { _ = kept.popLast() }
            if segment != "." && segment != ".." { kept.append(segment) }
        }
        if let last = segments.last, last == "." || last == ".." { kept.append("") }
        return "/" + kept.joined(separator: "/")
    }
}

extension UInt8 {
    fileprivate var isLetterOrDigit: Bool {
        self &- 48 < 10 || asciiLowercased &- 97 < 26
    }
}

extension Span<UInt8> {
    fileprivate func firstIndex(of byte: UInt8, in range: Range<Int>) -> Int? {
        for index in range where self[index] == byte { return index }
        return nil
    }

    fileprivate func hasPrefixIgnoringCase(_ lowercase: StaticString) -> Bool {
        count >= lowercase.utf8CodeUnitCount
            && extracting(0..<lowercase.utf8CodeUnitCount).equalsIgnoringCase(lowercase)
    }

    /// `/.` somewhere: only then there can be a segment of dots.
    fileprivate var hasDotSegment: Bool {
        guard count > 1 else { return false }
        for index in 1..<count where self[index] == 0x2E && self[index - 1] == 0x2F { return true }
        return false
    }

    /// Unreserved characters, those that delimit within a part, escapes (RFC 3986 2), and `others`.
    fileprivate func isURIText(or others: StaticString) -> Bool {
        var index = 0
        while index < count {
            let byte = self[index]
            if byte == 0x25 {
                guard index + 2 < count, self[index + 1].hexadecimalValue != nil,
                    self[index + 2].hexadecimalValue != nil
                else { return false }
                index += 3
                continue
            }
            guard byte.isLetterOrDigit || Self.isMark(byte, others) else { return false }
            index += 1
        }
        return true
    }

    private static func isMark(_ byte: UInt8, _ others: StaticString) -> Bool {
        let marks: StaticString = "-._~!$&'()*+,;="
        for index in 0..<marks.utf8CodeUnitCount where marks.utf8Start[index] == byte {
            return true
        }
        for index in 0..<others.utf8CodeUnitCount where others.utf8Start[index] == byte {
            return true
        }
        return false
    }
}
