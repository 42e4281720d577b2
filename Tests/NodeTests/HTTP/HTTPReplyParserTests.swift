import Testing

@testable import Node

@Suite struct HTTPReplyParserTests {
    private func parse(
        _ text: String, maxHeadBytes: Int = 1_000
    ) throws(MalformedReply) -> (head: HTTPReplyHead, byteCount: Int)? {
        var parser = HTTPReplyParser()
        return try parser.parse(Array(text.utf8).span, maxHeadBytes: maxHeadBytes)
    }

    private static let sample =
        "HTTP/1.1 301 Moved\r\nLOCATION: \t/x y \r\nX: 1\r\n  2\r\nRetry-After: 3\r\n"
        + "Content-Length: 4\r\ncontent-length: 4\r\nConnection: a, Keep-Alive\r\n\r\n"

    @Test func `the fields that matter are found`() throws {
        let (head, count) = try #require(try parse(Self.sample + "body"))
        #expect(count == Self.sample.utf8.count)
        #expect(head.status == 301)
        #expect(head.location == "/x y")
        #expect(head.retryAfter == "3")
        #expect(head.contentLength == 4)
        #expect(head.asksToKeepAlive && !head.asksToClose && !head.isChunked)
    }

    @Test func `a head that comes byte by byte is the same`() throws {
        let bytes = Array(Self.sample.utf8)
        var parser = HTTPReplyParser()
        for count in 0..<bytes.count {
            let found = try parser.parse(bytes.span.extracting(0..<count), maxHeadBytes: 1_000)
            #expect(found == nil)
        }
        let found = try parser.parse(bytes.span, maxHeadBytes: 1_000)
        let whole = try parse(Self.sample)
        #expect(found?.head == whole?.head)
        #expect(found?.byteCount == bytes.count)
        // And the next head can follow.
        let next = try parser.parse(bytes.span, maxHeadBytes: 1_000)
        #expect(next?.head == whole?.head)
    }

    @Test func `a head has a bound, whether it ends or not`() {
        let bound = Self.sample.utf8.count
        #expect(throws: Never.self) { try parse(Self.sample, maxHeadBytes: bound) }
        #expect(throws: MalformedReply.self) { try parse(Self.sample, maxHeadBytes: bound - 1) }
        let endless = "HTTP/1.1 200 " + String(repeating: "x", count: 1_000)
        #expect(throws: MalformedReply.self) { try parse(endless) }
    }

    @Test(
        arguments: [
            ("HTTP/1.1 200 OK\r\n\r\n", false, .untilClose),
            ("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", false, .length(7)),
            ("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", true, .none),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n", false, .chunked),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n", false, .untilClose),
            ("HTTP/1.1 204 OK\r\nContent-Length: 7\r\n\r\n", false, .none),
            ("HTTP/1.1 304 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, .none),
        ] as [(String, Bool, HTTPReplyHead.Framing)])
    func `how the body's end is told`(
        text: String, isHead: Bool, framing: HTTPReplyHead.Framing
    ) throws {
        #expect(try parse(text)?.head.framing(isHead: isHead) == framing)
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\n\r\n", false), ("HTTP/1.0 200 OK\r\n\r\n", true),
        ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", false),
        ("HTTP/1.1 200 OK\r\nConnection: x,close\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", true),
        ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n", true),
    ])
    func `whether the connection goes on`(text: String, closes: Bool) throws {
        #expect(try parse(text)?.head.closesAfterwards == closes)
    }
}
