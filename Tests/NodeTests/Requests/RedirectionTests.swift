import Testing

@testable import Node

@Suite struct RedirectionTests {
    /// Answers `/from` with a redirection, and everything else with `ok`.
    private func fixture(_ status: Int, to location: String) throws -> PlainFixture {
        try PlainFixture { visit, request in
            guard request.contains(" /from") else { return visit.send(PlainFixture.ok()) }
            visit.send(
                "HTTP/1.1 \(status) Moved\r\nLocation: \(location)\r\nContent-Length: 4\r\n\r\nmove"
            )
        }
    }

    @Test(arguments: [
        (301, "POST", "GET"), (302, "POST", "GET"), (303, "POST", "GET"), (307, "POST", "POST"),
        (308, "POST", "POST"), (301, "PUT", "PUT"), (302, "DELETE", "DELETE"), (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"), (302, "HEAD", "HEAD"),
    ])
    func `method and body after a redirection`(status: Int, method: String, then: String) throws {
        let fixture = try PlainFixture { visit, request in
            if request.contains(" /from ") {
                visit.send(
                    "HTTP/1.1 \(status) X\r\nLocation: /to?a=b#c\r\nContent-Length: 0\r\n\r\n")
            } else {
                visit.send(request.hasPrefix("HEAD") ? "HTTP/1.1 204 X\r\n\r\n" : PlainFixture.ok())
            }
        }
        let reply = fixture.reply(
            "/from", method: method,
            headers: [("Content-Type", "text/plain"), ("Authorization", "a"), ("X", "y")],
            body: method == "HEAD" ? nil : "body")
        #expect(reply?.status == (method == "HEAD" ? 204 : 200))
        let second = try #require(fixture.requests.last)
        #expect(second.hasPrefix("\(then) /to?a=b HTTP/1.1\r\n"))
        #expect(second.hasSuffix("\r\n\r\nbody") == (then == method && method != "HEAD"))
        #expect(second.contains("Content-Type: text/plain\r\n") == (then == method))
        #expect(second.contains("Authorization: a\r\n"))
        #expect(second.contains("X: y\r\n"))
        #expect(fixture.visits.count == 1)
    }

    @Test(arguments: [
        ("to", "/from/to"), ("../to", "/to"), ("/to", "/to"), ("?a", "/from/it?a"),
        ("./ä b", "/from/%C3%A4%20b"), ("//127.0.0.1:PORT/to", "/to"),
        ("HTTP://127.0.0.1:PORT", "/"),
    ])
    func `a location may be relative`(location: String, target: String) throws {
        let fixture = try PlainFixture()
        let place = location.replacing("PORT", with: "\(fixture.listener.address.port)")
        fixture.onRequest = { [unowned fixture] visit, _ in
            visit.send(
                fixture.requests.count > 1
                    ? PlainFixture.ok()
                    : "HTTP/1.1 302 X\r\nLocation: \(place)\r\nContent-Length: 0\r\n\r\n")
        }
        #expect(fixture.reply("/from/it") == .ok())
        #expect(fixture.requests.last?.split(separator: " ")[1] == Substring(target))
    }

    @Test func `another server is not told what was meant for the first`() throws {
        let fixture = try PlainFixture()
        let port = fixture.listener.address.port
        fixture.onRequest = { visit, request in
            visit.send(
                request.contains(" /from ")
                    ? "HTTP/1.1 307 X\r\nLocation: http://localhost:\(port)/to\r\n"
                        + "Content-Length: 0\r\n\r\n"
                    : PlainFixture.ok())
        }
        let reply = fixture.reply(
            "/from", method: "POST",
            headers: [
                ("authorization", "a"), ("Cookie", "b"), ("Proxy-Authorization", "c"),
                ("Host", "first"), ("X-Own", "d"), ("Content-Type", "text/plain"),
            ], body: "body")
        #expect(reply == .ok())
        #expect(fixture.requests.first?.lowercased().contains("authorization: a\r\n") == true)
        #expect(fixture.requests.first?.contains("Host: first\r\n") == true)
        let second = try #require(fixture.requests.last)
        #expect(second.hasPrefix("POST /to HTTP/1.1\r\nHost: localhost:\(port)\r\n"))
        #expect(!second.lowercased().contains("authorization"))
        #expect(!second.lowercased().contains("cookie"))
        #expect(second.contains("X-Own: d\r\n"))
        #expect(second.hasSuffix("\r\n\r\nbody"))
    }

    @Test func `redirections without end are given up`() throws {
        let fixture = try fixture(302, to: "/from")
        #expect(
            fixture.reply("/from")
                == .failed(reason: "the server redirects without end", isRetryable: true))
        #expect(fixture.requests.count == HTTPClient.maxRedirections + 1)
    }

    @Test(arguments: ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://127.0.0.1:99999/"])
    func `a redirection leads to servers of http only`(location: String) throws {
        let fixture = try fixture(302, to: location)
        guard case .failed(let reason, isRetryable: false)? = fixture.reply("/from") else {
            Issue.record("\(fixture.replies)")
            return
        }
        #expect(reason.hasPrefix("the server redirects to "))
        #expect(fixture.requests.count == 1)
    }

    /// Nobody speaks TLS there, which is enough to see that it was tried.
    @Test func `a redirection to https is followed by the session`() throws {
        let fixture = try fixture(302, to: "https://127.0.0.1:1/")
        #expect(fixture.reply("/from")?.reason?.hasSuffix("(URL error -1004)") == true)
    }

    @Test func `a redirection that names no place is the answer`() throws {
        let fixture = try PlainFixture { visit, _ in
            visit.send("HTTP/1.1 302 Found\r\nContent-Length: 2\r\n\r\nno")
        }
        #expect(fixture.reply()?.status == 302)
        #expect(fixture.replies.last?.text == "no")
    }

    @Test func `cancelling ends what a redirection has begun`() throws {
        let fixture = try PlainFixture { visit, request in
            guard request.contains(" /from ") else { return }
            visit.send("HTTP/1.1 302 X\r\nLocation: /to\r\nContent-Length: 0\r\n\r\n")
        }
        let number = try #require(fixture.send("/from"))
        fixture.turn { fixture.requests.count == 2 }
        fixture.client.cancel(number)
        fixture.turn { fixture.visits[0].hasEnded }
        #expect(fixture.replies.isEmpty)
    }
}
