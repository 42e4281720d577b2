import Testing

@testable import Node

/// Connections that end while a request is on its way: what is sent again, and what was said before.
@Suite struct PlainResendTests {
    /// One that has kept a connection.
    private func fixture() throws -> PlainFixture {
        let fixture = try PlainFixture { visit, _ in visit.send(PlainFixture.ok()) }
        #expect(fixture.reply() == .ok())
        return fixture
    }

    /// Has the server reset the kept connection when the next request is written and has not left.
    private func resetBeforeFlush(_ fixture: PlainFixture, after text: String) {
        fixture.loop.onTurnEnd = { [unowned fixture] in
            fixture.loop.onTurnEnd = {}
            fixture.visits[0].reset(after: text)
        }
    }

    @Test(
        arguments: ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "POST", "PATCH", "get"],
        [true, false])
    func `what may be done twice is sent once more, and not twice`(
        method: String, isHopeless: Bool
    ) throws {
        let fixture = try fixture()
        fixture.onRequest = { [unowned fixture] visit, _ in
            if visit === fixture.visits[0] || isHopeless {
                visit.connection.close()
            } else {
                visit.send("HTTP/1.1 204 No Content\r\n\r\n")
            }
        }
        let reply = fixture.reply("/x", method: method)
        let mayRepeat = !["POST", "PATCH", "get"].contains(method)
        if mayRepeat && !isHopeless {
            #expect(reply?.status == 204)
        } else {
            #expect(reply == .failed(reason: "the connection broke off", isRetryable: true))
        }
        fixture.settle()
        #expect(fixture.requests.count == (mayRepeat ? 3 : 2))
    }

    @Test func `what its task may do but once is not sent again, whatever its method`() throws {
        let fixture = try fixture()
        fixture.onRequest = { visit, _ in visit.connection.close() }
        fixture.isAtMostOnce = true
        #expect(
            fixture.reply("/x", method: "PUT")
                == .failed(reason: "the connection broke off", isRetryable: true))
        fixture.settle()
        #expect(fixture.requests.count == 2)
    }

    @Test func `what has not left is sent again, whatever it is`() throws {
        let fixture = try fixture()
        resetBeforeFlush(fixture, after: "")
        #expect(fixture.reply("/x", method: "POST", body: "y") == .ok())
        #expect(fixture.requests.count == 2)
        #expect(fixture.visits.count == 2)
    }

    @Test(arguments: ["POST", "PUT"])
    func `what the server said before it closed counts, though the request did not leave`(
        method: String
    ) throws {
        let fixture = try fixture()
        resetBeforeFlush(
            fixture, after: "HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nmuch")
        let reply = fixture.reply("/x", method: method, body: String(repeating: "x", count: 50_000))
        #expect(reply?.status == 413)
        #expect(reply?.text == "much")
        // The connection is not used again.
        #expect(fixture.reply() == .ok())
        #expect(fixture.visits.count == 2)
        #expect(fixture.requests.count == 2)
    }

    @Test(arguments: [
        "HTTP/1.1 413 Too Large\r\n\r\nmuch",
        "HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nmuch", "HTTP/1.1 4",
    ])
    func `a reply of which nobody knows whether it is whole does not count`(text: String) throws {
        let fixture = try fixture()
        resetBeforeFlush(fixture, after: text)
        let reply = fixture.reply("/x", method: "PUT")
        #expect(reply?.reason?.hasPrefix("the connection broke off: ") == true)
        fixture.settle()
        #expect(fixture.requests.count == 1)
    }

    @Test func `a server may refuse a large request and close while it comes`() throws {
        let fixture = try PlainFixture()
        fixture.send(method: "POST", body: String(repeating: "x", count: 30_000_000))
        fixture.turn { fixture.visits.count == 1 }
        fixture.visits[0].connection.pauseReading()
        fixture.settle()
        fixture.visits[0].reset(after: "HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nmuch")
        fixture.turn { !fixture.replies.isEmpty }
        #expect(fixture.replies.map(\.status) == [413])
        #expect(fixture.visits.count == 1)
    }
}
