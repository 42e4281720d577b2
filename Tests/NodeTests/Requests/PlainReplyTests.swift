import Testing

@testable import Node

/// Where replies end, and what is made of those that are none.
@Suite struct PlainReplyTests {
    private func fixture(_ answer: String, closes: Bool = false) throws -> PlainFixture {
        try PlainFixture { visit, _ in
            visit.send(answer)
            if closes { visit.close() }
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3  ;x\r\nllo\r\n0\r\nA: b\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.0 200 OK\nConnection: keep-alive\nContent-Length: 5\n\nhello",
    ])
    func `a reply with an end leaves the connection to the next`(answer: String) throws {
        let fixture = try fixture(answer)
        #expect(fixture.reply() == .ok("hello"))
        #expect(fixture.reply() == .ok("hello"))
        #expect(fixture.visits.count == 1)
        // And however it is cut into pieces.
        var left = Array(answer.utf8)[...]
        fixture.onRequest = { _, _ in }
        fixture.send()
        fixture.turn { fixture.requests.count == 3 }
        while let byte = left.popFirst() {
            #expect(fixture.replies.count == 2)
            fixture.visits[0].connection.write([byte])
            fixture.loop.turn(maxWaitMilliseconds: 0)
            fixture.loop.turn(maxWaitMilliseconds: 0)
        }
        fixture.turn { fixture.replies.count == 3 }
        #expect(fixture.replies.last == .ok("hello"))
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\n\r\nhello", true),
        ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", false),
        ("HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 5\r\n\r\nhello", false),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            false
        ),
    ])
    func `a reply after which the connection ends`(answer: String, closes: Bool) throws {
        let fixture = try fixture(answer, closes: closes)
        #expect(fixture.reply() == .ok("hello"))
        #expect(fixture.reply() == .ok("hello"))
        #expect(fixture.visits.count == 2)
        fixture.turn { fixture.visits.allSatisfy { $0.hasEnded || $0.connection.isClosed } }
    }

    @Test func `replies without a body`() throws {
        let fixture = try PlainFixture { visit, request in
            switch request.prefix(6) {
            case "HEAD /": visit.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
            case "GET /4": visit.send("HTTP/1.1 204 No Content\r\n\r\n")
            default: visit.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n")
            }
        }
        #expect(fixture.reply(method: "HEAD") == .ok(""))
        #expect(fixture.reply("/4")?.status == 204)
        #expect(fixture.reply("/5")?.status == 304)
        #expect(fixture.replies.allSatisfy { $0.text == "" })
        #expect(fixture.visits.count == 1)
    }

    @Test func `the status and Retry-After of a refusal`() throws {
        let fixture = try fixture(
            "HTTP/1.1 503 Busy\r\nretry-after:  7 \r\nContent-Length: 1\r\n\r\n!")
        #expect(
            fixture.reply()
                == .response(status: 503, retryAfter: "7", body: [0x21], isCutOff: false))
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n30d40\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
    ])
    func `more than is wanted is cut off`(head: String) throws {
        let fixture = try fixture(head + String(repeating: "x", count: 150_000))
        let reply = fixture.reply(maxReplyBytes: 70_000)
        #expect(
            reply
                == .response(
                    status: 200, retryAfter: nil,
                    body: [UInt8](repeating: UInt8(ascii: "x"), count: 70_001), isCutOff: true))
        fixture.turn { fixture.visits[0].hasEnded }
    }

    @Test func `as much as is wanted is whole`() throws {
        let fixture = try fixture(PlainFixture.ok("hello"))
        #expect(fixture.reply(maxReplyBytes: 5) == .ok("hello"))
        #expect(fixture.visits[0].hasEnded == false)
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH_9", "\u{15}\u{3}\u{1}", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 099 X\r\n\r\n", "HTTP/1.1 200OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 200 OK\r\nnothing\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n", "HTTP/1.1 200 OK\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxx\r\n",
        String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 17),
        "HTTP/1.1 200 OK\r\nA: " + String(repeating: "b", count: 70_000),
    ])
    func `what is not HTTP is a failure`(answer: String) throws {
        let fixture = try fixture(answer)
        let reply = fixture.reply()
        #expect(reply?.reason?.hasPrefix("the server's answer is not HTTP: ") == true, "\(answer)")
        fixture.turn { fixture.visits[0].hasEnded }
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ])
    func `a reply that breaks off is a failure`(answer: String) throws {
        let fixture = try fixture(answer, closes: true)
        #expect(
            fixture.reply() == .failed(reason: "the connection broke off", isRetryable: true))
    }

    @Test func `a large request and a large reply`() throws {
        let large = String(repeating: "0123456789", count: 200_000)
        let fixture = try PlainFixture { visit, request in
            visit.send(PlainFixture.ok(String(request.suffix(2_000_000))))
        }
        #expect(fixture.reply(method: "PUT", body: large, maxReplyBytes: 2_000_000) == .ok(large))
        #expect(fixture.reply(method: "PUT", body: large, maxReplyBytes: 2_000_000) == .ok(large))
        #expect(fixture.visits.count == 1)
    }

    @Test func `a reply that does not wait for the request counts, and its connection is closed`()
        throws
    {
        let fixture = try PlainFixture()
        fixture.send(method: "POST", body: String(repeating: "x", count: 30_000_000))
        fixture.turn { fixture.visits.count == 1 }
        fixture.visits[0].connection.pauseReading()
        fixture.visits[0].send("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        fixture.turn { !fixture.replies.isEmpty }
        #expect(fixture.replies.first?.status == 413)
        fixture.visits[0].connection.resumeReading()
        fixture.turn { fixture.visits[0].hasEnded }
    }

    @Test func `an answer that was packed can't be read`() throws {
        let body = "Content-Length: 2\r\n\r\n\u{1F}\u{8}"
        var answer = "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\ncontent-encoding: GZip\r\n"
        let fixture = try PlainFixture { visit, _ in visit.send(answer + body) }
        #expect(
            fixture.reply()
                == .failed(
                    reason: "the server's answer is encoded as \"GZip\"", isRetryable: false))
        // Nobody wants to read it.
        var unread = OutgoingRequest(method: "POST", url: fixture.base, headers: [])
        unread.readsReply = false
        var status: Int?
        _ = fixture.client.send(unread) { status = $0.status }
        fixture.turn { status != nil }
        #expect(status == 200)
        answer = "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Encoding: br\r\n"
        #expect(
            fixture.reply()
                == .response(status: 503, retryAfter: "7", body: [], isCutOff: false))
        answer = "HTTP/1.1 200 OK\r\nContent-Encoding: Identity\r\nContent-Encoding:\r\n"
        #expect(fixture.reply()?.text == "\u{1F}\u{8}")
        #expect(fixture.visits.count == 1)
    }

    @Test func `what is packed and empty is read`() throws {
        let fixture = try fixture(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n")
        #expect(fixture.reply() == .ok(""))
    }
}
