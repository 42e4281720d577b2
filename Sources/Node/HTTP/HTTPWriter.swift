/// Appends an answer's bytes to an output buffer (RFC 9112 4, 6 and 7.1).
enum HTTPWriter {
    /// How the end of the body will be told.
    enum Framing: Equatable {
        case length(Int)
        case chunked
        /// The connection's end, for HTTP/1.0.
        case close
        /// There is none: 1xx, 204, 304.
        case none
    }

    static func append(
        status: Int, contentType: String?, headers: [(name: String, value: String)],
        framing: Framing, closes: Bool, keepsAlive10: Bool, date: [UInt8], to buffer: inout [UInt8]
    ) {
        append(status == 200 ? "HTTP/1.1 200 OK\r\ndate: " : "HTTP/1.1 ", to: &buffer)
        if status != 200 {
            append(decimal: status, to: &buffer)
            buffer.append(32)
            append(HTTPResponse.reason(status), to: &buffer)
            append("\r\ndate: ", to: &buffer)
        }
        buffer.append(contentsOf: date)
        if let contentType {
            append("\r\ncontent-type: ", to: &buffer)
            append(value: contentType, to: &buffer)
        }
        for (name, value) in headers {
            append("\r\n", to: &buffer)
            append(name: name, to: &buffer)
            append(": ", to: &buffer)
            append(value: value, to: &buffer)
        }
        switch framing {
        case .length(let length):
            append("\r\ncontent-length: ", to: &buffer)
            append(decimal: length, to: &buffer)
        case .chunked: append("\r\ntransfer-encoding: chunked", to: &buffer)
        case .close, .none: break
        }
        if closes {
            append("\r\nconnection: close", to: &buffer)
        } else if keepsAlive10 {
            append("\r\nconnection: keep-alive", to: &buffer)
        }
        append("\r\n\r\n", to: &buffer)
    }

    /// Not for an empty chunk, which would end the body.
    static func append(chunk: [UInt8], to buffer: inout [UInt8]) {
        buffer.append(contentsOf: String(chunk.count, radix: 16).utf8)
        append("\r\n", to: &buffer)
        buffer.append(contentsOf: chunk)
        append("\r\n", to: &buffer)
    }

    static func append(_ text: StaticString, to buffer: inout [UInt8]) {
        text.withUTF8Buffer { buffer.append(contentsOf: $0) }
    }

    static func append(decimal number: Int, to buffer: inout [UInt8]) {
        precondition(number >= 0)
        if number >= 10 { append(decimal: number / 10, to: &buffer) }
        buffer.append(48 + UInt8(number % 10))
    }

    /// Names come from our own code.
    private static func append(name: String, to buffer: inout [UInt8]) {
        precondition(name.utf8.allSatisfy(\.isHTTPToken), "a field's name is a token")
        buffer.append(contentsOf: name.utf8)
    }

    /// Values may come from users. A line break in one would let its author write the rest of the
    /// answer (RFC 9110 5.5), so control characters become spaces.
    private static func append(value: String, to buffer: inout [UInt8]) {
        let start = buffer.count
        buffer.append(contentsOf: value.utf8)
        for index in start..<buffer.count where buffer[index] < 32 || buffer[index] == 127 {
            buffer[index] = 32
        }
    }
}
