/// One request of plain http and where it stands: waiting for a connection, on one, or over.
final class PlainExchange {
    enum Place {
        case waiting(PlainHost)
        case stream(PlainStream)
        case over
    }

    let request: OutgoingRequest
    let address: RequestAddress
    var place = Place.over
    private let onReply: (PlainReply) -> Void

    init(
        _ request: OutgoingRequest, to address: RequestAddress,
        onReply: @escaping (PlainReply) -> Void
    ) {
        self.request = request
        self.address = address
        self.onReply = onReply
    }

    var isOver: Bool { if case .over = place { true } else { false } }

    /// Calls the owner, who may send and cancel others: the last thing that whoever calls this does.
    func end(_ reply: PlainReply) {
        place = .over
        onReply(reply)
    }
}

/// What came back for a request of plain http, redirections included.
enum PlainReply: Equatable, Sendable {
    case response(HTTPReplyHead, body: [UInt8], isCutOff: Bool)
    case failed(reason: String)
}
