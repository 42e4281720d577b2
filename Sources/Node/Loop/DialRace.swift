import Raft

/// Connects to whichever of a name's addresses answers first: the next one is tried when one fails, and also when all are silent for
/// a while, so that one that is gone costs no more than that (RFC 8305 5).
final class DialRace {
    struct Limits {
        /// For each address.
        var dialMilliseconds = 30_000
        var silenceMilliseconds = 250
    }

    private let loop: Loop
    private let limits: Limits
    private var left: ArraySlice<SocketAddress>
    private var dials: [SocketAddress: Dial] = [:]
    private var timer: TimerID?
    private var completion: ((Result<Connection, IOError>) -> Void)?

    /// Calls `then` once, in a later turn, unless cancelled: with the last failure if all addresses have failed.
    init(
        loop: Loop, addresses: [SocketAddress], limits: Limits = Limits(),
        then: @escaping (Result<Connection, IOError>) -> Void
    ) {
        self.loop = loop
        self.limits = limits
        left = addresses[...]
        completion = then
        if addresses.isEmpty {
            let error = IOError("connect", subject: "", reason: "the name has no address")
            loop.later { [weak self] in self?.complete(.failure(error)) }
        }
        dialNext()
    }

    deinit { cancel() }

    /// Forgets all attempts; `then` is not called.
    func cancel() {
        completion = nil
        left = []
        for dial in dials.values { dial.cancel() }
        dials = [:]
        stopTimer()
    }

    private func dialNext() {
        stopTimer()
        guard let address = left.popFirst() else { return }
        // A name may have the same address twice.
        guard dials[address] == nil else { return dialNext() }
        dials[address] = Dial(
            loop: loop, address: address, timeoutMilliseconds: limits.dialMilliseconds
        ) { [weak self] result in self?.ended(address, result) }
        guard !left.isEmpty else { return }
        let next = loop.now + UInt64(limits.silenceMilliseconds) * 1_000_000
        timer = loop.schedule(at: next) { [weak self] in
            self?.timer = nil
            self?.dialNext()
        }
    }

    private func ended(_ address: SocketAddress, _ result: Result<Connection, IOError>) {
        dials[address] = nil
        if case .failure = result {
            dialNext()
            guard dials.isEmpty else { return }
        }
        complete(result)
    }

    private func complete(_ result: Result<Connection, IOError>) {
        let completion = self.completion
        cancel()
        completion?(result)
    }

    private func stopTimer() {
        if let timer { loop.cancel(timer) }
        timer = nil
    }
}
