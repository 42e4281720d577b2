import Testing

@testable import Node

@Suite struct WaitingLineTests {
    private func exchange(_ number: Int, _ host: PlainHost) throws -> PlainExchange {
        let request = OutgoingRequest(method: "GET", url: "http://h/\(number)", headers: [])
        let exchange = PlainExchange(request, to: try #require(RequestAddress(request.url))) { _ in
        }
        exchange.place = .waiting(host)
        return exchange
    }

    /// Against an array that does the same slowly.
    @Test func `those that are not cancelled come in their order`() throws {
        let client = try PlainClient(loop: try Loop())
        let host = PlainHost(Endpoint(host: "127.0.0.1", port: 1), client)
        var generator = SeededGenerator(seed: 7)
        var line = WaitingLine()
        var twin: [PlainExchange] = []
        for number in 0..<5_000 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<5:
                let added = try exchange(number, host)
                line.append(added)
                twin.append(added)
            case 5..<8 where !twin.isEmpty:
                let cancelled = twin.remove(at: Int.random(in: twin.indices, using: &generator))
                cancelled.place = .over
                line.forgetOne()
            default:
                let first = line.popFirst()
                #expect(first === twin.first)
                if !twin.isEmpty { twin.removeFirst() }
            }
            #expect(line.count == twin.count)
        }
        while let first = line.popFirst() {
            #expect(first === twin.removeFirst())
        }
        #expect(twin.isEmpty)
    }
}
