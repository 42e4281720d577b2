/// A WebSocket by which the server talks (RFC 6455). What a client says is read, for pings and the end, and otherwise
/// thrown away.
final class WebSocket {
    private let upgrade: HTTPUpgrade
    private var isClosing = false
    var onClose: () -> Void = {}

    /// Of what nobody reads.
    private static let maxMessageBytes = 4 << 10
    private static let acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// What is wrong with a request to change to this protocol (section 4.2.1); nil: nothing.
    static func refusal(of request: HTTPRequest) -> HTTPResponse? {
        guard request.header("sec-websocket-version") == "13" else {
            return HTTPResponse(
                status: 426, headers: [("sec-websocket-version", "13"), ("upgrade", "websocket")])
        }
        let key = request.header("sec-websocket-key") ?? ""
        // 16 bytes in base64.
        guard key.utf8.count == 24, key.hasSuffix("==") else {
            return .problem(status: 400, detail: "Sec-WebSocket-Key is not 16 bytes in base64.")
        }
        return nil
    }

    static func isAskedFor(by request: HTTPRequest) -> Bool {
        request.canUpgrade && request.header("upgrade")?.lowercased() == "websocket"
    }

    /// Answers the request, which has no refusal; nil if the client went away.
    init?(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let accept = Self.accept(key: request.header("sec-websocket-key") ?? "")
        guard
            let upgrade = responder.upgrade(headers: [
                ("upgrade", "websocket"), ("sec-websocket-accept", accept),
            ])
        else { return nil }
        self.upgrade = upgrade
        upgrade.onBytes = { [weak self] bytes in self?.receive(bytes) ?? bytes.count }
        upgrade.onClose = { [weak self] in self?.onClose() }
    }

    /// Section 4.2.2, step 5.4.
    static func accept(key: String) -> String {
        Base64.encode(SHA1.digest(of: Array((key + acceptGUID).utf8)))
    }

    var queuedBytes: Int { upgrade.queuedBytes }

    func send(text: [UInt8]) { write(WebSocketFrame(opcode: .text, payload: text)) }

    func ping() { write(WebSocketFrame(opcode: .ping, payload: [])) }

    /// The client need not answer: all that was written before still goes out.
    func close(_ code: WebSocketFrame.CloseCode, reason: String) {
        guard !isClosing else { return }
        write(.close(code, reason: reason))
        isClosing = true
        upgrade.finish()
    }

    private func write(_ frame: WebSocketFrame) {
        guard !isClosing else { return }
        upgrade.write(frame.bytes)
    }

    private func receive(_ bytes: Span<UInt8>) -> Int {
        guard !isClosing else { return bytes.count }
        var used = 0
        do throws(WebSocketFrame.Failure) {
            while let (frame, byteCount) = try WebSocketFrame.parse(
                bytes.extracting(used..<bytes.count), maxPayloadBytes: Self.maxMessageBytes)
            {
                used += byteCount
                switch frame.opcode {
                case .ping: write(WebSocketFrame(opcode: .pong, payload: frame.payload))
                case .close:
                    close(.normal, reason: "")
                    onClose()
                    return bytes.count
                case .text, .binary, .continuation, .pong: break
                }
            }
        } catch {
            close(error.code, reason: error.reason)
            onClose()
            return bytes.count
        }
        return used
    }
}
