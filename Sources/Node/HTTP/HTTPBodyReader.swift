/// Takes a body out of the stream: so many bytes, or chunks (RFC 9112 6 and 7.1).
///
/// Every byte is used up as it comes, so nothing waits outside the body itself. A chunk's line and end
/// are taken by the letter of the grammar; extensions and trailers are read and dropped.
struct HTTPBodyReader {
    private enum State: Equatable {
        case fixed(remaining: Int)
        case sizeStart
        case size
        case fieldExtension
        case sizeLineFeed
        case data(remaining: Int)
        case dataCarriageReturn
        case dataLineFeed
        case trailerStart
        case trailer
        case trailerLineFeed
        case lastLineFeed
        case done
    }

    private var state: State
    private var chunkBytes = 0
    private var overheadBytes = 0
    private let maxBodyBytes: Int
    private let maxOverheadBytes: Int
    private var allowsPadding = false

    /// A body of a known length.
    init(length: Int, limits: HTTPLimits) {
        state = length == 0 ? .done : .fixed(remaining: length)
        maxBodyBytes = limits.maxBodyBytes
        maxOverheadBytes = limits.maxChunkOverheadBytes
    }

    /// - Parameter allowsPadding: Spaces may follow a chunk's size: there are servers that write it into a place of fixed width.
    static func chunked(limits: HTTPLimits, allowsPadding: Bool = false) -> HTTPBodyReader {
        var reader = HTTPBodyReader(length: 0, limits: limits)
        reader.state = .sizeStart
        reader.allowsPadding = allowsPadding
        return reader
    }

    var isDone: Bool { state == .done }

    /// Appends what belongs to the body, and returns how many bytes it used: all of them, unless the
    /// body is done before their end.
    mutating func consume(
        _ bytes: Span<UInt8>, into body: inout [UInt8]
    ) throws(HTTPFailure) -> Int {
        var index = 0
        while index < bytes.count && state != .done {
            switch state {
            case .fixed(let remaining):
                let count = min(remaining, bytes.count - index)
                bytes.extracting(index..<index + count).append(to: &body)
                index += count
                state = count == remaining ? .done : .fixed(remaining: remaining - count)
            case .data(let remaining):
                let count = min(remaining, bytes.count - index)
                bytes.extracting(index..<index + count).append(to: &body)
                index += count
                state =
                    count == remaining ? .dataCarriageReturn : .data(remaining: remaining - count)
            default:
                try consumeFraming(bytes[index], bodyBytes: body.count)
                index += 1
            }
        }
        return index
    }

    private mutating func consumeFraming(
        _ byte: UInt8, bodyBytes: Int
    ) throws(HTTPFailure) {
        overheadBytes += 1
        guard overheadBytes <= maxOverheadBytes else {
            throw HTTPFailure(400, "Too many bytes of chunk framing.")
        }
        switch state {
        case .sizeStart, .size:
            try consumeSize(byte, bodyBytes: bodyBytes)
        case .fieldExtension:
            try endLine(byte, then: .sizeLineFeed, otherwise: .fieldExtension)
        case .sizeLineFeed:
            try expect(byte, 10)
            state = chunkBytes == 0 ? .trailerStart : .data(remaining: chunkBytes)
            chunkBytes = 0
        case .dataCarriageReturn:
            try expect(byte, 13)
            state = .dataLineFeed
        case .dataLineFeed:
            try expect(byte, 10)
            state = .sizeStart
        case .trailerStart:
            try endLine(byte, then: .lastLineFeed, otherwise: .trailer)
        case .trailer:
            try endLine(byte, then: .trailerLineFeed, otherwise: .trailer)
        case .trailerLineFeed:
            try expect(byte, 10)
            state = .trailerStart
        case .lastLineFeed:
            try expect(byte, 10)
            state = .done
        case .fixed, .data, .done:
            preconditionFailure("not framing")
        }
    }

    private mutating func consumeSize(_ byte: UInt8, bodyBytes: Int) throws(HTTPFailure) {
        if let digit = byte.hexadecimalValue {
            // Checked at every digit: a number too large for the limit is refused before it overflows.
            chunkBytes = chunkBytes << 4 | Int(digit)
            guard chunkBytes <= maxBodyBytes - bodyBytes else {
                throw HTTPFailure(413, "The body is larger than \(maxBodyBytes) bytes.")
            }
            state = .size
        } else if state == .size && byte == 13 {
            state = .sizeLineFeed
        } else if state == .size && (byte == 0x3B || allowsPadding && byte == 32) {
            state = .fieldExtension
        } else {
            throw HTTPFailure(400, "A chunk size is malformed.")
        }
    }

    private mutating func endLine(
        _ byte: UInt8, then next: State, otherwise: State
    ) throws(HTTPFailure) {
        if byte == 13 {
            state = next
        } else {
            guard byte >= 32 && byte != 127 || byte == 9 else {
                throw HTTPFailure(400, "A control character in chunk framing.")
            }
            state = otherwise
        }
    }

    private func expect(_ byte: UInt8, _ wanted: UInt8) throws(HTTPFailure) {
        guard byte == wanted else { throw HTTPFailure(400, "A chunk does not end with CRLF.") }
    }
}
