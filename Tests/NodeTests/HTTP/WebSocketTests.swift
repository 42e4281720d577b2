import Testing

@testable import Node

@Suite struct WebSocketTests {
    /// RFC 3174, section 7.3, and the lengths around a block's end.
    @Test func sha1() {
        func hex(_ text: String) -> String {
            SHA1.digest(of: Array(text.utf8)).map { byte in
                String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
            }.joined()
        }
        #expect(hex("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
        #expect(hex("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(
            hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
                == "84983e441c3bd26ebaae4aa1f95129e5e54670f1")
        #expect(
            hex(String(repeating: "a", count: 64)) == "0098ba824b5c16427bd7a1122a5a442a25ec644d")
    }

    /// RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func base64(_ text: String, _ encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
    }

    /// RFC 6455, section 1.3.
    @Test func theHandshakeIsAnswered() {
        #expect(
            WebSocket.accept(key: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    private func parse(
        _ bytes: [UInt8], maxPayloadBytes: Int = 1_000
    ) throws(WebSocketFrame.Failure) -> (frame: WebSocketFrame, byteCount: Int)? {
        try WebSocketFrame.parse(bytes.span, maxPayloadBytes: maxPayloadBytes)
    }

    /// RFC 6455, section 5.7.
    @Test func aMaskedFrameIsRead() throws {
        let hello: [UInt8] = [
            0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58,
        ]
        let result = try #require(try parse(hello + [0x81]))
        #expect(result.frame == WebSocketFrame(opcode: .text, payload: Array("Hello".utf8)))
        #expect(result.byteCount == hello.count)
        for count in 0..<hello.count {
            let part = try parse(Array(hello.prefix(count)))
            #expect(part == nil)
        }
    }

    @Test func lengthsOfAllSizesAreWritten() {
        for (count, head) in [
            (125, [0x82, 125]), (126, [0x82, 126, 0, 126]),
            (65_536, [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] as [(Int, [UInt8])] {
            let frame = WebSocketFrame(
                opcode: .binary, payload: [UInt8](repeating: 7, count: count))
            #expect(Array(frame.bytes.prefix(head.count)) == head)
            #expect(frame.bytes.count == head.count + count)
        }
    }

    /// Not masked, reserved bits, an unknown opcode, a control frame in parts, one that is too large, a long message.
    @Test(
        arguments: [
            ([0x81, 0x00], 1002), ([0xC1, 0x80], 1002), ([0x83, 0x80], 1002), ([0x09, 0x80], 1002),
            ([0x89, 0xFE], 1002), ([0x81, 0xFE, 0xFF, 0xFF, 0, 0, 0, 0], 1009),
            ([0x81, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0], 1009),
        ] as [([UInt8], Int)])
    func brokenFramesAreRefused(_ bytes: [UInt8], _ code: Int) {
        let failure = #expect(throws: WebSocketFrame.Failure.self) { _ = try parse(bytes) }
        #expect(failure?.code.rawValue == UInt16(code))
    }

    @Test func aCloseReasonIsCutBetweenCharacters() {
        let frame = WebSocketFrame.close(
            .goingAway, reason: String(repeating: "ä", count: 100))
        #expect(frame.payload.count == 124)
        #expect(frame.payload.prefix(2) == [0x03, 0xE9])
    }
}
