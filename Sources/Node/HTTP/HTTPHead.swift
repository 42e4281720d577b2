/// A request's first part, as positions in its bytes: nothing is copied before somebody asks for it.
struct HTTPHead: Equatable, Sendable {
    struct Field: Equatable, Sendable {
        var nameStart: Int32
        var nameEnd: Int32
        var valueStart: Int32
        var valueEnd: Int32
    }

    var method = HTTPMethod.get
    /// Empty for `http://host` without a path, which means "/".
    var path: Range<Int> = 0..<0
    var query: Range<Int> = 0..<0
    var fields: [Field] = []
    var isVersion10 = false
    var contentLength: Int?
    var isChunked = false
    /// `Connection: close`.
    var asksToClose = false
    /// `Connection: keep-alive`, which only matters in HTTP/1.0.
    var asksToKeepAlive = false
    /// `Connection: upgrade`.
    var asksToUpgrade = false
    var expectsContinue = false
    var hostCount = 0

    /// RFC 9112 9.3.
    var closesAfterwards: Bool { asksToClose || (isVersion10 && !asksToKeepAlive) }
}
