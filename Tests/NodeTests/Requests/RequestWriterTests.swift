import Testing

@testable import Node

@Suite struct RequestWriterTests {
    private func written(
        _ method: String, _ url: String = "http://h:7/p?q", _ headers: [(String, String)] = [],
        body: String? = nil
    ) throws -> String {
        let request = OutgoingRequest(
            method: method, url: url, headers: headers.map { (name: $0.0, value: $0.1) },
            body: body.map { Array($0.utf8) })
        #expect(RequestWriter.problem(with: request) == nil)
        var bytes: [UInt8] = []
        RequestWriter.append(request, to: try #require(RequestAddress(url)), into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private let plain = "Accept-Encoding: identity\r\n"
    private let agent = "User-Agent: carillon/\(ProductVersion.text)\r\n"

    @Test func `a request says what it has to`() throws {
        #expect(
            try written("GET")
                == "GET /p?q HTTP/1.1\r\nHost: h:7\r\nAccept: */*\r\n\(plain)\(agent)\r\n")
        #expect(
            try written("POST", body: "abc")
                == "POST /p?q HTTP/1.1\r\nHost: h:7\r\nAccept: */*\r\n\(plain)\(agent)Content-Length: 3\r\n\r\n"
        )
    }

    @Test(arguments: [
        ("POST", true), ("PUT", true), ("PATCH", true), ("DELETE", true), ("GET", false),
        ("HEAD", false),
    ])
    func `who takes a body is told that there is none`(method: String, isTold: Bool) throws {
        #expect(try written(method).contains("Content-Length: 0\r\n") == isTold)
    }

    @Test func `own headers come first, and what they say of the length does not count`() throws {
        let text = try written(
            "POST", "http://u:p@h/",
            [
                ("host", "other"), ("ACCEPT", "a/b"), ("user-agent", "me"), ("content-length", "9"),
                ("Transfer-Encoding", "chunked"), ("X-A", "1"), ("accept-encoding", "br"),
                ("x-a", "2\t3"),
                ("Authorization", "own"),
            ], body: "abc")
        #expect(
            text
                == "POST / HTTP/1.1\r\nhost: other\r\nACCEPT: a/b\r\nuser-agent: me\r\naccept-encoding: br\r\nx-a: 2\t3\r\n"
                + "Authorization: own\r\nContent-Length: 3\r\n\r\n")
    }

    @Test func `credentials of the URL are sent`() throws {
        let text = try written("GET", "http://Aladdin:open%20sesame@h/")
        #expect(text.contains("Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"))
        #expect(text.contains("Host: h\r\n"))
    }

    @Test(arguments: [
        ("GET /x", "A", "b"), ("", "A", "b"), ("GET", "A b", "c"), ("GET", "", "c"),
        ("GET", "A:", "c"), ("GET", "A\r\nB", "c"), ("GET", "A", "b\r\nC: d"), ("GET", "A", "b\nc"),
        ("GET", "A", "b\rc"), ("GET", "A", "b\0c"), ("GET", "A", "\u{7F}"),
    ])
    func `what would write another line is refused`(
        method: String, name: String, value: String
    ) throws {
        let fixture = try PlainFixture()
        let reply = fixture.reply(method: method, headers: [(name, value)])
        guard case .failed(let reason, isRetryable: false)? = reply else {
            Issue.record("\(String(describing: reply))")
            return
        }
        #expect(reason.hasPrefix("can't send: "))
        #expect(fixture.visits.isEmpty)
    }
}
