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
}
