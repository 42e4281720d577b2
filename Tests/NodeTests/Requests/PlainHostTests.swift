import Testing

@testable import Node

/// Who gets which connection, and when new ones are made.
@Suite struct PlainHostTests {
    private static func limits(connections: Int) -> PlainLimits {
        var limits = PlainLimits()
        limits.maxConnectionsPerHost = connections
        return limits
    }

    @Test func `cancelling many dials for nobody`() throws {
        let fixture = try PlainFixture(limits: Self.limits(connections: 4))
        var numbers: [Int] = []
        for number in 0..<1_004 { numbers.append(try #require(fixture.send("/\(number)"))) }
        fixture.turn { fixture.requests.count == 4 }
        for number in numbers.dropLast(2) { fixture.client.cancel(number) }
        // In the same turn: it comes behind those who wait.
        fixture.send("/last")
        fixture.turn { fixture.requests.count == 7 }
        fixture.settle()
        #expect(fixture.visits.count == 7)
        let paths = fixture.requests.dropFirst(4).map { $0.split(separator: " ")[1] }
        #expect(Set(paths) == ["/1002", "/1003", "/last"])
    }

    @Test func `who comes while a place is free but others wait, waits`() throws {
        let fixture = try PlainFixture(limits: Self.limits(connections: 1))
        let first = try #require(fixture.send("/1"))
        fixture.send("/2")
        fixture.turn { fixture.requests.count == 1 }
        fixture.onRequest = { visit, _ in visit.send(PlainFixture.ok()) }
        fixture.client.cancel(first)
        fixture.send("/3")
        fixture.turn { fixture.replies.count == 2 }
        #expect(fixture.requests.map { $0.prefix(7) } == ["GET /1 ", "GET /2 ", "GET /3 "])
    }

    @Test func `who waits is not handed a connection that closes behind its reply`() throws {
        let fixture = try PlainFixture(limits: Self.limits(connections: 1)) { visit, _ in
            visit.send(PlainFixture.ok())
            visit.close()
        }
        for _ in 1...3 { fixture.send(method: "POST", body: "x") }
        fixture.turn { fixture.replies.count == 3 }
        #expect(fixture.replies == [.ok(), .ok(), .ok()])
        #expect(fixture.requests.count == 3)
    }

    // MARK: Names

    @Test func `the address that was good stays the first`() throws {
        let loop = try Loop()
        let client = try PlainClient(loop: loop)
        let host = PlainHost(Endpoint(host: "name.invalid", port: 80), client)
        let addresses = (1...3).map { SocketAddress.ipv4(0x7F00_0000 + UInt32($0), port: 80) }
        host.resolved(.success(addresses))
        #expect(host.addresses == addresses)
        host.hasConnected(to: addresses[2])
        #expect(host.addresses == [addresses[2], addresses[0], addresses[1]])
        host.resolved(.success([addresses[1], addresses[2]]))
        #expect(host.addresses == [addresses[2], addresses[1]])
        host.resolved(.success([addresses[1]]))
        #expect(host.addresses == [addresses[1]])
    }

    @Test func `a name is asked for once, however often who wants it gives up`() throws {
        let loop = try Loop()
        let client = try PlainClient(loop: loop)
        let request = OutgoingRequest(method: "GET", url: "http://localhost:1/", headers: [])
        let address = try #require(RequestAddress(request.url))
        for _ in 1...100 {
            client.cancel(client.send(request, to: address) { _ in Issue.record("cancelled") })
        }
        #expect(client.namesInFlight == 1)
        #expect(client.hostCount == 1)
        let end = SystemClock.monotonicMilliseconds() + 60_000
        while client.hostCount > 0, SystemClock.monotonicMilliseconds() < end {
            loop.turn(maxWaitMilliseconds: 1)
        }
        #expect(client.hostCount == 0)
        #expect(client.namesInFlight == 0)
    }

    @Test func `more names than may be asked for at a time wait, if anybody wants them`() throws {
        let loop = try Loop()
        let client = try PlainClient(loop: loop)
        var replies = 0
        for number in 1...80 {
            // Too long a label to ask a server for.
            let label = String(repeating: "n", count: 63 + number)
            let request = OutgoingRequest(
                method: "GET", url: "http://\(label).invalid:1/", headers: [])
            let address = try #require(RequestAddress(request.url))
            let exchange = client.send(request, to: address) { _ in replies += 1 }
            if number > 40 { client.cancel(exchange) }
        }
        #expect(client.namesInFlight == NameResolver.maxConcurrentRequests)
        let end = SystemClock.monotonicMilliseconds() + 60_000
        while client.hostCount > 0, SystemClock.monotonicMilliseconds() < end {
            loop.turn(maxWaitMilliseconds: 1)
        }
        #expect(client.hostCount == 0)
        #expect(replies == 40)
    }
}
