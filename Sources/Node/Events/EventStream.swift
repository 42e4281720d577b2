/// One client that is told of events, by server-sent events (WHATWG HTML, section 9.2) or over a WebSocket.
///
/// Nothing waits here: what the client does not take stays in the node's feed until there is room, or until the feed
/// has lost it.
final class EventStream {
    private enum Line {
        case serverSent(HTTPResponder)
        case webSocket(WebSocket)
    }

    private let line: Line

    /// Events are written while fewer bytes than this wait to be taken, so that there is room left for a last word.
    static let maxQueuedBytes = 256 << 10

    /// Begins the answer.
    init(serverSent responder: HTTPResponder) {
        line = .serverSent(responder)
        responder.begin(
            contentType: "text/event-stream", headers: [("cache-control", "no-store")])
    }

    init(webSocket: WebSocket) {
        line = .webSocket(webSocket)
    }

    var hasRoom: Bool {
        switch line {
        case .serverSent(let responder): responder.queuedBytes < Self.maxQueuedBytes
        case .webSocket(let socket): socket.queuedBytes < Self.maxQueuedBytes
        }
    }

    var onClose: () -> Void = {} {
        didSet {
            switch line {
            case .serverSent(let responder): responder.onClose = onClose
            case .webSocket(let socket): socket.onClose = onClose
            }
        }
    }

    /// - Parameters:
    ///   - id: where the client goes on from when it comes again; nil: what it had.
    ///   - json: one object without line breaks.
    func write(id: EventFeed.Position?, json: [UInt8]) {
        switch line {
        case .serverSent(let responder):
            var text: [UInt8] = []
            text.reserveCapacity(json.count + 64)
            if let id { text.append(contentsOf: "id: \(id)\n".utf8) }
            text.append(contentsOf: "data: ".utf8)
            text.append(contentsOf: json)
            text.append(contentsOf: "\n\n".utf8)
            _ = responder.write(text)
        case .webSocket(let socket): socket.send(text: json)
        }
    }

    /// Shows that the connection is there, on both sides, while nothing happens.
    ///
    /// - Parameter position: there was nothing to tell up to here. A client goes on from there when it comes again: where it
    ///   begun by itself, it would begin anew elsewhere, and miss what happened meanwhile.
    func keepAlive(_ position: EventFeed.Position) {
        switch line {
        case .serverSent(let responder):
            _ = responder.write(Array(":\nid: \(position)\n\n".utf8))
        case .webSocket(let socket): socket.ping()
        }
    }

    /// `reason` is told in words; `isSlow`: the client took too little, too late.
    func end(reason: String, isSlow: Bool) {
        switch line {
        case .serverSent(let responder):
            var writer = JSONWriter()
            writer.beginObject()
            writer.field("type", "end")
            writer.field("reason", reason)
            writer.endObject()
            _ = responder.write(Array("data: ".utf8) + writer.bytes + Array("\n\n".utf8))
            responder.end()
        case .webSocket(let socket):
            socket.close(isSlow ? .policyViolation : .goingAway, reason: reason)
        }
    }
}
