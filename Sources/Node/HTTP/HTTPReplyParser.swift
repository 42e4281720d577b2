/// Reads a status line and fields (RFC 9112 4 and 5), line by line as they arrive, each line once.
///
/// Lenient where servers in use are careless and nothing depends on it (a bare line feed, odd field names), strict in what decides
/// where the reply ends.
struct HTTPReplyParser {
    private var head = HTTPReplyHead()
    private var hasStatusLine = false
    /// A line that begins with a space goes on with the one before, which may not be one that was interpreted.
    private var mayFold = false
    private var lineStart = 0
    private var scanned = 0

    /// Looks at all bytes since the head's first. Returns the head and its length when it is complete;
    /// otherwise keeps its place and wants the same bytes again with more behind them.
    mutating func parse(
        _ bytes: Span<UInt8>, maxHeadBytes: Int
    ) throws(MalformedReply) -> (head: HTTPReplyHead, byteCount: Int)? {
        while let lineFeed = bytes.firstLineFeed(from: scanned) {
            scanned = lineFeed + 1
            guard scanned <= maxHeadBytes else { throw Self.tooLarge }
            let hasReturn = lineFeed > lineStart && bytes[lineFeed - 1] == 13
            let line = bytes.extracting(lineStart..<(hasReturn ? lineFeed - 1 : lineFeed))
            lineStart = scanned
            if !hasStatusLine {
                try parseStatusLine(line)
                hasStatusLine = true
            } else if line.isEmpty {
                defer { self = HTTPReplyParser() }
                return (head, scanned)
            } else {
                try parseField(line)
            }
        }
        scanned = bytes.count
        if !hasStatusLine { try checkBeginning(bytes) }
        guard scanned <= maxHeadBytes else { throw Self.tooLarge }
        return nil
    }

    private static let tooLarge = MalformedReply(reason: "an endless head")

    /// What speaks another protocol may never send a line feed, and is refused by its first bytes.
    private func checkBeginning(_ bytes: Span<UInt8>) throws(MalformedReply) {
        let known: StaticString = "HTTP/1."
        let count = min(bytes.count, known.utf8CodeUnitCount)
        for index in 0..<count where bytes[index] != known.utf8Start[index] {
            throw MalformedReply(reason: "it does not begin as a reply")
        }
    }

    /// `HTTP/1.1 201 Created`; the reason may be missing, with or without the space before it.
    private mutating func parseStatusLine(_ line: Span<UInt8>) throws(MalformedReply) {
        guard line.count >= 12, line.extracting(0..<7).equals("HTTP/1."), line[7] &- 48 < 10,
            line[8] == 32, line.count == 12 || line[12] == 32,
            let status = Self.number(line.extracting(9..<12)), status >= 100
        else { throw MalformedReply(reason: "it does not begin as a reply") }
        head.status = status
        head.isVersion10 = line[7] == 48
    }

    private mutating func parseField(_ line: Span<UInt8>) throws(MalformedReply) {
        if line[0] == 32 || line[0] == 9 {
            guard mayFold else { throw MalformedReply(reason: "a folded line") }
            return
        }
        var colon = 0
        while colon < line.count && line[colon] != 0x3A { colon += 1 }
        guard colon > 0, colon < line.count, line[colon - 1] != 32, line[colon - 1] != 9 else {
            throw MalformedReply(reason: "a header field without a name")
        }
        var start = colon + 1
        var end = line.count
        while start < end && (line[start] == 32 || line[start] == 9) { start += 1 }
        while end > start && (line[end - 1] == 32 || line[end - 1] == 9) { end -= 1 }
        mayFold = true
        try interpret(line.extracting(0..<colon), value: line.extracting(start..<end))
    }

    /// Told apart by length first.
    private mutating func interpret(
        _ name: Span<UInt8>, value: Span<UInt8>
    ) throws(MalformedReply) {
        switch name.count {
        case 8 where name.equalsIgnoringCase("location"):
            head.location = head.location ?? value.text()
        case 10 where name.equalsIgnoringCase("connection"):
            interpretConnection(value)
        case 11 where name.equalsIgnoringCase("retry-after"):
            head.retryAfter = head.retryAfter ?? value.text()
        case 14 where name.equalsIgnoringCase("content-length"):
            guard let length = Self.number(value), head.contentLength ?? length == length else {
                throw MalformedReply(reason: "its length is none")
            }
            head.contentLength = length
        case 16 where name.equalsIgnoringCase("content-encoding"):
            if value.isEmpty || value.equalsIgnoringCase("identity") { break }
            head.contentEncoding = head.contentEncoding ?? value.text()
        case 17 where name.equalsIgnoringCase("transfer-encoding"):
            // "identity" was a coding once, and says nothing (RFC 2616 3.6).
            if value.equalsIgnoringCase("identity") { break }
            guard value.equalsIgnoringCase("chunked"), !head.isChunked else {
                throw MalformedReply(reason: "its transfer coding is not understood")
            }
            head.isChunked = true
        default:
            return
        }
        mayFold = false
    }

    private mutating func interpretConnection(_ value: Span<UInt8>) {
        value.forEachListed { token in
            if token.equalsIgnoringCase("close") { head.asksToClose = true }
            if token.equalsIgnoringCase("keep-alive") { head.asksToKeepAlive = true }
        }
    }

    /// Decimal digits and nothing else; of at most 18, which always fit.
    private static func number(_ digits: Span<UInt8>) -> Int? {
        guard !digits.isEmpty, digits.count <= 18 else { return nil }
        var number = 0
        for index in digits.indices {
            let digit = digits[index] &- 48
            guard digit < 10 else { return nil }
            number = number * 10 + Int(digit)
        }
        return number
    }
}
