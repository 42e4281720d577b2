import Testing

@testable import Node

/// Whatever bytes arrive, in whatever pieces: the server neither fails nor gets stuck, and what it sends
/// back is HTTP.
@Suite struct HTTPFuzzTests {
    private static let pieces = [
        "GET ", "POST ", "/", "/a?b=c", "%41", "%", " HTTP/1.1", " HTTP/1.0", " HTTP/9.9", "\r\n",
        "\n",
        "\r", "\r\n\r\n", "Host: h\r\n", "Content-Length: 5\r\n", "Content-Length: 99999999999\r\n",
        "Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "Connection: upgrade\r\n",
        "Expect: 100-continue\r\n", "5\r\nhello\r\n", "0\r\n\r\n", "ffffffffffffffff\r\n", "\0",
        "\u{80}",
        ": ", "X", "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ]

    private func input(_ generator: inout SeededGenerator) -> [UInt8] {
        var bytes: [UInt8] = []
        if Bool.random(using: &generator) { bytes += Array(Self.pieces[27].utf8) }
        for _ in 0..<Int.random(in: 1..<12, using: &generator) {
            switch Int.random(in: 0..<8, using: &generator) {
            case 0:
                let count = Int.random(in: 0..<40, using: &generator)
                bytes += (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            case 1 where !bytes.isEmpty:
                bytes[.random(in: 0..<bytes.count, using: &generator)] ^=
                    1 << UInt8.random(in: 0..<8, using: &generator)
            default:
                bytes += Array(Self.pieces.randomElement(using: &generator)!.utf8)
            }
        }
        return bytes
    }

    @Test(arguments: 0..<8)
    func survivesAnyBytes(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let fixture = try HTTPFixture()
        fixture.answer = { request, responder in
            _ = (request.path, request.segments, request.query, request.headers)
            responder.send(.json(request.body))
        }
        for _ in 0..<150 {
            let bytes = input(&generator)
            let client = try fixture.client()
            var offset = 0
            while offset < bytes.count {
                let count = Int.random(in: 1...bytes.count - offset, using: &generator)
                client.send(Array(bytes[offset..<offset + count]))
                if Bool.random(using: &generator) { fixture.loop.turn(maxWaitMilliseconds: 0) }
                offset += count
            }
            client.shutDownWriting()
            client.receiveToEnd()
            #expect(client.text.isEmpty || client.text.hasPrefix("HTTP/1.1 "), "input: \(bytes)")
        }
        fixture.turn { fixture.server.connectionCount == 0 }
        #expect(fixture.server.bodyBytes == 0)
    }

    /// The parser alone, cut at every place, gives the same verdict as in one piece.
    @Test(arguments: 0..<8)
    func cutsDoNotChangeTheVerdict(seed: Int) {
        var generator = SeededGenerator(seed: 1_000 + UInt64(seed))
        for _ in 0..<60 {
            let bytes = input(&generator)
            let whole = verdict(bytes, cuts: [bytes.count])
            for cut in 1..<max(2, bytes.count) {
                #expect(verdict(bytes, cuts: [cut, bytes.count]) == whole, "input: \(bytes)")
            }
            #expect(verdict(bytes, cuts: Array(0...bytes.count)) == whole, "input: \(bytes)")
        }
    }

    private enum Verdict: Equatable {
        case incomplete
        case complete(HTTPHead, Int)
        case refused
    }

    private func verdict(_ bytes: [UInt8], cuts: [Int]) -> Verdict {
        var parser = HTTPHeadParser()
        do throws(HTTPFailure) {
            for cut in cuts {
                let part = Array(bytes.prefix(cut))
                if let (head, count) = try parser.parse(part.span, limits: HTTPLimits()) {
                    return .complete(head, count)
                }
            }
            return .incomplete
        } catch {
            return .refused
        }
    }
}
