import Raft

/// A complete request. Its head is kept as bytes; text is made of what is asked for.
struct HTTPRequest: Sendable {
    let head: HTTPHead
    let remote: SocketAddress
    /// The loop's time when the head was complete.
    let receivedAt: Nanoseconds
    /// True if `HTTPResponder.upgrade` may answer this request.
    let canUpgrade: Bool
    var body: [UInt8] = []
    private let bytes: [UInt8]

    /// `bytes` are those of the head, as parsed.
    init(
        head: HTTPHead, bytes: [UInt8], remote: SocketAddress, receivedAt: Nanoseconds,
        canUpgrade: Bool
    ) {
        self.head = head
        self.bytes = bytes
        self.remote = remote
        self.receivedAt = receivedAt
        self.canUpgrade = canUpgrade
    }

    var method: HTTPMethod { head.method }

    /// The path as sent, with its escapes: an escaped slash must not separate segments.
    var path: String {
        head.path.isEmpty ? "/" : String(decoding: bytes[head.path], as: UTF8.self)
    }

    /// The path's parts between slashes, decoded. "/v1/tasks" has two, "/" has none, "/v1/" has "v1" and "".
    var segments: [String] {
        var segments: [String] = []
        var start = head.path.lowerBound + 1
        guard start < head.path.upperBound else { return [] }
        for index in start..<head.path.upperBound where bytes[index] == 0x2F {
            segments.append(PercentDecoding.text(bytes[start..<index]))
            start = index + 1
        }
        segments.append(PercentDecoding.text(bytes[start..<head.path.upperBound]))
        return segments
    }

    /// Parameters in order, decoded. One without "=" has an empty value.
    var query: [(name: String, value: String)] {
        guard !head.query.isEmpty else { return [] }
        var parameters: [(name: String, value: String)] = []
        for part in bytes[head.query].split(separator: 0x26) {
            let equals = part.firstIndex(of: 0x3D) ?? part.endIndex
            let value = part[min(equals + 1, part.endIndex)...]
            parameters.append(
                (
                    PercentDecoding.text(part[..<equals], plusIsSpace: true),
                    PercentDecoding.text(value, plusIsSpace: true)
                ))
        }
        return parameters
    }

    /// The value of a field, whatever the case of its name; of a repeated one, all values joined by
    /// commas (RFC 9110 5.3).
    func header(_ name: String) -> String? {
        var name = name
        return name.withUTF8 { wanted in
            var found: String?
            for field in head.fields where matches(field, wanted) {
                let value = text(field.valueStart, field.valueEnd)
                found = found.map { "\($0), \(value)" } ?? value
            }
            return found
        }
    }

    /// All fields in order.
    var headers: [(name: String, value: String)] {
        head.fields.map { (text($0.nameStart, $0.nameEnd), text($0.valueStart, $0.valueEnd)) }
    }

    private func matches(_ field: HTTPHead.Field, _ wanted: UnsafeBufferPointer<UInt8>) -> Bool {
        let start = Int(field.nameStart)
        guard Int(field.nameEnd) - start == wanted.count else { return false }
        for index in 0..<wanted.count
        where bytes[start + index].asciiLowercased != wanted[index].asciiLowercased {
            return false
        }
        return true
    }

    private func text(_ start: Int32, _ end: Int32) -> String {
        String(decoding: bytes[Int(start)..<Int(end)], as: UTF8.self)
    }
}
