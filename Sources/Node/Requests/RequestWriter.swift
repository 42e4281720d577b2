/// Writes requests of HTTP/1.1 (RFC 9112 3 and 5).
enum RequestWriter {
    /// Fields that say where the request ends: the client's own say, or two readers see different requests.
    private static let framing: [StaticString] = ["content-length", "transfer-encoding"]

    /// Why the request can't be written: what would end a line would let whoever filled in the value write the rest of the
    /// request. nil: it can.
    static func problem(with request: OutgoingRequest) -> String? {
        guard !request.method.isEmpty, request.method.utf8.allSatisfy(\.isHTTPToken) else {
            return "its method is none"
        }
        for (name, value) in request.headers {
            guard !name.isEmpty, name.utf8.allSatisfy(\.isHTTPToken) else {
                return "a header has a name that is none"
            }
            guard value.utf8.allSatisfy({ $0 >= 32 && $0 != 127 || $0 == 9 }) else {
                return "the header \(name) has a control character"
            }
        }
        return nil
    }

    /// The request must have been checked.
    static func append(
        _ request: OutgoingRequest, to address: RequestAddress, into buffer: inout [UInt8]
    ) {
        buffer.append(contentsOf: request.method.utf8)
        buffer.append(32)
        buffer.append(contentsOf: address.target.utf8)
        buffer.append(literal: " HTTP/1.1\r\n")
        let given = request.headers
        if !has("host", given) { append("Host: ", address.authority, to: &buffer) }
        for (position, header) in given.enumerated() {
            // Of fields with the same name the last one counts.
            let isRepeated = given[(position + 1)...].contains { isSame($0.name, header.name) }
            guard !isRepeated, !framing.contains(where: { isSame(header.name, $0) }) else {
                continue
            }
            buffer.append(contentsOf: header.name.utf8)
            append(": ", header.value, to: &buffer)
        }
        if let credentials = address.credentials, !has("authorization", given) {
            append("Authorization: Basic ", Base64.encode(credentials), to: &buffer)
        }
        if !has("accept", given) { buffer.append(literal: "Accept: */*\r\n") }
        // What comes is taken for text.
        if !has("accept-encoding", given) {
            buffer.append(literal: "Accept-Encoding: identity\r\n")
        }
        if !has("user-agent", given) {
            append("User-Agent: carillon/", ProductVersion.text, to: &buffer)
        }
        // Who takes a body wants to hear that there is none.
        if request.body != nil || !["GET", "HEAD", "OPTIONS"].contains(request.method) {
            buffer.append(literal: "Content-Length: ")
            buffer.append(decimal: request.body?.count ?? 0)
            buffer.append(literal: "\r\n")
        }
        buffer.append(literal: "\r\n")
    }

    private static func append(_ name: StaticString, _ value: String, to buffer: inout [UInt8]) {
        buffer.append(literal: name)
        buffer.append(contentsOf: value.utf8)
        buffer.append(literal: "\r\n")
    }

    private static func has(
        _ name: StaticString, _ headers: [(name: String, value: String)]
    ) -> Bool {
        headers.contains { isSame($0.name, name) }
    }

    private static func isSame(_ name: String, _ lowercase: StaticString) -> Bool {
        name.utf8.count == lowercase.utf8CodeUnitCount
            && name.utf8.span.equalsIgnoringCase(lowercase)
    }

    private static func isSame(_ one: String, _ other: String) -> Bool {
        one.utf8.count == other.utf8.count
            && zip(one.utf8, other.utf8).allSatisfy { $0.asciiLowercased == $1.asciiLowercased }
    }
}
