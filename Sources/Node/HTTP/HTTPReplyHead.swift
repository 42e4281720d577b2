/// A reply's first part: what governs connection and body, and the few fields that a client asks for.
struct HTTPReplyHead: Equatable, Sendable {
    /// How the body's end is told (RFC 9112 6.3).
    enum Framing: Equatable, Sendable {
        case none
        case length(Int)
        case chunked
        case untilClose
    }

    var status = 0
    var isVersion10 = false
    var contentLength: Int?
    var isChunked = false
    /// `Connection: close`.
    var asksToClose = false
    /// `Connection: keep-alive`, which only matters in HTTP/1.0.
    var asksToKeepAlive = false
    var location: String?
    var retryAfter: String?
    /// How the body is packed: `gzip`, say. nil: it is not.
    var contentEncoding: String?

    /// 100 Continue and its like precede the reply.
    var isInterim: Bool { status < 200 }

    /// - Parameter isHead: The request was a HEAD, so that what the fields say of a body is not there.
    func framing(isHead: Bool) -> Framing {
        if isHead || isInterim || status == 204 || status == 304 { return .none }
        if isChunked { return .chunked }
        return contentLength.map { .length($0) } ?? .untilClose
    }

    /// No other request may follow on the connection (RFC 9112 9.3), or none should: two lengths are how replies are passed
    /// off as those to other requests, and HTTP/1.0 has no chunks (6.1).
    var closesAfterwards: Bool {
        asksToClose || (isVersion10 && (!asksToKeepAlive || isChunked))
            || (isChunked && contentLength != nil)
    }
}

/// What arrived is no reply of HTTP/1, and why.
struct MalformedReply: Error, Equatable, Sendable {
    var reason: String
}
