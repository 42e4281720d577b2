import Testing

@testable import Node

@Suite struct HTTPHeadParserTests {
    private func parse(
        _ text: String, limits: HTTPLimits = HTTPLimits()
    ) throws(HTTPFailure) -> HTTPRequest? {
        var parser = HTTPHeadParser()
        let bytes = Array(text.utf8)
        guard let (head, count) = try parser.parse(bytes.span, limits: limits) else { return nil }
        return HTTPRequest(
            head: head, bytes: Array(bytes[..<count]), remote: .ipv4(0, port: 0), receivedAt: 0,
            canUpgrade: false)
    }

    private func status(_ text: String, limits: HTTPLimits = HTTPLimits()) -> Int? {
        do throws(HTTPFailure) {
            _ = try parse(text, limits: limits)
            return nil
        } catch {
            return error.status
        }
    }

    @Test func readsARequest() throws {
        let text =
            "POST /v1/tasks/a%20b%2Fc?limit=5&q=x%26y+z&flag&=e HTTP/1.1\r\nHost: n1:7201\r\n"
            + "Content-Length: 12\r\nX-Two:  one \t\r\nx-two: two\r\nEmpty:\r\n\r\n"
        let request = try #require(try parse(text))
        #expect(request.method == .post)
        #expect(request.path == "/v1/tasks/a%20b%2Fc")
        #expect(request.segments == ["v1", "tasks", "a b/c"])
        #expect(request.query.map(\.name) == ["limit", "q", "flag", ""])
        #expect(request.query.map(\.value) == ["5", "x&y z", "", "e"])
        #expect(request.header("HOST") == "n1:7201")
        #expect(request.header("x-Two") == "one, two")
        #expect(request.header("empty") == "")
        #expect(request.header("x-three") == nil)
        #expect(
            request.headers.map(\.name) == ["Host", "Content-Length", "X-Two", "x-two", "Empty"])
        #expect(request.head.contentLength == 12)
        #expect(!request.head.closesAfterwards)
    }

    @Test(arguments: [
        ("GET / HTTP/1.1", "/", [String]()), ("GET /v1/ HTTP/1.1", "/v1/", ["v1", ""]),
        ("GET http://h:1/a?b HTTP/1.1", "/a", ["a"]), ("GET HTTP://h HTTP/1.1", "/", []),
        ("GET http://h?q=1 HTTP/1.1", "/", []), ("OPTIONS * HTTP/1.1", "*", []),
        ("GET /%C3%A9 HTTP/1.1", "/%C3%A9", ["é"]), ("GET /a?b?c=d HTTP/1.1", "/a", ["a"]),
    ])
    func readsTargets(line: String, path: String, segments: [String]) throws {
        let request = try #require(try parse("\(line)\r\nHost: h\r\n\r\n"))
        #expect(request.path == path)
        #expect(request.segments == segments)
    }

    @Test(arguments: [
        ("HTTP/1.1", "", false), ("HTTP/1.1", "Connection: Close\r\n", true),
        ("HTTP/1.1", "Connection: x, CLOSE ,y\r\n", true), ("HTTP/1.0", "", true),
        ("HTTP/1.0", "Connection: keep-alive\r\n", false),
        ("HTTP/1.1", "Connection: closed\r\n", false), ("HTTP/1.2", "", false),
    ])
    func knowsWhenTheConnectionCloses(version: String, field: String, closes: Bool) throws {
        let request = try #require(try parse("GET / \(version)\r\nHost: h\r\n\(field)\r\n"))
        #expect(request.head.closesAfterwards == closes)
    }

    /// Each line could be seen differently by a proxy before us.
    @Test(arguments: [
        "Content-Length: 1\r\nTransfer-Encoding: chunked", "Content-Length: 1\r\nContent-Length: 1",
        "Content-Length: 1, 1", "Content-Length: +1", "Content-Length: 0x1", "Content-Length:",
        "Content-Length: 1 1", "Content-Length: -1",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Content-Length : 1", "X: a\r\n folded", "X: a\r\n\tfolded", " X: a", ": a", "X", "X: a\0b",
        "X: a\rb", "X y: a", "X: a\u{7f}", "H\u{e9}: a", "Host: again",
    ])
    func refusesAmbiguousFields(fields: String) {
        #expect(status("POST / HTTP/1.1\r\nHost: h\r\n\(fields)\r\n\r\n") == 400)
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\nHost: h\n\n", 400), ("GET / HTTP/1.1\r\nHost: h\n\r\n", 400),
        ("\n\n", 400), ("\r\n\r\n\r\n", 400), ("GET /\r\n\r\n", 400), ("GET  / HTTP/1.1\r\n", 400),
        ("GET /  HTTP/1.1\r\n", 400), ("GET / a HTTP/1.1\r\n", 400), ("G@T / HTTP/1.1\r\n", 400),
        ("GET a HTTP/1.1\r\n", 400), ("GET * HTTP/1.1\r\n", 400), ("GET /a#b HTTP/1.1\r\n", 400),
        ("GET /% HTTP/1.1\r\n", 400), ("GET /%4 HTTP/1.1\r\n", 400), ("GET /%zz HTTP/1.1\r\n", 400),
        ("GET /\u{e9} HTTP/1.1\r\n", 400), ("GET /a\tb HTTP/1.1\r\n", 400),
        ("GET http:// HTTP/1.1\r\n", 400), ("GET ftp://h/ HTTP/1.1\r\n", 400),
        ("CONNECT h:1 HTTP/1.1\r\n", 400), ("GET / HTTP/1.1 \r\n", 400),
        ("GET / http/1.1\r\n", 400),
        ("GET / HTTP/2.0\r\n", 505), ("PRI * HTTP/2.0\r\n\r\n", 505), ("GET / HTTP/0.9\r\n", 505),
        ("GET / HTTP/1.x\r\n", 400), ("GET / HTTP/1.1\r\n\r\n", 400), ("\u{16}\u{3}\u{1}", 400),
        ("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n", 501),
        ("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n", 501),
        ("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: h\r\nExpect: cake\r\n", 417),
        ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n", 413),
        ("GET /%ff HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("GET /?a=%c3 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    ])
    func refuses(text: String, expected: Int) {
        #expect(status(text) == expected)
    }

    @Test func limitsAreKept() {
        var limits = HTTPLimits()
        limits.maxRequestLineBytes = 20
        limits.maxHeadBytes = 60
        limits.maxFieldCount = 2
        #expect(status("GET /123456 HTTP/1.1\r\nHost: h\r\n\r\n", limits: limits) == nil)
        #expect(status("GET /1234567 HTTP/1.1\r\nHost: h\r\n\r\n", limits: limits) == 414)
        #expect(status("GET /12345678901234567890", limits: limits) == 414)
        #expect(status("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\nC: d\r\n\r\n", limits: limits) == 431)
        let long = String(repeating: "x", count: 40)
        #expect(status("GET / HTTP/1.1\r\nHost: h\r\nA: \(long)\r\n\r\n", limits: limits) == 431)
        #expect(status("GET / HTTP/1.1\r\nHost: h\r\nA: \(long)", limits: limits) == 431)
    }

    @Test func anEmptyLineBeforeTheRequestIsIgnored() throws {
        let request = try #require(try parse("\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n"))
        #expect(request.path == "/a")
        #expect(request.header("host") == "h")
    }

    @Test func theSameComesOutHoweverTheBytesArrive() throws {
        let text = "\r\nPUT /a/b?c=d HTTP/1.1\r\nHost: h\r\nX-Y: z\r\nContent-Length: 3\r\n\r\nabc"
        let bytes = Array(text.utf8)
        var whole = HTTPHeadParser()
        let expected = try #require(try whole.parse(bytes.span, limits: HTTPLimits()))
        for cut in 1..<expected.byteCount {
            var parser = HTTPHeadParser()
            #expect(try parser.parse(Array(bytes[..<cut]).span, limits: HTTPLimits()) == nil)
            let parsed = try #require(try parser.parse(bytes.span, limits: HTTPLimits()))
            #expect(parsed.head == expected.head)
            #expect(parsed.byteCount == expected.byteCount)
        }
        var parser = HTTPHeadParser()
        for end in 1..<expected.byteCount {
            #expect(try parser.parse(Array(bytes[..<end]).span, limits: HTTPLimits()) == nil)
        }
        #expect(try parser.parse(bytes.span, limits: HTTPLimits())?.head == expected.head)
    }
}
