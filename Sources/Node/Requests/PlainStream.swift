/// One connection to a server of plain http: made for a request, it carries one after the other until it is closed. Its
/// host decides which.
final class PlainStream {
    /// A server that says "wait" more often than this says nothing else.
    private static let maxInterimReplies = 16

    private unowned let host: PlainHost
    private let loop: Loop
    private let limits: PlainLimits
    private var exchange: PlainExchange?
    private var race: DialRace?
    private var connection: Connection?
    /// It carried a request before the present one.
    private var hasServed = false
    /// What the connection had sent before the present request.
    private var sentBefore: UInt64 = 0

    // Of the present reply:
    private var parser = HTTPReplyParser()
    private var head: HTTPReplyHead?
    private var reader: HTTPBodyReader?
    private var body: [UInt8] = []
    private var hasReceived = false
    private var interimReplies = 0

    init(_ host: PlainHost, for exchange: PlainExchange, loop: Loop, limits: PlainLimits) {
        self.host = host
        self.loop = loop
        self.limits = limits
        self.exchange = exchange
        exchange.place = .stream(self)
    }

    /// Lets go of everything, and calls nobody.
    func close() {
        exchange?.place = .over
        exchange = nil
        race?.cancel()
        race = nil
        connection?.close()
        connection = nil
    }

    // MARK: Connecting

    func connect(to addresses: [SocketAddress]) {
        guard exchange != nil else { return }
        race = DialRace(loop: loop, addresses: addresses, limits: limits.dials) {
            [unowned self] result in
            race = nil
            switch result {
            case .success(let connection): adopt(connection)
            case .failure(let error):
                host.forgetAddresses()
                fail("could not connect to the server: \(error.reason)")
            }
        }
    }

    /// Its request is cancelled.
    func cancel() {
        exchange = nil
        drop()
    }

    func fail(_ reason: String) {
        guard let exchange else { return }
        close()
        host.remove(self)
        exchange.end(.failed(reason: reason))
    }

    private func adopt(_ connection: Connection) {
        self.connection = connection
        // A reply may come before the request is all sent: then it says why the rest is not wanted.
        connection.limits.highWaterBytes = .max
        connection.limits.readsAfterFailedWrite = true
        // How long a request may take is for its owner to say.
        connection.limits.writeStallMilliseconds = limits.writeStallMilliseconds
        connection.detectDeadPeer(afterMilliseconds: limits.deadPeerMilliseconds)
        connection.onBytes = { [unowned self] in receive($0) }
        connection.onEnd = { [unowned self] in serverEnded() }
        connection.onDeadline = { [unowned self] in drop() }
        connection.onClose = { [unowned self] reason in
            switch reason {
            case .finished: lost("")
            case .failed(let error): lost(": \(error.reason)")
            }
        }
        host.hasConnected(to: connection.remote)
        sendRequest()
    }

    // MARK: Keeping

    /// Nothing came unasked, and the server has not closed it, as far as this machine has heard. So what was closed while nobody
    /// used it is not taken, and no reply is taken for that to another request.
    var isFresh: Bool { connection?.isQuiet == true }

    /// Carries another request.
    func start(_ exchange: PlainExchange) {
        self.exchange = exchange
        exchange.place = .stream(self)
        connection?.clearDeadline()
        sendRequest()
    }

    /// Nobody needs it now.
    func rest() {
        connection?.setDeadline(loop.now + UInt64(limits.idleMilliseconds) * 1_000_000)
    }

    /// Closes while nobody waits for anything from it.
    private func drop() {
        close()
        host.remove(self)
    }

    // MARK: Request

    private func sendRequest() {
        guard let exchange, let connection else { return }
        parser = HTTPReplyParser()
        head = nil
        reader = nil
        body = []
        hasReceived = false
        interimReplies = 0
        let request = exchange.request
        sentBefore = connection.sentBytes
        connection.write { RequestWriter.append(request, to: exchange.address, into: &$0) }
        if let body = request.body { connection.write(body) }
    }

    // MARK: Reply

    private func receive(_ bytes: Span<UInt8>) -> Int {
        guard exchange != nil else {
            // Nobody has asked anything.
            drop()
            return bytes.count
        }
        hasReceived = true
        var offset = 0
        do throws(MalformedReply) {
            while head == nil {
                let rest = bytes.extracting(offset..<bytes.count)
                guard let (found, count) = try parser.parse(rest, maxHeadBytes: limits.maxHeadBytes)
                else { return offset }
                offset += count
                try begin(found)
                if head == nil && offset == bytes.count { return offset }
            }
            try receiveBody(bytes.extracting(offset..<bytes.count))
        } catch {
            fail("the server's answer is not HTTP: \(error.reason)")
        }
        return bytes.count
    }

    private func begin(_ found: HTTPReplyHead) throws(MalformedReply) {
        if found.isInterim {
            interimReplies += 1
            // Nothing asked for another protocol.
            guard found.status != 101, interimReplies <= Self.maxInterimReplies else {
                throw MalformedReply(reason: "status \(found.status)")
            }
            return
        }
        head = found
        // How much is taken is decided by what has come, not by what is announced.
        var reading = HTTPLimits()
        reading.maxBodyBytes = 1 << 56
        reading.maxChunkOverheadBytes = limits.maxChunkOverheadBytes(bodyBytes: maxBodyBytes)
        switch found.framing(isHead: exchange?.request.method == "HEAD") {
        case .none: reader = HTTPBodyReader(length: 0, limits: reading)
        case .length(let length):
            reader = HTTPBodyReader(length: length, limits: reading)
            body.reserveCapacity(min(length, maxBodyBytes))
        case .chunked: reader = .chunked(limits: reading, allowsPadding: true)
        case .untilClose: reader = nil
        }
    }

    /// One byte more than is wanted tells that there is more.
    private var maxBodyBytes: Int { (exchange?.request.maxReplyBytes ?? 0) + 1 }

    private func receiveBody(_ bytes: Span<UInt8>) throws(MalformedReply) {
        var used = bytes.count
        if reader != nil {
            do throws(HTTPFailure) {
                used = try reader!.consume(bytes, into: &body)
            } catch {
                throw MalformedReply(reason: error.detail)
            }
        } else {
            bytes.append(to: &body)
        }
        if body.count > maxBodyBytes {
            body.removeSubrange(maxBodyBytes...)
            complete(isCutOff: true, isReusable: false)
        } else if reader?.isDone == true {
            complete(isCutOff: false, isReusable: used == bytes.count)
        }
    }

    private func complete(isCutOff: Bool, isReusable: Bool) {
        guard let exchange, let head, let connection else { return }
        let reply = PlainReply.response(head, body: body, isCutOff: isCutOff)
        body = []
        self.exchange = nil
        // A request that the server did not wait for to end would go on in front of the next one.
        if isReusable, !head.closesAfterwards, connection.hasSentAll {
            hasServed = true
            host.keep(self)
        } else {
            drop()
        }
        exchange.end(reply)
    }

    // MARK: The end

    private func serverEnded() {
        guard exchange != nil else { return drop() }
        if head != nil && reader == nil {
            complete(isCutOff: false, isReusable: false)
        } else {
            lost("")
        }
    }

    /// The connection is gone, or of no further use.
    private func lost(_ words: String) {
        guard let exchange else { return drop() }
        guard hasServed, !hasReceived, mayRepeat(exchange.request) else {
            return fail("the connection broke off\(words)")
        }
        // The new connection has served nobody, so it does not do so again.
        self.exchange = nil
        close()
        host.replace(self, for: exchange)
    }

    /// A server may close a kept connection at any time, also while a request is on its way to it, and then it has not seen the
    /// request. It can't be told from a server that dies over its work: so only a request that may be done twice is sent
    /// again, or one of which nothing left (RFC 9110 9.2.2). Of any other its owner decides, whose task may be one to be
    /// done at most once.
    private func mayRepeat(_ request: OutgoingRequest) -> Bool {
        request.isIdempotent || connection?.sentBytes == sentBefore
    }
}
