import Raft

/// One connection of a load generator to one of its targets at a time: when it breaks, the next one is tried.
final class LoadConnection {
    /// What the generator is told of. Calls come from the loop.
    struct Callbacks {
        /// It can take requests, as many at a time as are pipelined.
        var onOpen: (LoadConnection) -> Void
        /// The answer to the oldest request.
        var onReply: (LoadConnection, LoadExchange, ReplyHead, Span<UInt8>) -> Void
        /// It broke, and what was under way is lost.
        var onBreak: (LoadConnection, [LoadExchange], String) -> Void
        /// One try to connect failed.
        var onRefusal: (LoadConnection, String) -> Void
    }

    let number: Int
    /// How often it was opened: requests are given to one opening.
    private(set) var opening = 0
    /// The target it is connected to, or tries.
    private(set) var target: Int
    private let loop: Loop
    private let targets: [SocketAddress]
    private let callbacks: Callbacks
    private var stream: Connection?
    private var dial: Dial?
    private var retry: TimerID?
    private var underWay: [LoadExchange] = []
    /// Tries in a row that failed.
    private var refusals = 0
    private var isClosed = false

    private static let dialMilliseconds = 1_000
    /// Before all targets are tried once more.
    private static let retryNanoseconds: Nanoseconds = 10_000_000

    init(number: Int, loop: Loop, targets: [SocketAddress], callbacks: Callbacks) {
        precondition(!targets.isEmpty)
        self.number = number
        self.loop = loop
        self.targets = targets
        self.callbacks = callbacks
        target = number % targets.count
    }

    var isOpen: Bool { stream?.isOpen == true }

    func connect() {
        guard !isClosed, stream == nil, dial == nil else { return }
        retry = nil
        dial = Dial(
            loop: loop, address: targets[target], timeoutMilliseconds: Self.dialMilliseconds
        ) { [unowned self] result in
            dial = nil
            switch result {
            case .success(let stream): begin(stream)
            case .failure(let error): refused(error.reason)
            }
        }
    }

    func send(_ exchange: LoadExchange, _ bytes: [UInt8]) {
        guard let stream else { preconditionFailure("requests go to open connections") }
        underWay.append(exchange)
        stream.write(bytes)
    }

    /// Says nothing more. What is under way is handed back.
    func close() -> [LoadExchange] {
        isClosed = true
        dial?.cancel()
        dial = nil
        if let retry { loop.cancel(retry) }
        retry = nil
        stream?.close()
        stream = nil
        defer { underWay = [] }
        return underWay
    }

    private func begin(_ stream: Connection) {
        self.stream = stream
        opening += 1
        refusals = 0
        stream.onBytes = { [unowned self] bytes in take(bytes) }
        stream.onEnd = { [unowned self] in lost("connection closed") }
        stream.onClose = { [unowned self] reason in
            switch reason {
            case .finished: lost("connection closed")
            case .failed(let error): lost(error.reason)
            }
        }
        callbacks.onOpen(self)
    }

    private func refused(_ reason: String) {
        callbacks.onRefusal(self, reason)
        refusals += 1
        target = (target + 1) % targets.count
        guard refusals % targets.count == 0 else { return connect() }
        retry = loop.schedule(at: loop.now + Self.retryNanoseconds) { [unowned self] in connect() }
    }

    private func lost(_ reason: String) {
        guard let stream else { return }
        stream.close()
        self.stream = nil
        let lost = underWay
        underWay = []
        callbacks.onBreak(self, lost, reason)
        target = (target + 1) % targets.count
        connect()
    }

    // MARK: Replies

    private func take(_ bytes: Span<UInt8>) -> Int {
        var used = 0
        while used < bytes.count {
            let rest = bytes.extracting(used..<bytes.count)
            switch ReplyHead.read(rest) {
            case .incomplete: return used
            case .malformed(let reason):
                lost("the reply is no HTTP: \(reason)")
                return bytes.count
            case .reply(let head):
                guard rest.count >= head.totalBytes else { return used }
                used += head.totalBytes
                guard head.status >= 200 else { continue }
                guard !underWay.isEmpty else {
                    lost("a reply that nobody asked for")
                    return bytes.count
                }
                let exchange = underWay.removeFirst()
                callbacks.onReply(
                    self, exchange, head, rest.extracting(head.headBytes..<head.totalBytes))
                // The owner may have closed it.
                guard isOpen else { return bytes.count }
                guard !head.closes else {
                    lost("connection closed")
                    return bytes.count
                }
            }
        }
        return used
    }
}
