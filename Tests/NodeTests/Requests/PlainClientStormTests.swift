import Testing

@testable import Node

/// Requests, cancellations and a moody server, by seed.
@Suite struct PlainClientStormTests {
    /// What is known of a request that was sent.
    private final class Sent {
        let path: String
        var exchange: PlainExchange?
        var isCancelled = false
        var replies = 0

        init(path: String) { self.path = path }
    }

    private final class Storm {
        let fixture: PlainFixture
        let plain: PlainClient
        var generator: SeededGenerator
        var sent: [Sent] = []
        /// Requests that the server has not answered.
        var open: [(visit: Visit, path: String)] = []

        init(seed: UInt64) throws {
            var limits = PlainLimits()
            limits.maxConnectionsPerHost = 4
            limits.maxIdleConnections = 3
            limits.idleMilliseconds = 20
            fixture = try PlainFixture()
            plain = try PlainClient(loop: fixture.loop, limits: limits)
            generator = SeededGenerator(seed: seed)
            fixture.onRequest = { [unowned self] visit, request in
                open.append((visit, String(request.split(separator: " ")[1])))
            }
        }

        func send() throws {
            let record = Sent(path: "/\(sent.count)")
            sent.append(record)
            let body = Bool.random(using: &generator) ? [UInt8](repeating: 1, count: 40_000) : nil
            let request = OutgoingRequest(
                method: "POST", url: fixture.base + record.path, headers: [], body: body)
            let address = try #require(RequestAddress(request.url))
            record.exchange = plain.send(request, to: address) { [unowned self] reply in
                record.replies += 1
                #expect(!record.isCancelled, "\(record.path) was cancelled, and answered")
                if case .response(_, let body, _) = reply {
                    #expect(String(decoding: body, as: UTF8.self) == record.path)
                }
                // Owners do such things.
                if Int.random(in: 0..<8, using: &generator) == 0 { cancelOne() }
            }
        }

        func cancelOne() {
            let candidates = sent.suffix(20).filter { $0.replies == 0 && !$0.isCancelled }
            guard let record = candidates.randomElement(using: &generator),
                let exchange = record.exchange
            else { return }
            record.isCancelled = true
            plain.cancel(exchange)
        }

        func answerOne() {
            guard !open.isEmpty else { return }
            let (visit, path) = open.remove(at: Int.random(in: open.indices, using: &generator))
            let reply = PlainFixture.ok(path)
            switch Int.random(in: 0..<12, using: &generator) {
            case 0: visit.connection.close()
            case 1:
                visit.send(reply)
                visit.close()
            case 2: visit.send(reply.replacing("\r\n\r\n", with: "\r\nConnection: close\r\n\r\n"))
            case 3:
                visit.send(String(reply.prefix(20)))
                visit.close()
            case 4: visit.send("nonsense")
            case 5: visit.send(reply + PlainFixture.ok("wrong"))
            case 6:
                visit.send("HTTP/1.1 200 OK\r\n\r\n" + path)
                visit.close()
            case 7:
                visit.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                visit.send(String(path.utf8.count, radix: 16) + "\r\n\(path)\r\n0\r\n\r\n")
            default: visit.send(reply)
            }
        }
    }

    @Test(arguments: 1...20) func `everybody hears of their own request, once`(seed: Int) throws {
        let storm = try Storm(seed: UInt64(seed))
        for _ in 0..<600 {
            switch Int.random(in: 0..<10, using: &storm.generator) {
            case 0..<4: try storm.send()
            case 4: storm.cancelOne()
            case 5..<8: storm.answerOne()
            default: storm.fixture.loop.turn(maxWaitMilliseconds: 0)
            }
        }
        storm.fixture.turn {
            storm.answerOne()
            return storm.sent.allSatisfy { $0.isCancelled || $0.replies > 0 }
        }
        #expect(storm.sent.allSatisfy { $0.replies == ($0.isCancelled ? 0 : 1) })
        storm.fixture.turn { storm.plain.hostCount == 0 }
        #expect(storm.plain.idleCount == 0)
        storm.fixture.turn {
            storm.fixture.visits.allSatisfy { $0.hasEnded || $0.connection.isClosed }
        }
    }
}
