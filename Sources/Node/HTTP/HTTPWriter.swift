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
        buffer.append(literal: status == 200 ? "HTTP/1.1 200 OK\r\ndate: " : "HTTP/1.1 ")
        if status != 200 {
            buffer.append(decimal: status)
            buffer.append(32)
            buffer.append(literal: HTTPResponse.reason(status))
            buffer.append(literal: "\r\ndate: ")
        }
        buffer.append(contentsOf: date)
        if let contentType {
            buffer.append(literal: "\r\ncontent-type: ")
            append(value: contentType, to: &buffer)
        }
        for (name, value) in headers {
            buffer.append(literal: "\r\n")
            append(name: name, to: &buffer)
            buffer.append(literal: ": ")
            append(value: value, to: &buffer)
        }
        switch framing {
        case .length(let length):
            buffer.append(literal: "\r\ncontent-length: ")
            buffer.append(decimal: length)
        case .chunked: buffer.append(literal: "\r\ntransfer-encoding: chunked")
        case .close, .none: break
        }
        if closes {
            buffer.append(literal: "\r\nconnection: close")
        } else if keepsAlive10 {
            buffer.append(literal: "\r\nconnection: keep-alive")
        }
        buffer.append(literal: "\r\n\r\n")
    }

    /// Not for an empty chunk, which would end the body.
    static func append(chunk: [UInt8], to buffer: inout [UInt8]) {
        buffer.append(contentsOf: String(chunk.count, radix: 16).utf8)
        buffer.append(literal: "\r\n")
        buffer.append(contentsOf: chunk)
        buffer.append(literal: "\r\n")
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
