import Raft

/// One client's connection: takes requests apart as their bytes arrive, hands them to the server's
/// handler, and returns the answers in order. This file reads requests and ends the connection;
/// `HTTPConnection+Answers` sends the answers.
final class HTTPConnection {
    enum Phase {
        /// Between requests, or within a head.
        case head
        case body
        /// A request to change protocols is being answered; what follows may not be HTTP.
        case upgradePending
        case upgraded(HTTPUpgrade)
        /// No further request is taken; what arrives is thrown away.
        case finished
    }

    let connection: Connection
    let server: HTTPServer
    var limits: HTTPLimits { server.limits }
    var phase = Phase.head
    private var parser = HTTPHeadParser()
    private var reader: HTTPBodyReader
    /// The request whose body is being received.
    private var request: HTTPRequest?
    var exchanges: [HTTPExchange] = []
    /// The first exchange's number; the others follow.
    var firstSequence: UInt64 = 0
    var isPaused = false
    /// A client waits for "100 Continue", and earlier answers have to go first.
    private var owesContinue = false
    /// When the head or body being received began.
    private var phaseStart: Nanoseconds?
    private var hasServed = false

    init(connection: Connection, server: HTTPServer) {
        self.connection = connection
        self.server = server
        reader = HTTPBodyReader(length: 0, limits: server.limits)
        connection.onBytes = { [unowned self] bytes in consume(bytes) }
        connection.onEnd = { [unowned self] in clientEnded() }
        connection.onDeadline = { [unowned self] in timedOut() }
        connection.onClose = { [unowned self] _ in tearDown() }
        updateDeadline()
    }

    var isIdle: Bool {
        guard case .head = phase else { return false }
        return exchanges.isEmpty && !parser.hasBegun
    }

    var isClientGone: Bool { connection.isClosed || connection.isPeerDone }
    var queuedBytes: Int { connection.queuedBytes }

    // MARK: Requests

    private var canTakeRequests: Bool {
        exchanges.count < limits.maxPipelinedRequests && !connection.isOverHighWater
            && !connection.isClosed
    }

    private func consume(_ bytes: Span<UInt8>) -> Int {
        var offset = 0
        do throws(HTTPFailure) {
            while offset < bytes.count && canTakeRequests {
                let rest = bytes.extracting(offset..<bytes.count)
                let used: Int
                switch phase {
                case .head: used = try consumeHead(rest)
                case .body: used = try consumeBody(rest)
                case .upgradePending: used = 0
                case .upgraded(let upgrade): used = upgrade.onBytes(rest)
                case .finished: used = rest.count
                }
                offset += used
                if used == 0 { break }
            }
        } catch {
            refuse(error)
            return bytes.count
        }
        if !isPaused && exchanges.count >= limits.maxPipelinedRequests {
            isPaused = true
            connection.pauseReading()
        }
        updateDeadline()
        return offset
    }

    private func consumeHead(_ bytes: Span<UInt8>) throws(HTTPFailure) -> Int {
        guard let (head, byteCount) = try parser.parse(bytes, limits: limits) else {
            if phaseStart == nil { phaseStart = connection.loop.now }
            return 0
        }
        phaseStart = nil
        // Only if all earlier answers left may this one change the protocol.
        let canUpgrade = head.asksToUpgrade && exchanges.isEmpty
        let request = HTTPRequest(
            head: head, bytes: bytes.extracting(0..<byteCount).array(), remote: connection.remote,
            receivedAt: connection.loop.now, canUpgrade: canUpgrade)
        guard head.isChunked || head.contentLength ?? 0 > 0 else {
            dispatch(request)
            return byteCount
        }
        try beginBody(request, hasMore: bytes.count > byteCount)
        return byteCount
    }

    private func beginBody(_ request: HTTPRequest, hasMore: Bool) throws(HTTPFailure) {
        self.request = request
        if let length = request.head.contentLength {
            guard length <= limits.maxBodyBytes else {
                throw HTTPFailure(413, "The body is larger than \(limits.maxBodyBytes) bytes.")
            }
            reader = HTTPBodyReader(length: length, limits: limits)
            // Not the whole length at once: a client that only claims it must not cost memory.
            self.request?.body.reserveCapacity(min(length, Self.firstBodyBytes))
        } else {
            reader = .chunked(limits: limits)
        }
        phase = .body
        phaseStart = connection.loop.now
        if request.head.expectsContinue && !request.head.isVersion10 && !hasMore {
            owesContinue = true
            sendContinue()
        }
    }

    private static let firstBodyBytes = 64 * 1024
    private static let bodyGrowth = 4

    private func consumeBody(_ bytes: Span<UInt8>) throws(HTTPFailure) -> Int {
        owesContinue = false
        let used = try receiveBody(bytes)
        if reader.isDone, let request = takeRequest() {
            phase = .head
            phaseStart = nil
            dispatch(request)
        } else if server.bodyBytes > limits.maxTotalBodyBytes {
            throw HTTPFailure(503, "Too many large requests at once; try again.")
        }
        return used
    }

    /// Counts what was received also if the rest is refused.
    private func receiveBody(_ bytes: Span<UInt8>) throws(HTTPFailure) -> Int {
        let before = request!.body.count
        if before + bytes.count > request!.body.capacity, let length = request!.head.contentLength {
            // By more than it would grow by itself: each step is a copy, and fresh memory.
            request!.body.reserveCapacity(
                min(length, Self.bodyGrowth * (before + bytes.count)))
        }
        defer { server.bodyBytes += request!.body.count - before }
        return try reader.consume(bytes, into: &request!.body)
    }

    /// Ends the reception of a body, so that its bytes no longer count as being received.
    private func takeRequest() -> HTTPRequest? {
        let taken = request
        request = nil
        server.bodyBytes -= taken?.body.count ?? 0
        return taken
    }

    private func dispatch(_ request: HTTPRequest) {
        let closes = request.head.closesAfterwards
        if closes {
            phase = .finished
        } else if request.canUpgrade {
            phase = .upgradePending
            // Bytes that may not be HTTP must not pile up before it is decided what they are.
            connection.pauseReading()
        }
        let sequence = firstSequence + UInt64(exchanges.count)
        exchanges.append(
            HTTPExchange(
                isHead: request.method == .head, isVersion10: request.head.isVersion10,
                closes: closes))
        hasServed = true
        server.handler(request, HTTPResponder(connection: self, sequence: sequence))
    }

    /// Answers what cannot be understood, after the answers that are due before it.
    private func refuse(_ failure: HTTPFailure) {
        _ = takeRequest()
        phase = .finished
        owesContinue = false
        var exchange = HTTPExchange(isHead: false, isVersion10: false, closes: true)
        exchange.lingers = true
        var response = HTTPResponse.problem(status: failure.status, detail: failure.detail)
        if failure.status == 503 { response.headers.append(("retry-after", "1")) }
        exchange.answer = .ready(response)
        exchanges.append(exchange)
        advance()
    }

    func sendContinue() {
        guard owesContinue, exchanges.isEmpty else { return }
        owesContinue = false
        connection.write { $0.append(literal: "HTTP/1.1 100 Continue\r\n\r\n") }
    }

    // MARK: The end

    func finish(lingering: Bool) {
        phase = .finished
        dropExchanges()
        connection.clearDeadline()
        connection.finish(lingering: lingering)
    }

    /// The client shut its side down: most likely it went away, but it may also have said all it had
    /// to say. So handlers are told, and answers that come are sent all the same.
    private func clientEnded() {
        if case .upgraded = phase {
            connection.close()
            tearDown()
            return
        }
        _ = takeRequest()
        phase = .finished
        guard !exchanges.isEmpty else {
            connection.close()
            tearDown()
            return
        }
        exchanges[exchanges.count - 1].closes = true
        connection.clearDeadline()
        tellClosed()
    }

    /// Stops waiting for the next request, at once if none is being handled.
    func drain() {
        if isIdle {
            connection.close()
            tearDown()
        }
    }

    /// Closes now; nothing more is sent.
    func close() {
        connection.close()
        tearDown()
    }

    private func timedOut() {
        switch phase {
        case .head where parser.hasBegun:
            refuse(HTTPFailure(408, "The request's head did not arrive in time."))
        case .body:
            refuse(HTTPFailure(408, "The request's body did not arrive in time."))
        case .head where exchanges.isEmpty:
            connection.close()
            tearDown()
        case .head, .upgradePending, .upgraded, .finished:
            break
        }
    }

    /// How long a client may take for what it does now. While a handler works there is no limit.
    func updateDeadline() {
        let now = connection.loop.now
        switch phase {
        case .head where parser.hasBegun:
            connection.setDeadline((phaseStart ?? now) + milliseconds(limits.headMilliseconds))
        case .head where exchanges.isEmpty:
            let limit = hasServed ? limits.idleMilliseconds : limits.headMilliseconds
            connection.setDeadline(now + milliseconds(limit))
        case .body:
            let granted = (request?.body.count ?? 0) / max(1, limits.minBodyBytesPerSecond / 1000)
            connection.setDeadline(
                (phaseStart ?? now) + milliseconds(limits.bodyMilliseconds + granted))
        case .head, .upgradePending, .upgraded, .finished:
            connection.clearDeadline()
        }
    }

    private func milliseconds(_ count: Int) -> Nanoseconds { UInt64(count) * 1_000_000 }

    func tearDown() {
        _ = takeRequest()
        let upgrade: HTTPUpgrade?
        if case .upgraded(let value) = phase { upgrade = value } else { upgrade = nil }
        phase = .finished
        tellClosed()
        dropExchanges()
        server.remove(self)
        upgrade?.connectionClosed()
    }

    private func tellClosed() {
        // Looked up anew each time: a handler may answer in the call-back.
        while let index = exchanges.firstIndex(where: { $0.onClose != nil }) {
            let onClose = exchanges[index].onClose
            exchanges[index].onClose = nil
            onClose?()
        }
    }

    private func dropExchanges() {
        firstSequence += UInt64(exchanges.count)
        exchanges.removeAll()
    }
}
