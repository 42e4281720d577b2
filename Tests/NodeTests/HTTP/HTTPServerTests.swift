import Glibc
import Testing

@testable import Node

private let get = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"

@Suite struct HTTPServerTests {
    @Test func answersAndKeepsTheConnection() throws {
        let fixture = try HTTPFixture()
        fixture.answer = { request, responder in
            responder.send(.json(Array("{\"path\":\"\(request.path)\"}".utf8), status: 201))
        }
        let client = try fixture.client()
        for round in 1...3 {
            client.send(get)
            client.receive { $0.occurrences(of: "\"/x\"}") == round }
        }
        #expect(client.text.hasPrefix("HTTP/1.1 201 Created\r\ndate: "))
        #expect(client.text.contains("GMT\r\ncontent-type: application/json\r\n"))
        #expect(client.text.contains("content-length: 13\r\n\r\n{\"path\":\"/x\"}"))
        #expect(fixture.server.connectionCount == 1)
    }

    @Test func pipelinedAnswersLeaveInTheOrderOfTheRequests() throws {
        let fixture = try HTTPFixture()
        let client = try fixture.client()
        client.send((0..<5).map { "GET /\($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined())
        fixture.turn { fixture.waiting.count == 5 }
        for index in [3, 1, 4] {
            fixture.waiting[index].responder.send(.text("<\(index)>"))
        }
        for _ in 0..<3 { fixture.loop.turn(maxWaitMilliseconds: 1) }
        client.poll()
        #expect(client.text == "", "the first answer is not there yet")
        fixture.waiting[0].responder.send(.text("<0>"))
        client.receive { $0.hasSuffix("<1>") }
        fixture.waiting[2].responder.send(.text("<2>"))
        client.receive { $0.hasSuffix("<4>") }
        let bodies = client.text.split(separator: "<").dropFirst().map { $0.prefix(1) }
        #expect(bodies == ["0", "1", "2", "3", "4"])
        #expect(fixture.waiting.map(\.request.path) == ["/0", "/1", "/2", "/3", "/4"])
    }

    @Test func noMoreThanTheLimitIsHandledAtOnce() throws {
        var limits = HTTPLimits()
        limits.maxPipelinedRequests = 3
        let fixture = try HTTPFixture(limits: limits)
        let client = try fixture.client()
        client.send(String(repeating: get, count: 10))
        for _ in 0..<5 { fixture.loop.turn(maxWaitMilliseconds: 1) }
        #expect(fixture.waiting.count == 3)
        fixture.waiting[0].responder.send(.text("<0>"))
        fixture.turn { fixture.waiting.count == 4 }
        for index in 1..<10 {
            fixture.turn { fixture.waiting.count > index }
            fixture.waiting[index].responder.send(.text("<\(index)>"))
        }
        client.receive { $0.hasSuffix("<9>") }
        #expect(client.statuses == Array(repeating: 200, count: 10))
    }

    @Test func bodiesArriveWholeWhereverTheyAreCut() throws {
        let fixture = try HTTPFixture()
        fixture.answer = { request, responder in responder.send(.json(request.body)) }
        let requests = [
            "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n<payload>",
            "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "4\r\n<pay\r\n5\r\nload>\r\n0\r\n\r\n",
        ]
        for request in requests {
            let client = try fixture.client()
            let bytes = Array((request + get).utf8)
            for cut in 1..<bytes.count {
                client.send(Array(bytes[..<cut]))
                fixture.loop.turn(maxWaitMilliseconds: 0)
                client.send(Array(bytes[cut...]))
                client.receive { $0.occurrences(of: "HTTP/1.1 200") == 2 * cut }
                #expect(client.text.occurrences(of: "<payload>") == cut)
            }
        }
    }

    @Test func headGetsTheLengthWithoutTheBody() throws {
        let fixture = try HTTPFixture()
        fixture.answer = { _, responder in responder.send(.text("12345")) }
        let client = try fixture.client()
        client.send("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n" + get)
        client.receive { $0.hasSuffix("12345") }
        #expect(client.text.occurrences(of: "content-length: 5") == 2)
        #expect(client.text.occurrences(of: "12345") == 1)
    }

    @Test func oldClientsAreServed() throws {
        let fixture = try HTTPFixture()
        fixture.answer = { _, responder in responder.send(.text("<ok>")) }
        let closing = try fixture.client()
        closing.send("GET / HTTP/1.0\r\n\r\n")
        closing.receiveToEnd()
        #expect(closing.text.contains("connection: close\r\n"))
        #expect(closing.text.hasSuffix("<ok>"))
        let keeping = try fixture.client()
        keeping.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        keeping.receive { $0.hasSuffix("<ok>") }
        #expect(keeping.text.contains("connection: keep-alive\r\n"))
        #expect(!keeping.hasEnded)
    }

    @Test func closesWhenAsked() throws {
        let fixture = try HTTPFixture()
        fixture.answer = { _, responder in responder.send(.text("<ok>")) }
        let client = try fixture.client()
        client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" + get)
        client.receiveToEnd()
        #expect(client.statuses == [200])
        #expect(client.text.contains("connection: close\r\n"))
        fixture.turn { fixture.server.connectionCount == 0 }
    }

    @Test func continueIsSentOnlyToWhoWaitsForIt() throws {
        let fixture = try HTTPFixture()
        fixture.answer = { request, responder in responder.send(.json(request.body)) }
        let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
        let patient = try fixture.client()
        patient.send(head)
        patient.receive { $0 == "HTTP/1.1 100 Continue\r\n\r\n" }
        patient.send("<ok>")
        patient.receive { $0.hasSuffix("<ok>") }
        let hasty = try fixture.client()
        hasty.send(head + "<ok>")
        hasty.receive { $0.hasSuffix("<ok>") }
        #expect(!hasty.text.contains("100 Continue"))
        let large = try fixture.client()
        large.send(
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n"
        )
        large.receiveToEnd()
        #expect(large.statuses == [413])
    }

    @Test func continueComesAfterEarlierAnswers() throws {
        let fixture = try HTTPFixture()
        let client = try fixture.client()
        client.send(
            get + "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        fixture.turn { fixture.waiting.count == 1 }
        for _ in 0..<3 { fixture.loop.turn(maxWaitMilliseconds: 1) }
        client.poll()
        #expect(client.text == "")
        fixture.waiting[0].responder.send(.text("<0>"))
        client.receive { $0.hasSuffix("<0>HTTP/1.1 100 Continue\r\n\r\n") }
    }

    @Test func aBrokenRequestIsAnsweredAfterTheOnesBeforeIt() throws {
        let fixture = try HTTPFixture()
        let client = try fixture.client()
        client.send(get + "GET / HTTP/3.0\r\n\r\n" + get)
        fixture.turn { fixture.waiting.count == 1 }
        fixture.waiting[0].responder.send(.text("<0>"))
        client.receiveToEnd()
        #expect(client.statuses == [200, 505])
        #expect(client.text.contains("content-type: application/problem+json\r\n"))
        #expect(client.text.contains("\"title\":\"HTTP Version Not Supported\",\"status\":505"))
        #expect(fixture.waiting.count == 1, "what follows a broken request is not read")
    }

    @Test func aRefusalReachesAClientThatGoesOnSending() throws {
        var limits = HTTPLimits()
        limits.maxBodyBytes = 1_000
        let fixture = try HTTPFixture(limits: limits)
        let client = try fixture.client()
        client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n")
        client.send([UInt8](repeating: 120, count: 3_000_000))
        client.shutDownWriting()
        client.receiveToEnd()
        #expect(client.statuses == [413])
    }

    @Test func bodiesTogetherAreBounded() throws {
        var limits = HTTPLimits()
        limits.maxTotalBodyBytes = 100_000
        let fixture = try HTTPFixture(limits: limits)
        let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 80001\r\n\r\n"
        let body = [UInt8](repeating: 120, count: 80_000)
        let first = try fixture.client()
        first.send(Array(head.utf8) + body)
        fixture.turn { fixture.server.bodyBytes == 80_000 }
        let second = try fixture.client()
        second.send(Array(head.utf8) + body)
        second.receiveToEnd()
        #expect(second.statuses == [503])
        #expect(second.text.contains("retry-after: 1\r\n"))
        first.send("x")
        fixture.turn { fixture.waiting.count == 1 }
        #expect(fixture.server.bodyBytes == 0)
    }

    @Test func tooManyConnectionsAreToldSo() throws {
        var limits = HTTPLimits()
        limits.maxConnections = 1
        let fixture = try HTTPFixture(limits: limits)
        let first = try fixture.client()
        first.send(get)
        fixture.turn { fixture.waiting.count == 1 }
        let second = try fixture.client()
        second.receiveToEnd()
        #expect(second.statuses == [503])
        fixture.waiting[0].responder.send(.text("<ok>"))
        first.receive { $0.hasSuffix("<ok>") }
    }

    @Test func valuesCannotBreakOutOfTheirLine() throws {
        let fixture = try HTTPFixture()
        fixture.answer = { _, responder in
            responder.send(
                HTTPResponse(
                    status: 204, headers: [(name: "location", value: "/a\r\nset-cookie: b\0")]))
        }
        let client = try fixture.client()
        client.send(get)
        client.receive { $0.hasSuffix("\r\n\r\n") }
        #expect(client.text.contains("\r\nlocation: /a  set-cookie: b \r\n"))
        #expect(!client.text.contains("content-length"))
    }

    @Test func largeAnswersToASlowReaderArriveWhole() throws {
        let fixture = try HTTPFixture()
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 / 251) }
        fixture.answer = { _, responder in responder.send(.json(body)) }
        let client = try fixture.client()
        client.send(get + get + get)
        for _ in 0..<10 { fixture.loop.turn(maxWaitMilliseconds: 0) }
        fixture.turn {
            client.poll()
            return client.received.count > 3 * body.count
        }
        // The three answers are alike, so they have the same length, and the bodies follow their heads.
        fixture.turn {
            client.poll()
            return client.received.count % 3 == 0 && client.received.suffix(3) == body.suffix(3)
        }
        let length = client.received.count / 3
        for start in [length, 2 * length, 3 * length] {
            let isWhole = client.received[start - body.count..<start].elementsEqual(body)
            #expect(isWhole)
        }
    }

    @Test func aRequestThatMeetsTheDrainingIsAnsweredAndTheLastOfItsConnection() throws {
        let fixture = try HTTPFixture()
        let known = try fixture.client()
        known.send(get)
        fixture.turn { fixture.waiting.count == 1 }
        fixture.waiting[0].responder.send(.text("<0>"))
        known.receive { $0.hasSuffix("<0>") }
        // The system has completed this one's connection, and the server has not seen it yet.
        let early = try fixture.client()
        early.send(get)
        known.send(get)
        fixture.server.stopAccepting()
        fixture.server.drain()
        fixture.turn { fixture.waiting.count == 3 }
        for waiting in fixture.waiting.dropFirst() { waiting.responder.send(.text("<1>")) }
        for client in [known, early] {
            client.receiveToEnd()
            #expect(client.text.contains("connection: close"))
            #expect(client.text.hasSuffix("<1>"))
        }
        fixture.turn { fixture.server.connectionCount == 0 }
    }

    @Test func drainingEndsIdleConnectionsAtOnceAndBusyOnesAfterTheirAnswer() throws {
        let fixture = try HTTPFixture()
        let idle = try fixture.client()
        idle.send(get)
        fixture.turn { fixture.waiting.count == 1 }
        fixture.waiting[0].responder.send(.text("<0>"))
        idle.receive { $0.hasSuffix("<0>") }
        let busy = try fixture.client()
        busy.send(get)
        fixture.turn { fixture.waiting.count == 2 }
        fixture.server.stopAccepting()
        fixture.server.closeIdle()
        idle.receiveToEnd()
        #expect(fixture.server.connectionCount == 1)
        fixture.waiting[1].responder.send(.text("<1>"))
        busy.receiveToEnd()
        #expect(busy.text.contains("connection: close"))
        #expect(busy.text.hasSuffix("<1>"))
        fixture.turn { fixture.server.connectionCount == 0 }
        let late = try fixture.client()
        late.receiveToEnd()
        #expect(late.text == "")
    }
}

extension String {
    /// How many times `separator` occurs.
    func occurrences(of separator: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
