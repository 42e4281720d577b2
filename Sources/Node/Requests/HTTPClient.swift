/// Sends requests to servers, and follows where they redirect to.
///
/// Plain http goes over connections of the loop (`PlainClient`), which costs a few microseconds; `URLSession` with its threads does what
/// needs TLS or a proxy, and is made when it is first needed: few nodes need its memory.
final class HTTPClient {
    static let maxRedirections = 20

    private enum Route {
        case plain(PlainExchange)
        /// The session's number.
        case session(Int)
        /// It has failed, which its owner will hear in the next turn.
        case failing
    }

    private struct Exchange {
        var route = Route.failing
        var redirections = 0
        let onReply: (OutgoingReply) -> Void
    }

    private let loop: Loop
    private let plain: PlainClient
    private let usesProxy: Bool
    private var knownSession: SessionClient?
    private var exchanges: [Int: Exchange] = [:]
    private var lastNumber = 0

    init(
        loop: Loop, limits: PlainLimits = PlainLimits(),
        usesProxy: Bool = HTTPClient.environmentNamesProxy
    ) throws(IOError) {
        self.loop = loop
        self.usesProxy = usesProxy
        plain = try PlainClient(loop: loop, limits: limits)
    }

    /// `URLSession` goes by these, and knows the exceptions in `no_proxy` and how to talk to a proxy.
    static var environmentNamesProxy: Bool {
        ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"].contains {
            Environment.value($0)?.isEmpty == false
        }
    }

    /// Sends a request and returns its number; nil if its URL is none. `onReply` is called on the loop,
    /// once and in a later turn, unless the request is cancelled before.
    func send(
        _ request: OutgoingRequest, onReply: @escaping (OutgoingReply) -> Void
    ) -> Int? {
        let number = lastNumber + 1
        exchanges[number] = Exchange(onReply: onReply)
        guard let route = route(request, number) else {
            exchanges[number] = nil
            return nil
        }
        lastNumber = number
        exchanges[number]?.route = route
        return number
    }

    func cancel(_ number: Int) {
        switch exchanges.removeValue(forKey: number)?.route {
        case .plain(let exchange): plain.cancel(exchange)
        case .session(let task): knownSession?.cancel(task)
        case .failing, nil: break
        }
    }

    // MARK: Ways

    /// nil: the URL is none.
    private func route(_ request: OutgoingRequest, _ number: Int) -> Route? {
        let isPlain = RequestAddress.isHTTP(request.url) && !usesProxy
        let address = isPlain ? RequestAddress(request.url) : nil
        guard address != nil || (!isPlain && SessionClient.url(request.url) != nil) else {
            return nil
        }
        if let problem = RequestWriter.problem(with: request) {
            return failing(number, "can't send: \(problem)", isRetryable: false)
        }
        if let address {
            return .plain(
                plain.send(request, to: address) { [weak self] reply in
                    self?.answered(number, request, reply)
                })
        }
        do throws(IOError) {
            let task = try session().send(request) { [weak self] reply in
                self?.end(number, reply)
            }
            return task.map { .session($0) }
        } catch {
            return failing(number, "can't send: \(error.description)", isRetryable: true)
        }
    }

    private func session() throws(IOError) -> SessionClient {
        if let knownSession { return knownSession }
        let made = try SessionClient(loop: loop)
        knownSession = made
        return made
    }

    private func failing(_ number: Int, _ reason: String, isRetryable: Bool) -> Route {
        loop.later { [weak self] in
            self?.end(number, .failed(reason: reason, isRetryable: isRetryable))
        }
        return .failing
    }

    // MARK: Replies

    private func end(_ number: Int, _ reply: OutgoingReply) {
        // Nobody waits for a request that was cancelled.
        exchanges.removeValue(forKey: number)?.onReply(reply)
    }

    private func answered(_ number: Int, _ request: OutgoingRequest, _ reply: PlainReply) {
        switch reply {
        case .failed(let reason):
            end(number, .failed(reason: reason, isRetryable: true))
        case .response(let head, let body, let isCutOff):
            if let redirected = Redirection.request(after: request, head) {
                return follow(number, redirected)
            }
            guard let encoding = head.contentEncoding, !body.isEmpty, request.readsReply else {
                return end(number, Self.response(head, body, isCutOff))
            }
            // Of a refusal only the words are lost.
            guard (200...299).contains(head.status) else {
                return end(number, Self.response(head, [], isCutOff))
            }
            // Asked again, the server would do its work again and answer alike.
            let reason = "the server's answer is encoded as \"\(encoding.prefix(40))\""
            end(number, .failed(reason: reason, isRetryable: false))
        }
    }

    private static func response(
        _ head: HTTPReplyHead, _ body: [UInt8], _ isCutOff: Bool
    ) -> OutgoingReply {
        .response(
            status: head.status, retryAfter: head.retryAfter, body: body, isCutOff: isCutOff)
    }

    private func follow(_ number: Int, _ request: OutgoingRequest) {
        guard let redirections = exchanges[number]?.redirections else { return }
        guard redirections < Self.maxRedirections else {
            let reason = "the server redirects without end"
            return end(number, .failed(reason: reason, isRetryable: true))
        }
        exchanges[number]?.redirections += 1
        // A server decides here where the request goes: not to files, and to nothing else that a session knows.
        guard Redirection.isFollowed(request.url), let route = route(request, number) else {
            let reason = "the server redirects to \"\(request.url)\", which can't be requested"
            return end(number, .failed(reason: reason, isRetryable: false))
        }
        exchanges[number]?.route = route
    }
}
