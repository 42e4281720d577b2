import Testing

@testable import Node

struct ReplyHeadTests {
    private func read(_ text: String) -> ReplyHead.Finding {
        ReplyHead.read(Array(text.utf8).span)
    }

    @Test func `status, length and end are found in any case of letters`() {
        let head =
            "HTTP/1.1 201 Created\r\ndate: x\r\nContent-LENGTH:  12 \r\nConnection: Close\r\n\r\n"
        #expect(
            read(head + "123")
                == .reply(
                    ReplyHead(
                        status: 201, headBytes: head.utf8.count, bodyBytes: 12, closes: true)))
        #expect(read("HTTP/1.0 200 OK\ncontent-length: 0\n\n") != .incomplete)
    }

    @Test func `every cut of a head is incomplete`() {
        let head = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 2\r\n\r\n"
        for count in 0..<head.utf8.count {
            let part = Array(head.utf8.prefix(count))
            let finding = ReplyHead.read(part.span)
            #expect(finding == .incomplete, "\(count)")
        }
    }

    @Test func `what has no body needs no length`() {
        for status in [100, 204, 304] {
            let head = "HTTP/1.1 \(status) X\r\n\r\n"
            #expect(
                read(head)
                    == .reply(
                        ReplyHead(
                            status: status, headBytes: head.utf8.count, bodyBytes: 0, closes: false
                        )))
        }
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 2x1 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    ])
    func `what is no reply with a length is refused`(text: String) {
        guard case .malformed = read(text) else {
            Issue.record("\(text) was taken")
            return
        }
    }

    @Test func `an endless head is refused`() {
        let text = "HTTP/1.1 200 OK\r\nx: " + String(repeating: "y", count: 70_000)
        guard case .malformed = read(text) else {
            Issue.record("it was taken")
            return
        }
    }
}
