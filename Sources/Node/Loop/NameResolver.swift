/// Resolves host names without holding the loop: a name server may take seconds to answer.
///
/// Numeric hosts are answered in the next turn without a thread. Each other request runs in a thread
/// of its own, so that one silent name server does not delay the others.
final class NameResolver {
    static let maxConcurrentRequests = 32

    typealias Answer = Result<[SocketAddress], IOError>

    private struct Message: Sendable {
        var request: UInt64
        var answer: Answer
    }

    private let loop: Loop
    private let mailbox: Mailbox<Message>
    private var registration: Registration?
    private var waiting: [UInt64: (Answer) -> Void] = [:]
    private var nextRequest: UInt64 = 0

    init(loop: Loop) throws(IOError) {
        self.loop = loop
        mailbox = try Mailbox()
        registration = try loop.attach(mailbox) { [weak self] message in
            self?.waiting.removeValue(forKey: message.request)?(message.answer)
        }
    }

    deinit {
        if let registration { loop.deregister(registration) }
    }

    /// Calls `then` in a later turn.
    func resolve(_ endpoint: Endpoint, then: @escaping (Answer) -> Void) {
        if let address = endpoint.numericAddress {
            loop.later { then(.success([address])) }
            return
        }
        guard waiting.count < NameResolver.maxConcurrentRequests else {
            let reason = "too many names are being resolved"
            let error = IOError("resolve", subject: endpoint.description, reason: reason)
            loop.later { then(.failure(error)) }
            return
        }
        let request = nextRequest
        nextRequest += 1
        let mailbox = self.mailbox
        do throws(IOError) {
            try SystemThread.detached(name: "resolver") {
                let answer: Answer
                do throws(IOError) {
                    answer = .success(try endpoint.resolve())
                } catch {
                    answer = .failure(error)
                }
                mailbox.post(Message(request: request, answer: answer))
            }
            waiting[request] = then
        } catch {
            loop.later { then(.failure(error)) }
        }
    }
}
