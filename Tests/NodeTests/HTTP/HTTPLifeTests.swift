import Testing

@testable import Node

private let get = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"

/// Time-outs, clients that go away, streams and upgrades.
@Suite struct HTTPLifeTests {
    @Test func slowHeadsAndBodiesTimeOut() throws {
        var limits = HTTPLimits()
        limits.headMilliseconds = 20
        limits.bodyMilliseconds = 20
        let fixture = try HTTPFixture(limits: limits)
        var clients: [HTTPProbe] = []
        for beginning in [
            "", "GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab",
        ] {
            clients.append(try fixture.client())
            clients[clients.count - 1].send(beginning)
        }
        for client in clients { client.receiveToEnd() }
        #expect(clients.map(\.statuses) == [[], [408], [408]])
        clients.removeAll()
        fixture.turn { fixture.server.connectionCount == 0 }
    }

    /// Each new byte must not buy more time.
    @Test func aHeadThatDripsTimesOutAllTheSame() throws {
        var limits = HTTPLimits()
        limits.headMilliseconds = 50
        let fixture = try HTTPFixture(limits: limits)
        let client = try fixture.client()
        client.send("GET / HTTP/1.1\r\nX: ")
        fixture.turn {
            client.poll()
            if !client.hasEnded && client.text.isEmpty { client.send("x") }
            return client.hasEnded
        }
        #expect(client.statuses == [408])
    }

    @Test func idleConnectionsCloseAndWorkingOnesDoNot() throws {
        var limits = HTTPLimits()
        limits.idleMilliseconds = 20
        limits.headMilliseconds = 20
        let fixture = try HTTPFixture(limits: limits)
        let idle = try fixture.client()
        idle.send(get)
        fixture.turn { fixture.waiting.count == 1 }
        let working = try fixture.client()
        working.send(get)
        fixture.turn { fixture.waiting.count == 2 }
        fixture.waiting[0].responder.send(.text("<0>"))
        idle.receiveToEnd()
        #expect(idle.text.hasSuffix("<0>"))
        fixture.waiting[1].responder.send(.text("<1>"))
        working.receive { $0.hasSuffix("<1>") }
    }

    @Test func handlersHearOfClientsThatGoAway() throws {
        let fixture = try HTTPFixture()
        var client: HTTPProbe? = try fixture.client()
        client?.send(get + get)
        fixture.turn { fixture.waiting.count == 2 }
        var closed: [Int] = []
        for index in 0..<2 {
            fixture.waiting[index].responder.onClose = { closed.append(index) }
        }
        #expect(!fixture.waiting[0].responder.isClosed)
        client = nil
        fixture.turn { closed.count == 2 }
        #expect(closed == [0, 1])
        #expect(fixture.waiting[0].responder.isClosed)
        for (_, responder) in fixture.waiting { responder.send(.text("too late")) }
        fixture.turn { fixture.server.connectionCount == 0 }
        #expect(closed == [0, 1])
    }

    @Test func answersBehindOneThatDoesNotComeAreBoundedInBytes() throws {
        var limits = HTTPLimits()
        limits.maxHeldAnswerBytes = 3_000
        let fixture = try HTTPFixture(limits: limits)
        let text = String(repeating: "x", count: 1_000)
        func ask() throws -> HTTPProbe {
            let first = fixture.waiting.count
            let client = try fixture.client()
            client.send(String(repeating: get, count: 5))
            fixture.turn { fixture.waiting.count == first + 5 }
            for number in 1...3 { fixture.waiting[first + number].responder.send(.text(text)) }
            #expect(!fixture.waiting[first].responder.isClosed)
            return client
        }
        let greedy = try ask()
        fixture.waiting[4].responder.send(.text("x"))
        #expect(fixture.waiting[0].responder.isClosed)
        greedy.receiveToEnd()
        #expect(greedy.text.isEmpty)
        // What leaves is held no longer.
        let patient = try ask()
        fixture.waiting[5].responder.send(.text(text))
        fixture.waiting[9].responder.send(.text(text))
        patient.receive { $0.split(separator: "HTTP/1.1 ").count == 5 && $0.hasSuffix(text) }
    }

    @Test func whoOnlyClosedItsSideStillGetsItsAnswers() throws {
        let fixture = try HTTPFixture()
        let client = try fixture.client()
        client.send(get + get)
        client.shutDownWriting()
        fixture.turn { fixture.waiting.count == 2 && fixture.waiting[1].responder.isClosed }
        fixture.waiting[1].responder.send(.text("<1>"))
        fixture.waiting[0].responder.send(.text("<0>"))
        client.receiveToEnd()
        #expect(client.statuses == [200, 200])
        #expect(client.text.hasSuffix("<1>"))
        fixture.turn { fixture.server.connectionCount == 0 }
    }

    @Test func aRequestNobodyAnswersGets500() throws {
        let fixture = try HTTPFixture()
        fixture.answer = { _, _ in }
        let client = try fixture.client()
        client.send(get)
        client.receive { $0.hasPrefix("HTTP/1.1 500 ") && $0.hasSuffix("}") }
        #expect(!client.hasEnded)
    }

    @Test func streamsChunksAsTheyCome() throws {
        let fixture = try HTTPFixture()
        let client = try fixture.client()
        client.send(get)
        fixture.turn { fixture.waiting.count == 1 }
        let responder = fixture.waiting[0].responder
        responder.begin(contentType: "text/event-stream", headers: [("cache-control", "no-store")])
        client.receive { $0.hasSuffix("\r\n\r\n") }
        #expect(client.text.contains("transfer-encoding: chunked\r\n"))
        #expect(client.text.contains("cache-control: no-store\r\n"))
        #expect(responder.write(Array("data: 1\n\n".utf8)))
        client.receive { $0.hasSuffix("9\r\ndata: 1\n\n\r\n") }
        #expect(responder.write([]), "an empty chunk would end the stream")
        responder.end()
        client.receive { $0.hasSuffix("\r\n0\r\n\r\n") }
        client.send(get)
        fixture.turn { fixture.waiting.count == 2 }
    }

    @Test func aStreamBehindAnotherAnswerWaits() throws {
        let fixture = try HTTPFixture()
        let client = try fixture.client()
        client.send(get + get)
        fixture.turn { fixture.waiting.count == 2 }
        let stream = fixture.waiting[1].responder
        stream.begin(contentType: nil)
        #expect(stream.write(Array("abc".utf8)))
        fixture.waiting[0].responder.send(.text("<0>"))
        client.receive { $0.hasSuffix("3\r\nabc\r\n") }
        #expect(stream.write(Array("d".utf8)))
        stream.end()
        client.receive { $0.hasSuffix("3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n") }
        #expect(client.statuses == [200, 200])
    }

    @Test func aStreamThatIsNotReadIsBounded() throws {
        let fixture = try HTTPFixture()
        let client = try fixture.client()
        client.send(get)
        fixture.turn { fixture.waiting.count == 1 }
        let responder = fixture.waiting[0].responder
        responder.begin(contentType: nil)
        let chunk = [UInt8](repeating: 1, count: 100_000)
        var accepted = 0
        while responder.write(chunk) {
            accepted += 1
            fixture.loop.turn(maxWaitMilliseconds: 0)
            guard accepted < 1_000 else { break }
        }
        #expect(accepted < 1_000)
        fixture.turn {
            client.poll()
            return responder.write(chunk)
        }
    }

    @Test func aStreamLetGoIsCutShort() throws {
        let fixture = try HTTPFixture()
        fixture.answer = { _, responder in
            responder.begin(contentType: nil)
            _ = responder.write([65])
        }
        let client = try fixture.client()
        client.send(get)
        client.receiveToEnd()
        #expect(!client.text.hasSuffix("0\r\n\r\n"))
    }

    @Test func oldClientsReadStreamsToTheEnd() throws {
        let fixture = try HTTPFixture()
        fixture.answer = { _, responder in
            responder.begin(contentType: nil)
            _ = responder.write(Array("abc".utf8))
            responder.end()
        }
        let client = try fixture.client()
        client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        client.receiveToEnd()
        #expect(client.text.hasSuffix("\r\n\r\nabc"))
        #expect(!client.text.contains("chunked"))
    }

    @Test func anUpgradedConnectionSpeaksItsOwnProtocol() throws {
        let fixture = try HTTPFixture()
        let client = try fixture.client()
        let upgrade = "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
        client.send(upgrade + "early")
        fixture.turn { fixture.waiting.count == 1 }
        #expect(fixture.waiting[0].request.canUpgrade)
        let stream = try #require(
            fixture.waiting[0].responder.upgrade(headers: [("upgrade", "echo")]))
        var closed = false
        stream.onBytes = { bytes in
            stream.write(bytes.array())
            return bytes.count
        }
        stream.onClose = { closed = true }
        client.receive { $0.hasSuffix("connection: upgrade\r\n\r\nearly") }
        #expect(client.statuses == [101])
        client.send("GET / not http")
        client.receive { $0.hasSuffix("earlyGET / not http") }
        client.shutDownWriting()
        client.receiveToEnd()
        #expect(closed)
        #expect(stream.isClosed)
        #expect(fixture.server.connectionCount == 0)
    }

    @Test func anUpgradeDeclinedGoesOnAsHTTP() throws {
        let fixture = try HTTPFixture()
        fixture.answer = { request, responder in responder.send(.text("<\(request.path)>")) }
        let client = try fixture.client()
        client.send(
            "GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + get)
        client.receive { $0.hasSuffix("</x>") }
        #expect(client.statuses == [200, 200])
    }
}
