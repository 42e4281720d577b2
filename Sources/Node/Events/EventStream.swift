/// One client that is told of events, by server-sent events (WHATWG HTML, section 9.2) or over a WebSocket.
///
/// Nothing waits here longer than a turn: what the client does not take stays in the node's feed until there is room, or
/// until the feed has lost it.
final class EventStream {
    private enum Line {
        case serverSent(HTTPResponder)
        case webSocket(WebSocket)
    }

    private let line: Line
    /// Written since the last `flush`, as a chunk of the answer: to make one of each event costs as much as to write it.
    private var gathered: [UInt8] = []

    /// A client gathers a chunk whole before it takes it apart: a larger one would be copied as it grows.
    private static let maxGatheredBytes = 32 << 10
    /// Of capacity, between turns: there may be a thousand clients.
    private static let maxKeptBytes = 4 << 10

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
        case .serverSent(let responder):
            responder.queuedBytes + gathered.count < Self.maxQueuedBytes
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

    /// An event on its way, which `flush` brings to its end.
    ///
    /// - Parameters:
    ///   - id: where the client goes on from when it comes again; nil: what it had.
    ///   - json: one object without line breaks.
    func write(id: EventFeed.Position?, json: [UInt8]) {
        switch line {
        case .serverSent:
            if let id {
                gathered.append(literal: "id: ")
                id.append(to: &gathered)
                gathered.append(0x0A)
            }
            gathered.append(literal: "data: ")
            gathered.append(contentsOf: json)
            gathered.append(literal: "\n\n")
            if gathered.count >= Self.maxGatheredBytes { flush() }
        case .webSocket(let socket): socket.send(text: json)
        }
    }

    /// To be called in the turn in which events were written.
    func flush() {
        guard !gathered.isEmpty, case .serverSent(let responder) = line else { return }
        _ = responder.write(gathered)
        if gathered.capacity > Self.maxKeptBytes {
            gathered = []
        } else {
            gathered.removeAll(keepingCapacity: true)
        }
    }

    /// Shows that the connection is there, on both sides, while nothing happens.
    ///
    /// - Parameter position: there was nothing to tell up to here. A client goes on from there when it comes again: where it
    ///   begun by itself, it would begin anew elsewhere, and miss what happened meanwhile.
    func keepAlive(_ position: EventFeed.Position) {
        flush()
        switch line {
        case .serverSent(let responder):
            _ = responder.write(Array(":\nid: \(position)\n\n".utf8))
        case .webSocket(let socket): socket.ping()
        }
    }

    /// `reason` is told in words; `isSlow`: the client took too little, too late.
    func end(reason: String, isSlow: Bool) {
        flush()
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
