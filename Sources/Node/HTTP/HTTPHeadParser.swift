/// Reads a request line and fields (RFC 9112 2 to 7), line by line as they arrive, each line once.
///
/// Strict where leniency lets two readers of the same bytes see different requests (RFC 9112 11.2): lines end with
/// CRLF and nothing else, no folded lines, no space before a colon, one Host, one Content-Length, and
/// never both Content-Length and Transfer-Encoding.
struct HTTPHeadParser {
    private static let carriageReturn: UInt8 = 13

    private var head = HTTPHead()
    private var hasRequestLine = false
    private var hasEscapes = false
    private var lineStart = 0
    private var scanned = 0

    /// True once the first byte of a request was seen.
    var hasBegun: Bool { scanned > 0 }

    /// Looks at all bytes since the head's first. Returns the head and its length when it is complete;
    /// otherwise keeps its place and wants the same bytes again with more behind them.
    mutating func parse(
        _ bytes: Span<UInt8>, limits: HTTPLimits
    ) throws(HTTPFailure) -> (head: HTTPHead, byteCount: Int)? {
        while let lineFeed = bytes.firstLineFeed(from: scanned) {
            scanned = lineFeed + 1
            guard lineFeed > lineStart, bytes[lineFeed - 1] == HTTPHeadParser.carriageReturn else {
                throw HTTPFailure(400, "A line does not end with CRLF.")
            }
            guard scanned <= limits.maxHeadBytes else { throw HTTPHeadParser.tooLarge }
            let end = lineFeed - 1
            if end == lineStart {
                if hasRequestLine {
                    try check(bytes)
                    defer { self = HTTPHeadParser() }
                    return (head, lineFeed + 1)
                }
                // RFC 9112 2.2: an empty line before the request line is ignored.
                guard scanned <= 4 else { throw HTTPFailure(400, "Empty lines, but no request.") }
            } else if !hasRequestLine {
                guard end - lineStart <= limits.maxRequestLineBytes else {
                    throw HTTPHeadParser.lineTooLong
                }
                try parseRequestLine(bytes, lineStart..<end)
                hasRequestLine = true
            } else {
                guard head.fields.count < limits.maxFieldCount else {
                    throw HTTPFailure(431, "More than \(limits.maxFieldCount) header fields.")
                }
                try parseField(bytes, lineStart..<end)
            }
            lineStart = scanned
        }
        scanned = bytes.count
        if !hasRequestLine {
            try checkBeginning(bytes)
            guard bytes.count - lineStart <= limits.maxRequestLineBytes else {
                throw HTTPHeadParser.lineTooLong
            }
        }
        guard bytes.count <= limits.maxHeadBytes else { throw HTTPHeadParser.tooLarge }
        return nil
    }

    private static let lineTooLong = HTTPFailure(414, "The request line is too long.")
    private static let tooLarge = HTTPFailure(431, "The header fields are too large.")

    /// Another protocol, such as a TLS client hello, is refused by its first byte: it may never send a
    /// line feed.
    private func checkBeginning(_ bytes: Span<UInt8>) throws(HTTPFailure) {
        guard lineStart < bytes.count else { return }
        let byte = bytes[lineStart]
        guard byte.isHTTPToken || byte == HTTPHeadParser.carriageReturn else {
            throw HTTPFailure(400, "This is not HTTP.")
        }
    }

    // MARK: Request line

    private mutating func parseRequestLine(
        _ bytes: Span<UInt8>, _ line: Range<Int>
    ) throws(HTTPFailure) {
        var index = line.lowerBound
        while index < line.upperBound && bytes[index].isHTTPToken { index += 1 }
        guard index > line.lowerBound, index < line.upperBound, bytes[index] == 32 else {
            throw HTTPFailure(400, "The request line has no method.")
        }
        head.method = HTTPMethod(bytes.extracting(line.lowerBound..<index))
        let targetStart = index + 1
        // " HTTP/1.1" is nine bytes.
        let targetEnd = line.upperBound - 9
        guard targetEnd > targetStart, bytes[targetEnd] == 32 else {
            throw HTTPFailure(400, "The request line has no target and version.")
        }
        try parseVersion(bytes.extracting(targetEnd + 1..<line.upperBound))
        try parseTarget(bytes, targetStart..<targetEnd)
    }

    private mutating func parseVersion(_ version: Span<UInt8>) throws(HTTPFailure) {
        if version.equals("HTTP/1.1") { return }
        guard version.extracting(0..<5).equals("HTTP/"), version[5] &- 48 < 10, version[6] == 46,
            version[7] &- 48 < 10
        else { throw HTTPFailure(400, "The request line has no HTTP version.") }
        guard version[5] == 49 else {
            throw HTTPFailure(505, "This server speaks HTTP/1.1 and HTTP/1.0.")
        }
        head.isVersion10 = version[7] == 48
    }

    private mutating func parseTarget(
        _ bytes: Span<UInt8>, _ target: Range<Int>
    ) throws(HTTPFailure) {
        var question = target.upperBound
        var index = target.lowerBound
        while index < target.upperBound {
            let byte = bytes[index]
            guard byte > 32, byte < 127, byte != 0x23 else {
                throw HTTPFailure(400, "The request target has a character that is not allowed.")
            }
            if byte == 0x3F && question == target.upperBound { question = index }
            if byte == 0x25 {
                hasEscapes = true
                guard index + 2 < target.upperBound, bytes[index + 1].hexadecimalValue != nil,
                    bytes[index + 2].hexadecimalValue != nil
                else { throw HTTPFailure(400, "The request target has a broken percent-escape.") }
            }
            index += 1
        }
        let start = try pathStart(bytes, target.lowerBound..<question)
        head.path = start..<question
        head.query = min(question + 1, target.upperBound)..<target.upperBound
    }

    /// RFC 9112 3.2: `/path`, `http://host/path`, or `*` with OPTIONS.
    private func pathStart(_ bytes: Span<UInt8>, _ target: Range<Int>) throws(HTTPFailure) -> Int {
        let malformed = HTTPFailure(400, "The request target is neither a path nor an http URL.")
        guard let first = target.first else { throw malformed }
        if bytes[first] == 0x2F { return first }
        if bytes[first] == 0x2A && target.count == 1 && head.method == .options { return first }
        var index = first
        while index < target.upperBound && bytes[index] != 0x3A { index += 1 }
        let scheme = bytes.extracting(first..<index)
        guard scheme.equalsIgnoringCase("http") || scheme.equalsIgnoringCase("https"),
            index + 3 < target.upperBound, bytes[index + 1] == 0x2F, bytes[index + 2] == 0x2F
        else { throw malformed }
        index += 3
        let authority = index
        while index < target.upperBound && bytes[index] != 0x2F { index += 1 }
        guard index > authority else { throw malformed }
        return index
    }

    // MARK: Fields

    private mutating func parseField(
        _ bytes: Span<UInt8>, _ line: Range<Int>
    ) throws(HTTPFailure) {
        var colon = line.lowerBound
        while colon < line.upperBound && bytes[colon].isHTTPToken { colon += 1 }
        // Also refuses a folded line, which begins with a space, and a space before the colon.
        guard colon > line.lowerBound, colon < line.upperBound, bytes[colon] == 0x3A else {
            throw HTTPFailure(400, "A header field's name is malformed.")
        }
        var start = colon + 1
        var end = line.upperBound
        while start < end && (bytes[start] == 32 || bytes[start] == 9) { start += 1 }
        while end > start && (bytes[end - 1] == 32 || bytes[end - 1] == 9) { end -= 1 }
        for index in start..<end {
            let byte = bytes[index]
            guard byte >= 32 && byte != 127 || byte == 9 else {
                throw HTTPFailure(400, "A header field's value has a control character.")
            }
        }
        // Most requests have a handful: one allocation instead of one at each doubling.
        if head.fields.isEmpty { head.fields.reserveCapacity(8) }
        head.fields.append(
            HTTPHead.Field(
                nameStart: Int32(line.lowerBound), nameEnd: Int32(colon),
                valueStart: Int32(start), valueEnd: Int32(end)))
        try interpret(
            bytes.extracting(line.lowerBound..<colon), value: bytes.extracting(start..<end))
    }

    /// Notes what governs the connection and the body. Told apart by length first.
    private mutating func interpret(
        _ name: Span<UInt8>, value: Span<UInt8>
    ) throws(HTTPFailure) {
        switch name.count {
        case 4 where name.equalsIgnoringCase("host"):
            head.hostCount += 1
        case 6 where name.equalsIgnoringCase("expect"):
            guard value.equalsIgnoringCase("100-continue") else {
                throw HTTPFailure(417, "The only expectation that can be met is 100-continue.")
            }
            head.expectsContinue = true
        case 10 where name.equalsIgnoringCase("connection"):
            interpretConnection(value)
        case 14 where name.equalsIgnoringCase("content-length"):
            guard head.contentLength == nil else {
                throw HTTPFailure(400, "More than one Content-Length.")
            }
            head.contentLength = try contentLength(value)
        case 17 where name.equalsIgnoringCase("transfer-encoding"):
            guard !head.isChunked else {
                throw HTTPFailure(400, "More than one Transfer-Encoding.")
            }
            guard value.equalsIgnoringCase("chunked") else {
                throw HTTPFailure(501, "The only transfer coding understood is chunked.")
            }
            head.isChunked = true
        default:
            break
        }
    }

    private func contentLength(_ value: Span<UInt8>) throws(HTTPFailure) -> Int {
        guard !value.isEmpty else { throw HTTPFailure(400, "Content-Length is empty.") }
        var length = 0
        for index in 0..<value.count {
            let digit = value[index] &- 48
            guard digit < 10 else { throw HTTPFailure(400, "Content-Length is not a number.") }
            let (tens, overflowsTens) = length.multipliedReportingOverflow(by: 10)
            let (sum, overflows) = tens.addingReportingOverflow(Int(digit))
            guard !overflowsTens && !overflows else {
                throw HTTPFailure(413, "Content-Length is beyond any limit.")
            }
            length = sum
        }
        return length
    }

    private mutating func interpretConnection(_ value: Span<UInt8>) {
        value.forEachListed { token in
            if token.equalsIgnoringCase("close") { head.asksToClose = true }
            if token.equalsIgnoringCase("keep-alive") { head.asksToKeepAlive = true }
            if token.equalsIgnoringCase("upgrade") { head.asksToUpgrade = true }
        }
    }

    /// What can only be judged when all fields are known.
    private func check(_ bytes: Span<UInt8>) throws(HTTPFailure) {
        guard head.hostCount == 1 || (head.isVersion10 && head.hostCount == 0) else {
            throw HTTPFailure(400, "A request has exactly one Host.")
        }
        if head.isChunked {
            // RFC 9112 6.1: two lengths are how requests are smuggled past a proxy.
            guard head.contentLength == nil else {
                throw HTTPFailure(400, "Both Content-Length and Transfer-Encoding.")
            }
            guard !head.isVersion10 else {
                throw HTTPFailure(400, "HTTP/1.0 has no Transfer-Encoding.")
            }
        }
        if hasEscapes {
            let target = bytes.extracting(head.path.lowerBound..<head.query.upperBound).array()
            let decoded = PercentDecoding.decode(target[...], plusIsSpace: false)
            // Repaired text would let two different targets name the same thing.
            guard String(validating: decoded, as: UTF8.self) != nil else {
                throw HTTPFailure(400, "The request target does not decode to UTF-8.")
            }
        }
    }
}
