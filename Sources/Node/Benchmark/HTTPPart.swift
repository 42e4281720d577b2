import Raft

struct HTTPPart {
    private let limits = HTTPLimits()

    func measure(_ meter: inout PartMeter) {
        let submission = SampleRequests.submission(.single)
        meter.measure("head of a submission", bytes: Self.headBytes(submission)) {
            parse(submission.span)
        }
        meter.measure("submission of 256 B, whole", bytes: submission.count) {
            receive(submission.span).body.count
        }
        let bulk = SampleRequests.submission(.array(1_000))
        meter.measure("array of 1,000, each", bytes: bulk.count / 1_000, operations: 1_000) {
            receive(bulk.span).body.count
        }
        let read = Array(Self.read.utf8)
        meter.measure("GET with 10 fields", bytes: read.count) {
            receive(read.span).head.fields.count
        }
        let request = receive(submission.span)
        meter.measure("a field looked up") { request.header("content-type")?.utf8.count ?? 0 }
        meter.measure("a path taken apart") { request.segments.count }
        let date = Array(HTTPDate.text(secondsSinceEpoch: 1_700_000_000).utf8)
        var output: [UInt8] = []
        meter.measure("head of an answer") {
            output.removeAll(keepingCapacity: true)
            HTTPWriter.append(
                status: 201, contentType: "application/json", headers: [],
                framing: .length(700), closes: false, keepsAlive10: false, date: date, to: &output)
            return output.count
        }
    }

    private static func headBytes(_ request: [UInt8]) -> Int {
        request.count - SampleRequests.body(.single).count
    }

    private static let read = """
        GET /v1/tasks?state=ready&limit=50 HTTP/1.1\r
        Host: carillon.example.com:7201\r
        User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r
        Accept: application/json, text/plain;q=0.9, */*;q=0.8\r
        Accept-Language: en-GB,en;q=0.5\r
        Accept-Encoding: gzip, deflate, br\r
        Authorization: Bearer 0123456789abcdef0123456789abcdef\r
        Referer: http://carillon.example.com:7201/\r
        Connection: keep-alive\r
        Cache-Control: no-cache\r
        X-Request-Id: 7b1c2f0e-9d55-4f0b-8a3e-2f9e3f1b6c11\r
        \r

        """

    private func parse(_ bytes: Span<UInt8>) -> Int {
        var parser = HTTPHeadParser()
        do throws(HTTPFailure) {
            return try parser.parse(bytes, limits: limits)?.byteCount ?? 0
        } catch {
            preconditionFailure("what the benchmark asks for is refused: \(error.detail)")
        }
    }

    /// As a connection does it with what one read has brought.
    private func receive(_ bytes: Span<UInt8>) -> HTTPRequest {
        var parser = HTTPHeadParser()
        do throws(HTTPFailure) {
            guard let (head, count) = try parser.parse(bytes, limits: limits) else {
                preconditionFailure("what the benchmark asks for is cut off")
            }
            var request = HTTPRequest(
                head: head, bytes: bytes.extracting(0..<count).array(),
                remote: .ipv4(0x7F00_0001, port: 7_201), receivedAt: 0, canUpgrade: false)
            guard let length = head.contentLength else { return request }
            var reader = HTTPBodyReader(length: length, limits: limits)
            request.body.reserveCapacity(min(length, 64 * 1_024))
            _ = try reader.consume(bytes.extracting(count..<bytes.count), into: &request.body)
            return request
        } catch {
            preconditionFailure("what the benchmark asks for is refused: \(error.detail)")
        }
    }
}
