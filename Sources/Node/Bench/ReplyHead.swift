/// What a load generator has to know of a reply: its status, where it ends, and whether the connection goes on.
struct ReplyHead: Equatable {
    var status: Int
    /// Where the body begins.
    var headBytes: Int
    var bodyBytes: Int
    /// No further reply follows on this connection.
    var closes: Bool

    var totalBytes: Int { headBytes + bodyBytes }

    enum Finding: Equatable {
        case reply(ReplyHead)
        /// The head is not all there.
        case incomplete
        /// Not a reply with a length, and why.
        case malformed(String)
    }

    static let maxHeadBytes = 64 << 10
    static let maxBodyBytes = 64 << 20

    /// Reads the head that the bytes begin with.
    static func read(_ bytes: Span<UInt8>) -> Finding {
        var parser = HTTPReplyParser()
        do throws(MalformedReply) {
            guard let (head, count) = try parser.parse(bytes, maxHeadBytes: maxHeadBytes) else {
                return .incomplete
            }
            let length: Int
            switch head.framing(isHead: false) {
            case .none: length = 0
            case .length(let given): length = given
            case .chunked, .untilClose: return .malformed("it has no content-length")
            }
            guard length <= maxBodyBytes else { return .malformed("its length is none") }
            return .reply(
                ReplyHead(
                    status: head.status, headBytes: count, bodyBytes: length,
                    closes: head.closesAfterwards))
        } catch {
            return .malformed(error.reason)
        }
    }
}
