import Raft

/// Puts load on a cluster over many connections from one thread.
///
/// A closed loop asks again when it is answered; an open one, by `ratePerSecond`, at given times. The request's bytes are
/// the owner's, made before they are needed; of a reply only status and length are looked at here.
final class LoadGenerator {
    private enum Phase {
        case connecting, running, draining, over
    }

    /// A connection that can take one request more.
    private struct Slot {
        let connection: Int
        let opening: Int
    }

    let plan: LoadPlan
    private(set) var tally = LoadTally()
    /// How many tasks a reply acknowledges, 0 if it is a failure; the owner counts what went wrong by `fail`.
    var onReply: (LoadExchange, ReplyHead, Span<UInt8>) -> UInt64 = { _, _, _ in
        preconditionFailure("the owner says what a reply means")
    }
    /// The bytes of a request, by its number.
    var compose: (UInt64) -> [UInt8] = { _ in
        preconditionFailure("the owner says what is asked")
    }
    /// Of a closed loop: whether it may ask now. `wake` tells that this has changed.
    var mayBegin: () -> Bool = { true }
    var onLoss: (LoadExchange) -> Void = { _ in }
    /// A connection to this target broke.
    var onBreak: (_ target: Int) -> Void = { _ in }
    /// A well answered request, after it was counted.
    var onAnswer: (LoadExchange) -> Void = { _ in }

    private let loop: Loop
    private var connections: [LoadConnection] = []
    private var slots: [Slot] = []
    private var firstSlot = 0
    private var phase = Phase.connecting
    private var opened = 0
    private var lastRefusal = ""
    private var arrivals: ArrivalTimes?
    private var arrivalTimer: TimerID?
    private var underWay = 0
    /// What is measured: from `begin` until `end`.
    private(set) var begin: Nanoseconds = .max
    private(set) var end: Nanoseconds = .max
    private var hardEnd: TimerID?
    private var lastAnswer: Nanoseconds = 0
    private var then: (String?) -> Void = { _ in }

    /// How long the first connections may take.
    private static let connectNanoseconds: Nanoseconds = 5_000_000_000

    /// The owner sets `compose` and `onReply` before `start`.
    init(loop: Loop, targets: [SocketAddress], plan: LoadPlan) {
        precondition(plan.connections > 0 && plan.pipeline > 0)
        self.loop = loop
        self.plan = plan
        let callbacks = LoadConnection.Callbacks(
            onOpen: { [unowned self] in connectionOpened($0) },
            onReply: { [unowned self] in replied($0, $1, $2, $3) },
            onBreak: { [unowned self] in connectionBroke($0, $1, $2) },
            onRefusal: { [unowned self] in refused($1) })
        connections = (0..<plan.connections).map {
            LoadConnection(number: $0, loop: loop, targets: targets, callbacks: callbacks)
        }
    }

    /// Connects, and begins when all connections are there. `then` is called once, from the loop: with a reason if none of
    /// them came about.
    func start(then: @escaping (String?) -> Void) {
        self.then = then
        // In a turn, whose time is that of now: before the first one, time-outs would count from when the loop was made.
        loop.later { [weak self] in self?.connect() }
    }

    private func connect() {
        for connection in connections { connection.connect() }
        hardEnd = loop.schedule(at: loop.now + Self.connectNanoseconds) { [unowned self] in
            hardEnd = nil
            if opened > 0 { run() } else { finish("cannot connect: \(lastRefusal)") }
        }
    }

    /// Begins nothing more, and ends when everything that was begun is answered.
    func stop() {
        guard phase == .running else { return }
        drain()
    }

    func fail(_ kind: String, count: UInt64 = 1) {
        tally.failures.add(kind, count: count)
    }

    /// `mayBegin` says yes now.
    func wake() { pump() }

    var isRunning: Bool { phase == .running }
    /// Everything that was begun has come to something.
    var isOver: Bool { phase == .over }

    // MARK: Phases

    private func run() {
        if let hardEnd { loop.cancel(hardEnd) }
        hardEnd = nil
        phase = .running
        let start = Loop.clock()
        begin = start + plan.warmupNanoseconds
        let (sum, overflow) = begin.addingReportingOverflow(plan.measuredNanoseconds)
        end = overflow ? .max : sum
        if let rate = plan.ratePerSecond {
            arrivals = ArrivalTimes(start: start, end: end, ratePerSecond: rate)
        }
        if end < .max {
            loop.schedule(at: end) { [weak self] in
                guard let self, phase == .running else { return }
                drain()
            }
        }
        pump()
    }

    private func drain() {
        phase = .draining
        let stop = Loop.clock()
        end = min(end, stop)
        hardEnd = loop.schedule(at: stop + plan.patienceNanoseconds) { [unowned self] in
            hardEnd = nil
            finish(nil)
        }
        // At a given rate those whose time has come are sent all the same, as soon as there is room.
        pump()
    }

    private func finish(_ failure: String?) {
        guard phase != .over else { return }
        let wasConnecting = phase == .connecting
        phase = .over
        if let hardEnd { loop.cancel(hardEnd) }
        if let arrivalTimer { loop.cancel(arrivalTimer) }
        if !wasConnecting {
            // Without a time that was set, what is measured ends with the last answer.
            let last = plan.measuredNanoseconds < .max ? end : min(end, lastAnswer)
            tally.measuredNanoseconds = last - min(last, begin)
        }
        if let arrivals { fail("not sent in time", count: arrivals.waiting(at: end - 1)) }
        for connection in connections {
            for exchange in connection.close() {
                fail("no answer in time")
                onLoss(exchange)
            }
        }
        then(failure)
    }

    // MARK: Requests

    /// Gives requests to connections as long as there are both.
    private func pump() {
        guard phase == .running || phase == .draining else { return }
        let now = Loop.clock()
        while let connection = freeConnection() {
            guard let intended = nextIntended(now) else { break }
            firstSlot += 1
            let exchange = LoadExchange(
                number: tally.requests, intended: intended, sent: Loop.clock())
            tally.requests += 1
            underWay += 1
            connection.send(exchange, compose(exchange.number))
        }
        if firstSlot > 1_024, firstSlot * 2 > slots.count {
            slots.removeFirst(firstSlot)
            firstSlot = 0
        }
        if let arrivals {
            tally.longestQueue = max(tally.longestQueue, arrivals.waiting(at: now))
            awaitArrival()
        }
        endIfDone()
    }

    /// The connection whose turn it is; those of an earlier opening are gone.
    private func freeConnection() -> LoadConnection? {
        while firstSlot < slots.count {
            let slot = slots[firstSlot]
            let connection = connections[slot.connection]
            if connection.opening == slot.opening, connection.isOpen { return connection }
            firstSlot += 1
        }
        return nil
    }

    private func nextIntended(_ now: Nanoseconds) -> Nanoseconds? {
        guard tally.requests < plan.maxRequests else { return nil }
        guard arrivals == nil else { return arrivals?.take(at: min(now, end - 1)) }
        guard phase == .running, now < end, mayBegin() else { return nil }
        return now
    }

    /// One timer, for the next request that no answer wakes this for.
    private func awaitArrival() {
        guard arrivalTimer == nil, phase == .running, let next = arrivals?.next else { return }
        // Without a free connection the next answer comes here.
        guard freeConnection() != nil else { return }
        arrivalTimer = loop.schedule(at: next) { [unowned self] in
            arrivalTimer = nil
            pump()
        }
    }

    private func endIfDone() {
        guard underWay == 0 else { return }
        if phase == .running, tally.requests < plan.maxRequests { return }
        if phase == .draining, let arrivals, arrivals.waiting(at: end - 1) > 0 { return }
        // In a turn of its own: the caller may be in the midst of a connection's call-back.
        loop.later { [weak self] in
            guard let self, underWay == 0 else { return }
            finish(nil)
        }
    }

    // MARK: Connections

    private func connectionOpened(_ connection: LoadConnection) {
        for _ in 0..<plan.pipeline {
            slots.append(Slot(connection: connection.number, opening: connection.opening))
        }
        opened += 1
        guard phase == .connecting else { return pump() }
        if connections.allSatisfy(\.isOpen) { run() }
    }

    private func replied(
        _ connection: LoadConnection, _ exchange: LoadExchange, _ head: ReplyHead,
        _ body: Span<UInt8>
    ) {
        let now = Loop.clock()
        underWay -= 1
        if !head.closes {
            slots.append(Slot(connection: connection.number, opening: connection.opening))
        }
        let tasks = onReply(exchange, head, body)
        tally.acknowledgedTasks += tasks
        if tasks > 0 {
            lastAnswer = now
            // `end` is when the measured time ends, also once nothing more is begun.
            if now >= begin, now < end {
                tally.measuredAnswers += 1
                tally.measuredTasks += tasks
            }
            if exchange.intended >= begin, exchange.intended < end {
                tally.latencies.record(now - exchange.intended)
            }
            onAnswer(exchange)
        }
        pump()
    }

    private func connectionBroke(
        _ connection: LoadConnection, _ lost: [LoadExchange], _ reason: String
    ) {
        underWay -= lost.count
        onBreak(connection.target)
        for exchange in lost {
            fail(reason)
            onLoss(exchange)
        }
        pump()
    }

    private func refused(_ reason: String) {
        lastRefusal = reason
        fail("cannot connect: \(reason)")
    }
}
