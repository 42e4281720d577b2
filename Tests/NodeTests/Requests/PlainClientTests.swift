import Testing

@testable import Node

/// Which connections requests take, and what becomes of both.
@Suite struct PlainClientTests {
    private static func answering(_ visit: Visit, _ request: String) {
        visit.send(PlainFixture.ok())
    }

    @Test func `one connection carries one request after the other`() throws {
        let fixture = try PlainFixture(onRequest: Self.answering)
        for number in 1...3 {
            #expect(fixture.reply("/\(number)") == .ok())
        }
        #expect(fixture.visits.count == 1)
        #expect(fixture.requests.map { $0.prefix(6) } == ["GET /1", "GET /2", "GET /3"])
    }

    @Test func `two at a time take two connections`() throws {
        let fixture = try PlainFixture()
        fixture.send("/a")
        fixture.send("/b")
        fixture.turn { fixture.requests.count == 2 }
        #expect(fixture.visits.count == 2)
        for visit in fixture.visits.reversed() {
            visit.send(PlainFixture.ok(String(visit.requests[0].dropFirst(5).prefix(1))))
        }
        fixture.turn { fixture.replies.count == 2 }
        #expect(Set(fixture.replies.map(\.text)) == ["a", "b"])
    }

    @Test func `more than a host may have wait in line`() throws {
        var limits = PlainLimits()
        limits.maxConnectionsPerHost = 2
        let fixture = try PlainFixture(limits: limits)
        for number in 1...5 { fixture.send("/\(number)") }
        fixture.turn { fixture.requests.count == 2 }
        fixture.settle()
        #expect(fixture.visits.count == 2)
        fixture.onRequest = Self.answering
        for visit in fixture.visits { visit.send(PlainFixture.ok()) }
        fixture.turn { fixture.replies.count == 5 }
        #expect(fixture.visits.count == 2)
        let order = fixture.visits.flatMap { $0.requests.dropFirst() }.map { $0.dropFirst(5).first }
        #expect(Set(order) == ["3", "4", "5"])
        for visit in fixture.visits {
            let numbers = visit.requests.compactMap { $0.dropFirst(5).first }
            #expect(numbers == numbers.sorted())
        }
    }

    @Test func `who waits is served though a connection closes`() throws {
        var limits = PlainLimits()
        limits.maxConnectionsPerHost = 1
        let fixture = try PlainFixture(limits: limits) { visit, _ in
            visit.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
            visit.close()
        }
        for _ in 1...4 { fixture.send() }
        fixture.turn { fixture.replies.count == 4 }
        #expect(fixture.replies == [.ok(), .ok(), .ok(), .ok()])
        #expect(fixture.visits.count == 4)
    }

    @Test func `what is cancelled in line is not sent, and those behind it are`() throws {
        var limits = PlainLimits()
        limits.maxConnectionsPerHost = 1
        let fixture = try PlainFixture(limits: limits)
        var numbers: [Int] = []
        for number in 0..<300 { numbers.append(try #require(fixture.send("/\(number)"))) }
        fixture.turn { fixture.requests.count == 1 }
        for number in 1..<299 { fixture.client.cancel(numbers[number]) }
        fixture.onRequest = Self.answering
        fixture.visits[0].send(PlainFixture.ok())
        fixture.turn { fixture.replies.count == 2 }
        fixture.settle()
        #expect(fixture.requests.map { $0.split(separator: " ")[1] } == ["/0", "/299"])
        #expect(fixture.replies.count == 2)
    }

    @Test func `cancelling closes the connection, and makes room`() throws {
        var limits = PlainLimits()
        limits.maxConnectionsPerHost = 1
        let fixture = try PlainFixture(limits: limits)
        let first = try #require(fixture.send("/1"))
        fixture.send("/2")
        fixture.turn { fixture.requests.count == 1 }
        fixture.client.cancel(first)
        fixture.client.cancel(first)
        fixture.turn { fixture.visits[0].hasEnded && fixture.requests.count == 2 }
        fixture.visits[1].send(PlainFixture.ok("2"))
        fixture.turn { !fixture.replies.isEmpty }
        #expect(fixture.replies == [.ok("2")])
    }

    @Test func `what is cancelled at once is never heard of`() throws {
        let fixture = try PlainFixture(onRequest: Self.answering)
        fixture.client.cancel(try #require(fixture.send()))
        fixture.client.cancel(try #require(fixture.send("http://localhost:1/")))
        fixture.client.cancel(try #require(fixture.send(headers: [("a", "\r\n")])))
        fixture.settle()
        #expect(fixture.replies.isEmpty)
        #expect(fixture.requests.isEmpty)
    }

    @Test func `a reply may send and cancel`() throws {
        let fixture = try PlainFixture(onRequest: Self.answering)
        var order: [String] = []
        let request = OutgoingRequest(method: "GET", url: fixture.base + "/", headers: [])
        let hanging = fixture.client.send(request) { _ in order.append("never") }
        _ = fixture.client.send(request) { [unowned fixture] _ in
            order.append("first")
            if let hanging { fixture.client.cancel(hanging) }
            _ = fixture.client.send(request) { _ in order.append("second") }
        }
        // The cancelled one is held back, so that it is on its way.
        fixture.onRequest = { [unowned fixture] visit, _ in
            if visit !== fixture.visits[0] || visit.requests.count > 1 { Self.answering(visit, "") }
        }
        fixture.turn { order.count == 2 }
        #expect(order == ["first", "second"])
        fixture.turn { fixture.visits[0].hasEnded }
        #expect(fixture.visits.count == 2)
    }

    @Test func `an owner that goes closes everything and hears nothing`() throws {
        var limits = PlainLimits()
        limits.maxConnectionsPerHost = 1
        let fixture = try PlainFixture(limits: limits)
        fixture.send()
        fixture.send()
        fixture.turn { fixture.requests.count == 1 }
        // No turn lies between: it can't be refused before the owner goes.
        fixture.send("http://localhost:1/")
        fixture.client = nil
        fixture.turn { fixture.visits[0].hasEnded }
        fixture.settle()
        #expect(fixture.replies.isEmpty)
    }

    @Test func `an owner may go while it is told`() throws {
        let fixture = try PlainFixture(onRequest: Self.answering)
        let request = OutgoingRequest(method: "GET", url: fixture.base + "/", headers: [])
        var count = 0
        _ = fixture.client.send(request) { [unowned fixture] _ in
            count += 1
            fixture.client = nil
        }
        fixture.turn { count == 1 }
        fixture.turn { fixture.visits[0].hasEnded }
    }

    // MARK: Kept connections

    @Test func `a connection that nobody needs is closed after a while`() throws {
        var limits = PlainLimits()
        limits.idleMilliseconds = 30
        let fixture = try PlainFixture(limits: limits, onRequest: Self.answering)
        let plain = try PlainClient(loop: fixture.loop, limits: limits)
        let address = try #require(RequestAddress(fixture.base))
        var replies = 0
        let request = OutgoingRequest(method: "GET", url: fixture.base, headers: [])
        _ = plain.send(request, to: address) { _ in replies += 1 }
        #expect(plain.hostCount == 1)
        fixture.turn { replies == 1 }
        #expect(plain.idleCount == 1)
        fixture.turn { fixture.visits[0].hasEnded }
        #expect(plain.idleCount == 0)
        #expect(plain.hostCount == 0)
    }

    @Test func `a request on a kept connection may take longer than that`() throws {
        var limits = PlainLimits()
        limits.idleMilliseconds = 30
        let fixture = try PlainFixture(limits: limits, onRequest: Self.answering)
        #expect(fixture.reply() == .ok())
        fixture.onRequest = { _, _ in }
        fixture.send()
        let end = fixture.loop.now + 90_000_000
        fixture.turn { fixture.loop.now > end }
        #expect(fixture.requests.count == 2)
        fixture.visits[0].send(PlainFixture.ok())
        fixture.turn { fixture.replies.count == 2 }
        #expect(fixture.replies.last == .ok())
        #expect(fixture.visits.count == 1)
    }

    @Test func `only so many are kept`() throws {
        var limits = PlainLimits()
        limits.maxIdleConnections = 1
        let fixture = try PlainFixture(limits: limits)
        fixture.send()
        fixture.send()
        fixture.turn { fixture.requests.count == 2 }
        for visit in fixture.visits { visit.send(PlainFixture.ok()) }
        fixture.turn { fixture.replies.count == 2 }
        fixture.turn { fixture.visits.filter(\.hasEnded).count == 1 }
        fixture.settle()
        #expect(fixture.visits.filter(\.hasEnded).count == 1)
    }

    @Test func `what was closed unused is not used`() throws {
        let fixture = try PlainFixture(onRequest: Self.answering)
        #expect(fixture.reply(method: "POST", body: "1") == .ok())
        // In the same turn, so that the client can't have heard of it.
        fixture.visits[0].connection.close()
        #expect(fixture.reply(method: "POST", body: "2") == .ok())
        #expect(fixture.requests.count == 2)
        #expect(fixture.visits.count == 2)
    }

    @Test func `a new connection that breaks is a failure at once`() throws {
        let fixture = try PlainFixture { visit, _ in visit.connection.close() }
        #expect(
            fixture.reply() == .failed(reason: "the connection broke off", isRetryable: true))
        #expect(fixture.requests.count == 1)
    }

    @Test func `a kept connection that breaks within a reply is a failure`() throws {
        let fixture = try PlainFixture(onRequest: Self.answering)
        #expect(fixture.reply() == .ok())
        fixture.onRequest = { visit, _ in
            visit.send("HTTP/1.1 2")
            visit.close()
        }
        #expect(fixture.reply()?.reason == "the connection broke off")
        #expect(fixture.requests.count == 2)
    }

    @Test(arguments: ["x", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad"])
    func `what nobody asked for ends the connection`(surplus: String) throws {
        let fixture = try PlainFixture { visit, _ in
            visit.send(PlainFixture.ok() + surplus)
        }
        #expect(fixture.reply() == .ok())
        #expect(fixture.reply() == .ok())
        #expect(fixture.visits.count == 2)
        fixture.onRequest = Self.answering
        #expect(fixture.reply() == .ok())
        // It comes while the connection is kept, in the turn in which the next request leaves.
        fixture.visits[2].send(surplus)
        fixture.loop.turn(maxWaitMilliseconds: 0)
        #expect(fixture.reply() == .ok())
        #expect(fixture.visits.count == 4)
    }

    // MARK: Ways

    @Test func `where the environment names a proxy the session asks, which knows it`() throws {
        let fixture = try PlainFixture(onRequest: Self.answering)
        fixture.client = try HTTPClient(loop: fixture.loop, usesProxy: true)
        #expect(fixture.reply() == .ok())
        #expect(fixture.requests.first?.contains(" curl/") == true)
        fixture.client = try HTTPClient(loop: fixture.loop, usesProxy: false)
        #expect(fixture.reply() == .ok())
        #expect(fixture.requests.last?.contains(" curl/") == false)
    }

    @Test(arguments: ["", "/x", "http://", "http:///x", "https://", "http://a b/", "host:80/x"])
    func `what is no URL has no number`(url: String) throws {
        let fixture = try PlainFixture()
        let request = OutgoingRequest(method: "GET", url: url, headers: [])
        #expect(fixture.client.send(request) { _ in Issue.record("nothing was sent") } == nil)
        fixture.settle()
    }

    // MARK: Addresses

    @Test func `nobody listens`() throws {
        let fixture = try PlainFixture()
        let reply = fixture.reply("http://127.0.0.1:1/")
        #expect(
            reply
                == .failed(
                    reason: "could not connect to the server: Connection refused", isRetryable: true
                ))
    }

    @Test func `a name that does not resolve`() throws {
        let fixture = try PlainFixture()
        let reply = fixture.reply("http://nowhere.invalid/")
        #expect(reply?.reason?.hasPrefix("the server's name does not resolve: ") == true)
        guard case .failed(_, isRetryable: true)? = reply else {
            Issue.record("\(String(describing: reply))")
            return
        }
    }

    @Test func `many requests go to a name, whose addresses are tried in turn`() throws {
        let fixture = try PlainFixture(onRequest: Self.answering)
        // Of "localhost" the other address may come first, where nobody listens.
        for _ in 0..<100 { fixture.send("http://LocalHost:\(fixture.listener.address.port)/") }
        fixture.turn { fixture.replies.count == 100 }
        #expect(fixture.replies.allSatisfy { $0 == .ok() })
        let lines = try #require(fixture.requests.first).split(separator: "\r\n")
        #expect(lines.contains("Host: LocalHost:\(fixture.listener.address.port)"))
    }

    @Test func `an address of IPv6`() throws {
        let fixture: PlainFixture
        do {
            fixture = try PlainFixture(host: "::1", onRequest: Self.answering)
        } catch let error as IOError where error.operation == "bind" || error.operation == "socket"
        {
            // This machine has none.
            return
        }
        #expect(fixture.reply("/") == .ok())
        let lines = try #require(fixture.requests.first).split(separator: "\r\n")
        #expect(lines.contains("Host: [::1]:\(fixture.listener.address.port)"))
    }
}
