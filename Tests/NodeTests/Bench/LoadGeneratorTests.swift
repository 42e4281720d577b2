import Testing

@testable import Node

/// The generator against a server on the same loop, which does what a test wants.
struct LoadGeneratorTests {
    private static let request = Array(
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}".utf8)

    private func generator(
        _ fixture: HTTPFixture, _ plan: LoadPlan, targets: [SocketAddress]? = nil
    ) -> LoadGenerator {
        let generator = LoadGenerator(
            loop: fixture.loop, targets: targets ?? [fixture.server.address], plan: plan)
        generator.compose = { _ in Self.request }
        generator.onReply = { _, head, _ in head.status == 201 ? 1 : 0 }
        return generator
    }

    /// Turns to the generator's end; why it could not begin.
    private func finish(_ generator: LoadGenerator, _ fixture: HTTPFixture) -> String? {
        var failure: String??
        generator.start { failure = .some($0) }
        fixture.turn { failure != nil }
        return failure ?? nil
    }

    @Test(arguments: [1, 16], [1, 4])
    func `all requests are made and answered once`(connections: Int, pipeline: Int) throws {
        let fixture = try HTTPFixture()
        var served = 0
        fixture.answer = {
            served += 1
            $1.send(HTTPResponse(status: 201, body: Array("{\"id\":\"t1\"}".utf8)))
        }
        let generator = generator(
            fixture, LoadPlan(connections: connections, pipeline: pipeline, maxRequests: 500))
        var answered: Set<UInt64> = []
        generator.onAnswer = { answered.insert($0.number) }
        #expect(finish(generator, fixture) == nil)
        #expect(served == 500 && answered.count == 500)
        #expect(generator.tally.requests == 500 && generator.tally.acknowledgedTasks == 500)
        #expect(generator.tally.measuredAnswers == 500 && generator.tally.latencies.count == 500)
        #expect(generator.tally.failures.total == 0 && generator.tally.measuredNanoseconds > 0)
        #expect(fixture.server.connectionCount <= connections)
    }

    /// One connection, and an answer that takes a fifth of a second: the requests whose time came meanwhile have waited, and
    /// say so.
    @Test func `at a given rate a stall counts for everyone it held up`() throws {
        let fixture = try HTTPFixture()
        var isFirst = true
        fixture.answer = { _, responder in
            guard isFirst else { return responder.send(HTTPResponse(status: 201)) }
            isFirst = false
            fixture.loop.schedule(at: fixture.loop.now + 200_000_000) {
                responder.send(HTTPResponse(status: 201))
            }
        }
        let generator = generator(
            fixture,
            LoadPlan(connections: 1, ratePerSecond: 100, measuredNanoseconds: 500_000_000))
        #expect(finish(generator, fixture) == nil)
        let tally = generator.tally
        #expect(tally.requests == 50 && tally.latencies.count == 50)
        #expect(tally.longestQueue >= 19)
        // Those of the first 0.1 s waited at least 0.1 s: a fifth of all, and more on a slow machine.
        let waited = try #require(tally.latencies.nanoseconds(atMillionths: 820_000))
        #expect(waited >= 100_000_000)
    }

    @Test func `a refusal and a lost connection are counted, and the load goes on`() throws {
        let fixture = try HTTPFixture()
        var served = 0
        fixture.answer = { _, responder in
            served += 1
            switch served {
            case 10: responder.send(.problem(status: 503, detail: "no"))
            // Let go without an end: the connection is cut.
            case 20: responder.begin(contentType: nil, headers: [("content-length", "5")])
            default: responder.send(HTTPResponse(status: 201))
            }
        }
        let generator = generator(fixture, LoadPlan(connections: 2, maxRequests: 100))
        var refused = FailureCounts()
        generator.onReply = { _, head, _ in
            guard head.status != 201 else { return 1 }
            refused.add("\(head.status)")
            return 0
        }
        var lost = 0
        generator.onLoss = { _ in lost += 1 }
        #expect(finish(generator, fixture) == nil)
        #expect(refused.all.map(\.kind) == ["503"] && refused.total == 1)
        #expect(lost == 1 && generator.tally.failures.total == 1)
        #expect(generator.tally.requests == 100 && generator.tally.acknowledgedTasks == 98)
    }

    @Test func `when nobody listens it says so`() throws {
        let fixture = try HTTPFixture()
        let address = fixture.server.address
        fixture.server.close()
        let generator = generator(fixture, LoadPlan(connections: 2, maxRequests: 10))
        let failure = finish(generator, fixture)
        #expect(failure?.contains("refused") == true, "\(failure ?? "none") at \(address)")
        #expect(generator.tally.requests == 0)
    }

    @Test func `a target that is gone is passed over`() throws {
        let fixture = try HTTPFixture()
        fixture.answer = { $1.send(HTTPResponse(status: 201)) }
        let other = try HTTPFixture()
        let gone = other.server.address
        other.server.close()
        let generator = generator(
            fixture, LoadPlan(connections: 4, maxRequests: 100),
            targets: [fixture.server.address, gone])
        #expect(finish(generator, fixture) == nil)
        #expect(generator.tally.acknowledgedTasks == 100)
        #expect(generator.tally.failures.all.allSatisfy { $0.kind.hasPrefix("cannot connect") })
        #expect(generator.tally.failures.total > 0)
    }

    @Test func `a closed gate holds requests back until it opens`() throws {
        let fixture = try HTTPFixture()
        fixture.answer = { $1.send(HTTPResponse(status: 201)) }
        let generator = generator(fixture, LoadPlan(connections: 4, maxRequests: 40))
        var allowed = 10
        generator.mayBegin = { generator.tally.requests < allowed }
        var isOver = false
        generator.start { _ in isOver = true }
        fixture.turn { generator.tally.acknowledgedTasks == 10 }
        for _ in 0..<5 { fixture.loop.turn(maxWaitMilliseconds: 1) }
        #expect(generator.tally.requests == 10 && !isOver)
        allowed = 40
        generator.wake()
        fixture.turn { isOver }
        #expect(generator.tally.acknowledgedTasks == 40)
    }

    @Test func `who gets no answer is counted in the end`() throws {
        let fixture = try HTTPFixture()
        let plan = LoadPlan(
            connections: 3, measuredNanoseconds: 20_000_000, patienceNanoseconds: 30_000_000)
        let generator = generator(fixture, plan)
        #expect(finish(generator, fixture) == nil)
        #expect(generator.tally.failures.all.map(\.kind) == ["no answer in time"])
        #expect(generator.tally.failures.total == 3)
        #expect(generator.tally.acknowledgedTasks == 0 && generator.tally.latencies.count == 0)
    }
}
