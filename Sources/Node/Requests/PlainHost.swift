import Raft

/// The connections to one server of plain http, and the requests that wait for one of them.
final class PlainHost {
    let endpoint: Endpoint
    private unowned let client: PlainClient
    private var streams: [ObjectIdentifier: PlainStream] = [:]
    /// Those without a request. The last one used is the next one taken: so no more stay open than are needed.
    private var idle: [PlainStream] = []
    private var waiting = WaitingLine()
    /// The first to try comes first.
    private(set) var addresses: [SocketAddress] = []
    private var lastGood: SocketAddress?
    private var addressesUntil: Nanoseconds = 0
    /// Those that have to know the addresses first.
    private var unresolved: [PlainStream] = []
    private var isResolving = false
    private var willFill = false

    init(_ endpoint: Endpoint, _ client: PlainClient) {
        self.endpoint = endpoint
        self.client = client
        if let address = endpoint.numericAddress {
            addresses = [address]
            addressesUntil = .max
        }
    }

    /// Somebody has sent a request, or a connection is kept.
    var isWanted: Bool { !streams.isEmpty || waiting.count > 0 }
    /// What is asked for its name has to know where the answer goes: who asks next would start another question.
    var isUnused: Bool { !isWanted && !isResolving }

    /// Lets go of everything, and calls nobody: not even the client, which is going as well.
    func close() {
        for stream in streams.values { stream.close() }
        streams.removeAll()
        idle.removeAll()
        unresolved.removeAll()
        while let exchange = waiting.popFirst() { exchange.place = .over }
    }

    // MARK: Requests

    func send(_ exchange: PlainExchange) {
        while let stream = idle.popLast() {
            client.idleCount -= 1
            guard stream.isFresh else {
                stream.close()
                streams[ObjectIdentifier(stream)] = nil
                continue
            }
            return stream.start(exchange)
        }
        // Whoever waits already comes first.
        guard hasRoom, waiting.count == 0 else {
            exchange.place = .waiting(self)
            return waiting.append(exchange)
        }
        open(for: exchange)
    }

    /// The exchange, which is over, waited here.
    func forgetWaiting() {
        waiting.forgetOne()
        client.forgetIfUnused(self)
    }

    // MARK: Connections

    private var hasRoom: Bool { streams.count < client.limits.maxConnectionsPerHost }

    /// Opens connections for those who wait, in the next turn: whoever cancels many requests one after the other would otherwise
    /// have each of them dial, only to be cancelled next.
    private func fillLater() {
        guard !willFill else { return }
        willFill = true
        client.loop.later { [weak self] in self?.fill() }
    }

    private func fill() {
        willFill = false
        while hasRoom, let next = waiting.popFirst() { open(for: next) }
    }

    private func open(for exchange: PlainExchange) {
        let stream = PlainStream(self, for: exchange, loop: client.loop, limits: client.limits)
        streams[ObjectIdentifier(stream)] = stream
        if addressesUntil > client.loop.now {
            return stream.connect(to: addresses)
        }
        unresolved.append(stream)
        guard !isResolving else { return }
        isResolving = true
        client.resolve(self)
    }

    /// A connection has done its work: the next request is its own, or it waits for one.
    func keep(_ stream: PlainStream) {
        if waiting.count > 0 {
            // It may have been closed right behind its reply.
            guard stream.isFresh else {
                stream.close()
                return remove(stream)
            }
            if let next = waiting.popFirst() { return stream.start(next) }
        }
        guard client.idleCount < client.limits.maxIdleConnections else {
            stream.close()
            return remove(stream)
        }
        client.idleCount += 1
        idle.append(stream)
        stream.rest()
    }

    /// A connection is closed. Its place is for the first who waits.
    func remove(_ stream: PlainStream) {
        streams[ObjectIdentifier(stream)] = nil
        if isResolving, let position = unresolved.firstIndex(where: { $0 === stream }) {
            unresolved.remove(at: position)
        }
        if let position = idle.lastIndex(where: { $0 === stream }) {
            idle.remove(at: position)
            client.idleCount -= 1
        }
        if waiting.count > 0 { return fillLater() }
        client.forgetIfUnused(self)
    }

    /// A closed connection's place is for its request, which goes over a new one.
    func replace(_ stream: PlainStream, for exchange: PlainExchange) {
        streams[ObjectIdentifier(stream)] = nil
        open(for: exchange)
    }

    // MARK: Addresses

    func resolved(_ answer: NameResolver.Answer) {
        isResolving = false
        // Those that fail call their owners, who may send again, or let go of the client.
        let asking = unresolved
        unresolved = []
        switch answer {
        case .success(let found):
            addresses = found
            addressesUntil = client.loop.now + PlainLimits.addressNanoseconds
            if let lastGood { putFirst(lastGood) }
            for stream in asking { stream.connect(to: addresses) }
            client.forgetIfUnused(self)
        case .failure(let error):
            if asking.isEmpty { return client.forgetIfUnused(self) }
            for stream in asking {
                stream.fail("the server's name does not resolve: \(error.reason)")
            }
        }
    }

    /// Nobody wanted its addresses when it was its turn.
    func giveUpResolving() {
        isResolving = false
        client.forgetIfUnused(self)
    }

    /// Others try this one first, also when the name was asked for again.
    func hasConnected(to address: SocketAddress) {
        lastGood = address
        putFirst(address)
    }

    private func putFirst(_ address: SocketAddress) {
        guard addresses.first != address, let place = addresses.firstIndex(of: address) else {
            return
        }
        addresses.remove(at: place)
        addresses.insert(address, at: 0)
    }

    /// None of them took a connection: whoever comes next asks for the name again.
    func forgetAddresses() {
        if addressesUntil != .max { addressesUntil = 0 }
    }
}
