/// HTTP/1.1 (RFC 9112) on one connection, one request at a time.
final class ClientConnection {
    private let socket: ClientSocket
    private let authority: String
    private var received: [UInt8] = []
    /// Where the next unread byte of `received` stands.
    private var position = 0
    /// Whether the connection may carry another request.
    private(set) var isReusable = true
    private(set) var exchanges = 0
    /// Of an answer that goes on: its bytes without their framing, up to a line that is not all there.
    private var streamed: [UInt8] = []

    static let maxHeadBytes = 64 << 10
    static let maxBodyBytes = 256 << 20
    private static let connectTimeoutMilliseconds: Int64 = 3_000

    init(to endpoint: Endpoint) throws(ClientError) {
        let deadline = SystemClock.monotonicMilliseconds() + Self.connectTimeoutMilliseconds
        socket = try ClientSocket.connect(to: endpoint, deadline: deadline)
        authority = endpoint.description
    }

    /// Sends the request and waits for its reply. After an error the connection is of no further use.
    func exchange(
        _ request: ClientRequest, token: String?
    ) throws(ClientError) -> ClientResponse {
        precondition(isReusable, "a connection that broke carries nothing more")
        let deadline = SystemClock.monotonicMilliseconds() + request.timeoutMilliseconds
        isReusable = false
        exchanges += 1
        try socket.send(encoded(request, token: token), deadline: deadline)
        while true {
            let head = try readHead(deadline: deadline)
            // 100 Continue and its like precede the reply.
            if (100...199).contains(head.status) { continue }
            let body = try readBody(of: head, request: request, deadline: deadline)
            return ClientResponse(status: head.status, headers: head.headers, body: body)
        }
    }

    /// Sends a request whose answer does not end by itself. The reply has a body only if it is no success; else
    /// `nextLine` follows.
    func open(_ request: ClientRequest, token: String?) throws(ClientError) -> ClientResponse {
        precondition(isReusable, "a connection that broke carries nothing more")
        let deadline = SystemClock.monotonicMilliseconds() + request.timeoutMilliseconds
        isReusable = false
        exchanges += 1
        try socket.send(encoded(request, token: token), deadline: deadline)
        let head = try readHead(deadline: deadline)
        let isStream = head.status == 200 && head.header("transfer-encoding") == "chunked"
        let body = isStream ? [] : try readBody(of: head, request: request, deadline: deadline)
        return ClientResponse(status: head.status, headers: head.headers, body: body)
    }

    /// The next line of an answer that goes on, without its end; nil once the node has ended it. Fails if nothing
    /// comes for so long.
    func nextLine(within milliseconds: Int64) throws(ClientError) -> String? {
        let deadline = SystemClock.monotonicMilliseconds() + milliseconds
        while true {
            if let end = streamed.firstIndex(of: 0x0A) {
                let line = String(decoding: streamed[..<end], as: UTF8.self)
                streamed.removeFirst(end + 1)
                return line
            }
            guard streamed.count <= Self.maxHeadBytes else {
                throw .malformedReply("an endless line")
            }
            guard let chunk = try readChunk(deadline: deadline) else { return nil }
            streamed += chunk
        }
    }

    private func encoded(_ request: ClientRequest, token: String?) -> [UInt8] {
        var head = "\(request.method) \(request.target) HTTP/1.1\r\nHost: \(authority)\r\n"
        head += "User-Agent: carillon/\(ProductVersion.text)\r\nAccept: application/json\r\n"
        if let token { head += "Authorization: Bearer \(token)\r\n" }
        if let namespace = request.namespace {
            head += "X-Carillon-Namespace: \(namespace)\r\n"
        }
        if let key = request.idempotencyKey { head += "Idempotency-Key: \(key)\r\n" }
        if !request.body.isEmpty { head += "Content-Type: \(request.contentType)\r\n" }
        if request.method != "GET" { head += "Content-Length: \(request.body.count)\r\n" }
        return Array((head + "\r\n").utf8) + request.body
    }

    // MARK: Head

    private struct Head {
        var status: Int
        var isVersion11: Bool
        var headers: [(name: String, value: String)]

        func header(_ name: String) -> String? {
            headers.first { $0.name == name }?.value
        }
    }

    private func readHead(deadline: Int64) throws(ClientError) -> Head {
        let statusLine = try readLine(deadline: deadline)
        let words = statusLine.split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), words[1].utf8.count == 3,
            let status = Int(words[1]), status >= 100
        else { throw .malformedReply("it begins with \"\(statusLine.prefix(40))\"") }
        var head = Head(status: status, isVersion11: words[0] == "HTTP/1.1", headers: [])
        var headBytes = 0
        while true {
            let line = try readLine(deadline: deadline)
            if line.isEmpty { return head }
            headBytes += line.utf8.count
            guard headBytes <= Self.maxHeadBytes else { throw .malformedReply("endless headers") }
            guard let colon = line.firstIndex(of: ":") else {
                throw .malformedReply("a header without a colon")
            }
            let value = line[line.index(after: colon)...].trimmingSpaces
            head.headers.append((line[..<colon].lowercased(), value))
        }
    }

    /// Up to the next CR LF, without it.
    private func readLine(deadline: Int64) throws(ClientError) -> String {
        var searched = position
        while true {
            if let end = received[searched...].firstIndex(of: 0x0A) {
                let hasCarriageReturn = end > position && received[end - 1] == 0x0D
                let line = received[position..<(hasCarriageReturn ? end - 1 : end)]
                position = end + 1
                return String(decoding: line, as: UTF8.self)
            }
            let unreadBytes = received.count - position
            guard unreadBytes <= Self.maxHeadBytes else { throw .malformedReply("an endless line") }
            try receiveMore(deadline: deadline)
            searched = position + unreadBytes
        }
    }

    // MARK: Body

    /// Framing by RFC 9112, section 6.3.
    private func readBody(
        of head: Head, request: ClientRequest, deadline: Int64
    ) throws(ClientError) -> [UInt8] {
        let connection = head.header("connection")?.lowercased()
        let staysOpen = head.isVersion11 ? connection != "close" : connection == "keep-alive"
        if head.status == 204 || head.status == 304 || request.method == "HEAD" {
            isReusable = staysOpen
            return []
        }
        if let coding = head.header("transfer-encoding") {
            guard coding.lowercased() == "chunked" else {
                throw .malformedReply("transfer coding \(coding.prefix(40))")
            }
            let body = try readChunks(deadline: deadline)
            isReusable = staysOpen
            return body
        }
        if let length = head.header("content-length") {
            guard let count = Int(length), (0...Self.maxBodyBytes).contains(count) else {
                throw .malformedReply("content length \(length.prefix(40))")
            }
            let body = try read(count, deadline: deadline)
            isReusable = staysOpen
            return body
        }
        while try socket.receive(into: &received, deadline: deadline) {
            guard received.count <= Self.maxBodyBytes else { throw .malformedReply("endless body") }
        }
        defer { position = received.count }
        return Array(received[position...])
    }

    private func readChunks(deadline: Int64) throws(ClientError) -> [UInt8] {
        var body: [UInt8] = []
        while let chunk = try readChunk(deadline: deadline) {
            guard body.count + chunk.count <= Self.maxBodyBytes else {
                throw .malformedReply("endless body")
            }
            body += chunk
        }
        return body
    }

    /// nil: there are no more, and the trailers are read.
    private func readChunk(deadline: Int64) throws(ClientError) -> [UInt8]? {
        let line = try readLine(deadline: deadline)
        let digits = line.prefix { $0 != ";" }
        guard !digits.isEmpty, digits.utf8.count <= 8, let size = Int(digits, radix: 16),
            size <= Self.maxBodyBytes
        else { throw .malformedReply("chunk size \(line.prefix(40))") }
        guard size > 0 else {
            while try !readLine(deadline: deadline).isEmpty {}
            return nil
        }
        let chunk = try read(size, deadline: deadline)
        guard try readLine(deadline: deadline).isEmpty else {
            throw .malformedReply("a chunk without its end")
        }
        return chunk
    }

    private func read(_ count: Int, deadline: Int64) throws(ClientError) -> [UInt8] {
        while received.count - position < count { try receiveMore(deadline: deadline) }
        let bytes = Array(received[position..<position + count])
        position += count
        return bytes
    }

    private func receiveMore(deadline: Int64) throws(ClientError) {
        if position == received.count {
            received.removeAll(keepingCapacity: true)
            position = 0
        }
        guard try socket.receive(into: &received, deadline: deadline) else {
            throw .broken("connection lost")
        }
    }
}
