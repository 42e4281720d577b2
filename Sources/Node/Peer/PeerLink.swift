import Glibc
import Raft

/// Our connection to one peer: calls it, calls again whenever the connection is lost, and carries what
/// we have to tell it.
final class PeerLink {
    private enum State {
        /// For the next attempt.
        case waiting(TimerID)
        case resolving
        case dialing(Dial)
        /// Our hello is on its way.
        case greeting(Connection)
        case connected(Connection)
        case closed
    }

    let id: String
    let endpoint: Endpoint

    private let transport: PeerTransport
    private var loop: Loop { transport.loop }
    private var limits: PeerLimits { transport.limits }
    private var state = State.closed
    /// Tells the answers to an older attempt's questions apart.
    private var attempt: UInt64 = 0
    private var reader: PeerFrame.Reader
    private var backoff: PeerBackoff
    private var generator = SystemRandomNumberGenerator()
    /// The other addresses of a host name get their turn when one fails.
    private var failedAttempts = 0
    /// When the other side closed the connection, until it is known whether it still listens.
    private var lostAt: Nanoseconds?
    private var lastHeard: Nanoseconds = 0
    private var pingTimer: TimerID?
    private var counters: PeerStatus

    init(transport: PeerTransport, id: String, endpoint: Endpoint) {
        self.transport = transport
        self.id = id
        self.endpoint = endpoint
        let limits = transport.limits
        reader = PeerFrame.Reader(maxPayloadBytes: 0)
        backoff = PeerBackoff(
            firstMilliseconds: limits.firstBackoffMilliseconds,
            maxMilliseconds: limits.maxBackoffMilliseconds)
        counters = PeerStatus(id: id, endpoint: endpoint)
    }

    var status: PeerStatus {
        var status = counters
        if case .connected(let connection) = state {
            status.isConnected = true
            status.queuedBytes = connection.queuedBytes
        }
        return status
    }

    /// Begins to call.
    func start() {
        attempt += 1
        let attempt = self.attempt
        state = .resolving
        transport.resolver.resolve(endpoint) { [weak self] answer in
            guard let self, self.attempt == attempt else { return }
            switch answer {
            case .success(let addresses):
                dial(addresses[failedAttempts % addresses.count])
            case .failure(let error):
                failed(error.description, after: backoff.next(using: &generator))
            }
        }
    }

    /// The peer has just called us, so it is there: if we wait for the next attempt, wait no longer.
    func nudge() {
        guard case .waiting = state else { return }
        release()
        start()
    }

    /// Ends for good, without a word to the owner.
    func close() {
        attempt += 1
        release()
        state = .closed
    }

    /// False if the frame was dropped: no connection, or too much is waiting already.
    /// Or the node that has that name now is another one.
    func send(_ pieces: [[UInt8]], to peer: NodeID) -> Bool {
        let byteCount = PeerFrame.byteCount(of: pieces)
        guard case .connected(let connection) = state, counters.hello?.id == peer,
            byteCount <= limits.maxFrameBytes,
            connection.queuedBytes + byteCount <= limits.maxQueuedBytes
        else {
            counters.droppedFrames += 1
            return false
        }
        PeerFrame.write(.message, pieces: pieces, to: connection)
        counters.sentFrames += 1
        counters.sentBytes += UInt64(byteCount + PeerFrame.headerBytes)
        return true
    }

    // MARK: Connecting

    private func dial(_ address: SocketAddress) {
        state = .dialing(
            Dial(
                loop: loop, address: address, timeoutMilliseconds: limits.connectMilliseconds
            ) { [weak self] result in
                guard let self, case .dialing = state else { return }
                switch result {
                case .success(let connection): greet(connection)
                case .failure(let error): dialFailed(error)
                }
            })
    }

    private func dialFailed(_ error: IOError) {
        let isGone =
            error.code == ECONNREFUSED
            && lostAt.map { loop.now - $0 <= milliseconds(limits.goneMilliseconds) } ?? false
        failed(error.description, after: backoff.next(using: &generator))
        if isGone, let gone = counters.hello?.id {
            lostAt = nil
            transport.onState(id, .gone(gone))
        }
    }

    private func greet(_ connection: Connection) {
        state = .greeting(connection)
        reader = PeerFrame.Reader(
            maxPayloadBytes: max(PeerHello.maxBytes, 1 + PeerRefusal.maxReasonBytes))
        transport.prepare(connection)
        connection.onBytes = { [unowned self] bytes in consume(bytes) }
        connection.onEnd = { [unowned self] in lost("the peer closed the connection", isReset: true)
        }
        connection.onClose = { [unowned self] reason in
            guard case .failed(let error) = reason else { return }
            lost(error.description, isReset: error.code == ECONNRESET || error.code == EPIPE)
        }
        connection.onDeadline = { [unowned self] in lost("the peer is silent", isReset: false) }
        connection.setDeadline(loop.now + milliseconds(limits.helloMilliseconds))
        PeerFrame.write(.hello, transport.hello(to: id).bytes, to: connection)
    }

    private func welcomed(by hello: PeerHello, _ connection: Connection) {
        state = .connected(connection)
        reader.maxPayloadBytes = max(PeerHello.maxBytes, 1 + PeerRefusal.maxReasonBytes)
        backoff.reset()
        failedAttempts = 0
        lostAt = nil
        counters.hello = hello
        counters.lastFailure = nil
        connection.clearDeadline()
        lastHeard = loop.now
        transport.log("connected to \(id) at \(endpoint)")
        ping()
        transport.onHello(hello)
        transport.onState(id, .connected(hello.id, incarnation: hello.incarnation))
    }

    // MARK: Connected

    private func consume(_ bytes: Span<UInt8>) -> Int {
        var offset = 0
        lastHeard = loop.now
        do throws(PeerFrame.Malformed) {
            while let frame = try reader.next(bytes, offset: &offset) {
                switch state {
                case .greeting(let connection): greeted(frame, connection)
                case .connected: heard(frame)
                case .waiting, .resolving, .dialing, .closed: return bytes.count
                }
            }
        } catch {
            lost(error.reason, isReset: false)
            return bytes.count
        }
        return offset
    }

    private func greeted(_ frame: PeerFrame, _ connection: Connection) {
        if frame.kind == .hello, let hello = PeerHello(frame.payload) {
            if let refusal = hello.refusal(by: transport.hello(to: id), expecting: id) {
                refused(refusal)
            } else {
                welcomed(by: hello, connection)
            }
        } else if frame.kind == .refusal, let refusal = PeerRefusal(frame.payload) {
            refused(refusal)
        } else {
            lost("the peer's first frame is no hello", isReset: false)
        }
    }

    private func heard(_ frame: PeerFrame) {
        guard frame.kind == .pong, frame.payload.count == 8 else {
            lost("the peer sent an unexpected frame", isReset: false)
            return
        }
        let sentAt = PeerFrame.number(frame.payload.span, at: 0, bytes: 8)
        guard sentAt <= loop.now else { return }
        counters.roundTripNanoseconds = loop.now - sentAt
        counters.answeredPingAt = sentAt
    }

    /// Asks for a sign of life, sooner than the next ping would.
    func probe() {
        if let pingTimer { loop.cancel(pingTimer) }
        pingTimer = nil
        ping()
    }

    /// Sends a ping, and gives up a peer that is silent. One that only drains our queue slowly is not:
    /// our pings stand at the end of it.
    private func ping() {
        guard case .connected(let connection) = state else { return }
        let alive = max(lastHeard, connection.lastUnblocked)
        guard loop.now - alive <= milliseconds(limits.silenceMilliseconds) else {
            lost("the peer is silent", isReset: false)
            return
        }
        var payload: [UInt8] = []
        // Not when the turn began: whoever asks for a sign of life asks for one from now on.
        PeerFrame.append(Loop.clock(), bytes: 8, to: &payload)
        PeerFrame.write(.ping, payload, to: connection)
        let next = loop.now + milliseconds(limits.pingMilliseconds)
        pingTimer = loop.schedule(at: next) { [unowned self] in ping() }
    }

    // MARK: Losing

    private func refused(_ refusal: PeerRefusal) {
        let wait = PeerBackoff.jittered(limits.refusedBackoffMilliseconds, using: &generator)
        failed(refusal.reason, after: wait)
        transport.onState(id, .refused(reason: refusal.reason))
    }

    /// `isReset`: the other side ended the connection, so its process may have ended.
    private func lost(_ reason: String, isReset: Bool) {
        switch state {
        case .connected: break
        case .greeting:
            failed(reason, after: backoff.next(using: &generator))
            return
        case .waiting, .resolving, .dialing, .closed: return
        }
        lostAt = isReset ? loop.now : nil
        // At once: whether somebody still listens there tells a crash from a fault of the network.
        failed(reason, after: isReset ? 0 : backoff.next(using: &generator))
        transport.onState(id, .disconnected(reason: reason))
    }

    private func failed(_ reason: String, after wait: Nanoseconds) {
        // Said once, not at every attempt.
        if counters.lastFailure != reason { transport.log("no connection to \(id): \(reason)") }
        counters.lastFailure = reason
        failedAttempts += 1
        attempt += 1
        release()
        state = .waiting(loop.schedule(at: loop.now + wait) { [unowned self] in start() })
    }

    private func release() {
        if let pingTimer { loop.cancel(pingTimer) }
        pingTimer = nil
        switch state {
        case .waiting(let timer): loop.cancel(timer)
        case .dialing(let dial): dial.cancel()
        case .greeting(let connection), .connected(let connection): connection.close()
        case .resolving, .closed: break
        }
    }

    private func milliseconds(_ count: Int) -> Nanoseconds { UInt64(count) * 1_000_000 }
}
