import Testing

@testable import Node

@Suite struct HTTPBodyReaderTests {
    private func read(
        chunks text: String, limits: HTTPLimits = HTTPLimits()
    ) throws(HTTPFailure) -> (body: String, used: Int, isDone: Bool) {
        var reader = HTTPBodyReader.chunked(limits: limits)
        var body: [UInt8] = []
        let used = try reader.consume(Array(text.utf8).span, into: &body)
        return (String(decoding: body, as: UTF8.self), used, reader.isDone)
    }

    @Test(arguments: [
        ("0\r\n\r\n", ""), ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5\r\nhello\r\nA\r\n, my world\r\n0\r\n\r\n", "hello, my world"),
        ("3;name=\"v\"\r\nabc\r\n0;x\r\n\r\n", "abc"),
        ("003\r\nabc\r\n000\r\nTrailer: x\r\nB: c\r\n\r\n", "abc"),
    ])
    func joinsChunks(text: String, expected: String) throws {
        let result = try read(chunks: text + "GET /next")
        #expect(result.body == expected)
        #expect(result.used == text.utf8.count)
        #expect(result.isDone)
    }

    @Test(arguments: [
        "\r\n", "g\r\n", " 5\r\nhello\r\n", "5 \r\nhello\r\n", "5\nhello", "5\rhello", "-5\r\n",
        "0x5\r\n",
        "5\r\nhelloX\r\n", "5\r\nhello\rX", "5\r\nhello\n", "5;a\nhello", "5;\0\r\n", "0\r\n\n",
        "0\r\n\rX",
        "0\r\nA: b\nC", "+5\r\n", "5\u{b}\r\n",
    ])
    func refusesMalformedFraming(text: String) {
        do throws(HTTPFailure) {
            let result = try read(chunks: text)
            Issue.record("read as \(result)")
        } catch {
            #expect(error.status == 400)
        }
    }

    @Test func sizesAreBounded() {
        var limits = HTTPLimits()
        limits.maxBodyBytes = 8
        limits.maxChunkOverheadBytes = 64
        func status(_ text: String) -> Int? {
            do throws(HTTPFailure) {
                _ = try read(chunks: text, limits: limits)
                return nil
            } catch {
                return error.status
            }
        }
        #expect(status("8\r\n12345678\r\n0\r\n\r\n") == nil)
        #expect(status("9\r\n") == 413)
        #expect(status("4\r\n1234\r\n5\r\n") == 413)
        #expect(status("ffffffffffffffffffffffff\r\n") == 413)
        #expect(status("1;" + String(repeating: "x", count: 70)) == 400)
        #expect(status(String(repeating: "0", count: 70)) == 400)
        #expect(status("0\r\n" + String(repeating: "x", count: 70)) == 400)
    }

    @Test func theSameComesOutByteByByte() throws {
        let text = "5;q=1\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nT: u\r\n\r\n"
        var reader = HTTPBodyReader.chunked(limits: HTTPLimits())
        var body: [UInt8] = []
        for (index, byte) in text.utf8.enumerated() {
            #expect(!reader.isDone, "at \(index)")
            #expect(try reader.consume([byte].span, into: &body) == 1)
        }
        #expect(reader.isDone)
        #expect(String(decoding: body, as: UTF8.self) == "hello0123456789abcdef")
        #expect(try reader.consume([1].span, into: &body) == 0)
    }

    @Test func aKnownLengthEndsWhereItSays() throws {
        var reader = HTTPBodyReader(length: 5, limits: HTTPLimits())
        var body: [UInt8] = []
        #expect(try reader.consume(Array("hel".utf8).span, into: &body) == 3)
        #expect(!reader.isDone)
        #expect(try reader.consume(Array("loGET".utf8).span, into: &body) == 2)
        #expect(reader.isDone)
        #expect(body == Array("hello".utf8))
    }

    @Test func `spaces behind a chunk's size are taken from those who may write them`() throws {
        var reader = HTTPBodyReader.chunked(limits: HTTPLimits(), allowsPadding: true)
        var body: [UInt8] = []
        _ = try reader.consume(Array("5   \r\nhello\r\n0 \r\n\r\n".utf8).span, into: &body)
        #expect(reader.isDone)
        #expect(body == Array("hello".utf8))
        var strict = HTTPBodyReader.chunked(limits: HTTPLimits(), allowsPadding: true)
        #expect(throws: HTTPFailure.self) {
            _ = try strict.consume(Array(" 5\r\n".utf8).span, into: &body)
        }
    }
}
