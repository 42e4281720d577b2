/// What a load generator has to know of a reply: its status, where it ends, and whether the connection goes on.
struct ReplyHead: Equatable {
    var status: Int
    /// Where the body begins.
    var headBytes: Int
    var bodyBytes: Int
    /// No further reply follows on this connection.
    var closes: Bool

    var totalBytes: Int { headBytes + bodyBytes }

    enum Finding: Equatable {
        case reply(ReplyHead)
        /// The head is not all there.
        case incomplete
        /// Not a reply with a length, and why.
        case malformed(String)
    }

    static let maxHeadBytes = 64 << 10
    static let maxBodyBytes = 64 << 20

    /// Reads the head that the bytes begin with.
    static func read(_ bytes: Span<UInt8>) -> Finding {
        guard let lineEnd = bytes.firstLineFeed(from: 0) else {
            return bytes.count > maxHeadBytes ? .malformed("an endless line") : .incomplete
        }
        guard let status = status(bytes.extracting(0..<lineEnd)) else {
            return .malformed("it does not begin as one")
        }
        var length: Int?
        var closes = false
        var start = lineEnd + 1
        while let end = bytes.firstLineFeed(from: start) {
            let hasReturn = end > start && bytes[end - 1] == 0x0D
            let line = bytes.extracting(start..<(hasReturn ? end - 1 : end))
            start = end + 1
            guard !line.isEmpty else {
                // Those have none (RFC 9110, 6.4.1).
                if status < 200 || status == 204 || status == 304 { length = length ?? 0 }
                guard let length else { return .malformed("it has no content-length") }
                return .reply(
                    ReplyHead(
                        status: status, headBytes: start, bodyBytes: length, closes: closes))
            }
            if let value = value(of: "content-length:", line) {
                guard let number = number(line.extracting(value)) else {
                    return .malformed("its length is none")
                }
                length = number
            } else if let value = value(of: "connection:", line) {
                closes = line.extracting(value).equalsIgnoringCase("close")
            }
        }
        return bytes.count > maxHeadBytes ? .malformed("an endless head") : .incomplete
    }

    /// `HTTP/1.1 201 Created`.
    private static func status(_ line: Span<UInt8>) -> Int? {
        guard line.count >= 12, line.extracting(0..<7).equals("HTTP/1."),
            line[8] == UInt8(ascii: " ")
        else { return nil }
        return number(line.extracting(9..<12))
    }

    /// Where what stands behind the name is, if the line begins with it.
    private static func value(of name: StaticString, _ line: Span<UInt8>) -> Range<Int>? {
        let count = name.utf8CodeUnitCount
        guard line.count >= count, line.extracting(0..<count).equalsIgnoringCase(name) else {
            return nil
        }
        var start = count
        while start < line.count, line[start] == 0x20 || line[start] == 0x09 { start += 1 }
        var end = line.count
        while end > start, line[end - 1] == 0x20 || line[end - 1] == 0x09 { end -= 1 }
        return start..<end
    }

    private static func number(_ digits: Span<UInt8>) -> Int? {
        guard !digits.isEmpty, digits.count <= 9 else { return nil }
        var number = 0
        for index in digits.indices {
            let digit = Int(digits[index]) - 48
            guard (0...9).contains(digit) else { return nil }
            number = number * 10 + digit
        }
        return number <= maxBodyBytes ? number : nil
    }
}
