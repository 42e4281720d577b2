import Glibc
import Raft

/// A buffered TCP stream on the loop, for peers and HTTP alike.
///
/// Reading: `onBytes` sees what arrived, returns how much of it it used, and sees the rest again
/// together with what comes next. Writing: pieces queue up and leave at the end of the turn. While
/// more than `highWaterBytes` wait to be written nothing more is read: who does not take answers may
/// not ask more.
///
/// Call-backs come from the loop only, never from inside a call of the owner. `onClose` comes once, and
/// not after the owner's own `close`.
final class Connection {
    enum CloseReason: Equatable {
        /// What `finish` left to be written was written.
        case finished
        case failed(IOError)
    }

    private enum State {
        case open
        /// Closes when the queue is empty.
        case finishing
        /// Our side is shut down; what the peer still sends is discarded.
        case lingering
        case closed
    }

    let loop: Loop
    let remote: SocketAddress
    var limits: Limits
    var onBytes: (Span<UInt8>) -> Int = { $0.count }
    /// The peer sends no more. It may still read.
    var onEnd: () -> Void = {}
    var onClose: (CloseReason) -> Void = { _ in }
    /// The queue fell below the low-water mark after having been over the high one.
    var onDrain: () -> Void = {}
    /// The time set with `setDeadline` came.
    var onDeadline: () -> Void = {}

    /// When the full socket last took bytes again: the peer's side acknowledged some.
    private(set) var lastUnblocked: Nanoseconds = 0
    /// Bytes that the system took, in all.
    private(set) var sentBytes: UInt64 = 0

    private let socket: Int32
    private var registration: Registration?
    private var state = State.open
    private var output = OutputQueue()
    /// Bytes that `onBytes` left.
    private var pending: [UInt8] = []
    private var isPaused = false
    private var isCongested = false
    private var hasEnded = false
    private var isDirty = false
    private var isBlocked = false
    /// Nothing leaves any more; what has come is still read.
    private var writeFailure: Int32?
    private var shouldLinger = false
    private var lingeredBytes = 0
    private var watched: Readiness = .readable
    private var deadline: Nanoseconds?
    private var timer: TimerID?
    private var timerDeadline: Nanoseconds = 0
    private var stallTimer: TimerID?
    private var lastProgress: Nanoseconds = 0

    init(
        loop: Loop, adopting descriptor: consuming Descriptor, remote: SocketAddress,
        limits: Limits = Limits()
    ) throws(IOError) {
        self.loop = loop
        self.remote = remote
        self.limits = limits
        socket = descriptor.number
        registration = try loop.register(socket, for: .readable) { [unowned self] readiness in
            // Keeps the connection alive while its last owner lets go of it in a call-back.
            let connection = self
            connection.handle(readiness)
        }
        _ = descriptor.release()
    }

    deinit {
        if state != .closed { release() }
    }

    // MARK: Writing

    /// Bytes written and not yet taken by the system.
    var queuedBytes: Int { output.byteCount }
    /// More than the high-water mark was queued, and not yet less than the low one.
    var isOverHighWater: Bool { isCongested }
    var isClosed: Bool { state == .closed }
    /// Neither closed nor about to be.
    var isOpen: Bool { state == .open }
    var isPeerDone: Bool { hasEnded }
    /// The system has taken all that was written.
    var hasSentAll: Bool { output.isEmpty && writeFailure == nil }
    /// Nothing has come that was not used, not even an end. Asks the system.
    var isQuiet: Bool {
        canWrite && !hasEnded && pending.isEmpty && Socket.isQuiet(socket)
    }
    private var canWrite: Bool { state == .open && writeFailure == nil }

    func write(_ bytes: [UInt8]) {
        guard canWrite else { return }
        output.append(bytes)
        hasWritten()
    }

    /// Lets `body` append to the output buffer in place.
    func write(gathering body: (inout [UInt8]) -> Void) {
        guard canWrite else { return }
        output.gather(body)
        hasWritten()
    }

    /// Takes no more writes, and closes when the queue is empty. With `lingering`, what the peer still
    /// sends is read and thrown away for a while: closing with unread input would send a reset, which
    /// destroys the answer on its way (RFC 9112 9.6).
    func finish(lingering: Bool) {
        guard state == .open else { return }
        state = .finishing
        shouldLinger = lingering
        updateWatch()
        markDirty()
    }

    /// Closes now. What is queued is lost.
    func close() {
        guard state != .closed else { return }
        release()
        state = .closed
        pending = []
        output.removeAll()
        // The owner is among their captures.
        onBytes = { $0.count }
        onEnd = {}
        onClose = { _ in }
        onDrain = {}
        onDeadline = {}
    }

    // MARK: Reading

    func pauseReading() {
        isPaused = true
        updateWatch()
    }

    /// Shows `onBytes` what it had left, in the next turn.
    func resumeReading() {
        guard isPaused else { return }
        isPaused = false
        updateWatch()
        if !pending.isEmpty { loop.later { [self] in presentPending() } }
    }

    // MARK: Time-outs

    /// See `Socket.detectDeadPeer`.
    func detectDeadPeer(afterMilliseconds milliseconds: Int) {
        guard state == .open else { return }
        Socket.detectDeadPeer(socket, afterMilliseconds: milliseconds)
    }

    /// Calls `onDeadline` once, at `time` or soon after; replaces what was set before. Costs nothing
    /// when the time is only pushed back, as is usual with time-outs.
    func setDeadline(_ time: Nanoseconds) {
        guard state != .closed else { return }
        deadline = time
        if let timer {
            guard time < timerDeadline else { return }
            loop.cancel(timer)
        }
        startTimer(at: time)
    }

    func clearDeadline() {
        deadline = nil
    }

    private func startTimer(at time: Nanoseconds) {
        timerDeadline = time
        timer = loop.schedule(at: time) { [unowned self] in
            timer = nil
            guard let deadline else { return }
            if deadline > loop.now {
                startTimer(at: deadline)
                return
            }
            self.deadline = nil
            let connection = self
            if connection.state == .lingering {
                connection.end(.finished)
            } else {
                connection.onDeadline()
            }
        }
    }

    // MARK: Events

    private func handle(_ readiness: Readiness) {
        if readiness.contains(.writable) {
            isBlocked = false
            lastUnblocked = loop.now
            updateWatch()
            markDirty()
        }
        if readiness.contains(.readable) {
            receive()
        } else if !readiness.isDisjoint(with: [.hangUp, .failed]) {
            // Nobody reads what we would write, and level-triggered it would be reported for ever.
            let code = Socket.pendingError(socket)
            end(state == .lingering ? .finished : failure("recv", code == 0 ? ECONNRESET : code))
        }
    }

    private func receive() {
        let count = recv(socket, loop.scratch.baseAddress, loop.scratch.count, 0)
        if count > 0 {
            if state == .lingering {
                lingeredBytes += count
                if lingeredBytes > limits.maxLingerBytes { end(.finished) }
            } else {
                // Safe: the scratch buffer outlives the call and nobody reads into it meanwhile.
                let bytes = UnsafeRawBufferPointer(rebasing: loop.scratch[..<count])
                present(bytes.bindMemory(to: UInt8.self))
            }
        } else if count == 0, let writeFailure {
            end(failure("send", writeFailure))
        } else if count == 0 {
            hasEnded = true
            updateWatch()
            if state == .lingering { end(.finished) } else { onEnd() }
        } else if errno != EAGAIN && errno != EINTR {
            let code = errno
            let reason = writeFailure.map { failure("send", $0) } ?? failure("recv", code)
            end(state == .lingering ? .finished : reason)
        }
    }

    private func present(_ fresh: UnsafeBufferPointer<UInt8>) {
        guard pending.isEmpty else {
            pending.append(contentsOf: fresh)
            presentPending()
            return
        }
        let used = onBytes(fresh.span)
        precondition(used >= 0 && used <= fresh.count)
        if used < fresh.count && state == .open {
            pending.append(contentsOf: UnsafeBufferPointer(rebasing: fresh[used...]))
        }
    }

    private func presentPending() {
        guard state == .open, !isPaused, !isCongested, !pending.isEmpty else { return }
        // Moved out, because the call-back may close this connection.
        var bytes: [UInt8] = []
        swap(&bytes, &pending)
        let used = onBytes(bytes.span)
        precondition(used >= 0 && used <= bytes.count)
        guard state == .open, used < bytes.count else { return }
        if used > 0 { bytes.removeFirst(used) }
        swap(&bytes, &pending)
    }

    /// For the loop, at the end of a turn.
    func flush() {
        isDirty = false
        guard state == .open || state == .finishing else { return }
        let before = output.byteCount
        let outcome = output.send(to: socket, maxBytes: limits.maxFlushBytesPerTurn)
        if output.byteCount < before {
            lastProgress = loop.now
            sentBytes += UInt64(before - output.byteCount)
        }
        switch outcome {
        case .empty:
            if state == .finishing { shutDown() }
        case .blocked:
            isBlocked = true
            watchForStall()
        case .failed(let code):
            return writeFailed(code)
        }
        if isCongested && output.byteCount <= limits.lowWaterBytes {
            isCongested = false
            loop.later { [self] in
                presentPending()
                if state == .open && !isCongested { onDrain() }
            }
        }
        updateWatch()
    }

    private func writeFailed(_ code: Int32) {
        guard limits.readsAfterFailedWrite, watched.contains(.readable) else {
            loop.later { [self] in end(failure("send", code)) }
            return
        }
        writeFailure = code
        output.removeAll()
        // What has come stays to be read, and then comes an end, also where the failure left the socket open.
        _ = shutdown(socket, Int32(SHUT_RDWR))
        updateWatch()
    }

    private func shutDown() {
        guard shouldLinger && !hasEnded else {
            // Closed in the next turn: flushing calls nobody back.
            loop.later { [self] in end(.finished) }
            return
        }
        state = .lingering
        _ = shutdown(socket, Int32(SHUT_WR))
        setDeadline(loop.now + UInt64(limits.lingerMilliseconds) * 1_000_000)
    }

    private func watchForStall() {
        guard stallTimer == nil else { return }
        lastProgress = loop.now
        startStallTimer()
    }

    private func startStallTimer() {
        let patience = UInt64(limits.writeStallMilliseconds) * 1_000_000
        stallTimer = loop.schedule(at: lastProgress + patience) { [unowned self] in
            stallTimer = nil
            guard !output.isEmpty else { return }
            if lastProgress + patience > loop.now {
                startStallTimer()
            } else {
                let connection = self
                connection.end(connection.failure("send", ETIMEDOUT))
            }
        }
    }

    private func hasWritten() {
        if output.byteCount > limits.highWaterBytes && !isCongested {
            isCongested = true
            updateWatch()
        }
        markDirty()
    }

    private func markDirty() {
        // While the socket is full, its becoming writable marks the connection.
        guard !isDirty, !isBlocked else { return }
        isDirty = true
        loop.markDirty(self)
    }

    private func updateWatch() {
        guard let registration else { return }
        var wanted: Readiness = []
        switch state {
        case .open: if !isPaused && !isCongested && !hasEnded { wanted = .readable }
        case .lingering: if !hasEnded { wanted = .readable }
        case .finishing, .closed: break
        }
        if isBlocked { wanted.insert(.writable) }
        guard wanted != watched else { return }
        watched = wanted
        loop.change(registration, to: wanted)
    }

    private func failure(_ operation: String, _ code: Int32) -> CloseReason {
        .failed(IOError(operation, code: code, subject: remote.description))
    }

    private func end(_ reason: CloseReason) {
        guard state != .closed else { return }
        let onClose = self.onClose
        close()
        onClose(reason)
    }

    private func release() {
        if let registration { loop.deregister(registration) }
        registration = nil
        if let timer { loop.cancel(timer) }
        timer = nil
        if let stallTimer { loop.cancel(stallTimer) }
        stallTimer = nil
        _ = Glibc.close(socket)
    }
}
