/// Sends requests of plain http over connections of the loop. It follows no redirection: `HTTPClient` does.
///
/// Connections are kept and used again, by host; of each host there is a bounded number, and requests beyond it wait in line. A host
/// that has neither is forgotten, once nobody is being asked for its addresses.
final class PlainClient {
    let loop: Loop
    let limits: PlainLimits
    /// Connections without a request, of all hosts.
    var idleCount = 0
    private let resolver: NameResolver
    private var hosts: [Endpoint: PlainHost] = [:]
    private(set) var namesInFlight = 0
    /// Hosts whose names are asked for when others are answered.
    private var unresolved: [PlainHost] = []

    init(loop: Loop, limits: PlainLimits = PlainLimits()) throws(IOError) {
        self.loop = loop
        self.limits = limits
        resolver = try NameResolver(loop: loop)
    }

    deinit {
        for host in hosts.values { host.close() }
    }

    var hostCount: Int { hosts.count }

    /// `onReply` is called on the loop, once and in a later turn, unless the request is cancelled before.
    func send(
        _ request: OutgoingRequest, to address: RequestAddress,
        onReply: @escaping (PlainReply) -> Void
    ) -> PlainExchange {
        let exchange = PlainExchange(request, to: address, onReply: onReply)
        host(address.endpoint).send(exchange)
        return exchange
    }

    /// Its connection is closed, so that the server can see that nobody waits any more.
    func cancel(_ exchange: PlainExchange) {
        let place = exchange.place
        exchange.place = .over
        switch place {
        case .waiting(let host): host.forgetWaiting()
        case .stream(let stream): stream.cancel()
        case .over: break
        }
    }

    // MARK: Hosts

    private func host(_ endpoint: Endpoint) -> PlainHost {
        if let known = hosts[endpoint] { return known }
        let made = PlainHost(endpoint, self)
        hosts[endpoint] = made
        return made
    }

    func forgetIfUnused(_ host: PlainHost) {
        guard host.isUnused, hosts[host.endpoint] === host else { return }
        hosts[host.endpoint] = nil
    }

    /// Asks for the addresses of its name, as soon as not too many names are asked for.
    func resolve(_ host: PlainHost) {
        guard namesInFlight < NameResolver.maxConcurrentRequests else {
            unresolved.append(host)
            return
        }
        namesInFlight += 1
        resolver.resolve(host.endpoint) { [weak self, weak host] answer in
            guard let self else { return }
            namesInFlight -= 1
            while namesInFlight < NameResolver.maxConcurrentRequests, !unresolved.isEmpty {
                let next = unresolved.removeFirst()
                if next.isWanted { resolve(next) } else { next.giveUpResolving() }
            }
            host?.resolved(answer)
        }
    }
}
