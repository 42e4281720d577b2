import Glibc
import Raft

/// One attempt to connect to an address.
final class Dial {
    private let loop: Loop
    private let address: SocketAddress
    private var socket: Descriptor?
    private var registration: Registration?
    private var timer: TimerID?
    private var completion: ((Result<Connection, IOError>) -> Void)?

    /// Calls `then` once, in a later turn, unless cancelled.
    init(
        loop: Loop, address: SocketAddress, timeoutMilliseconds: Int,
        then: @escaping (Result<Connection, IOError>) -> Void
    ) {
        self.loop = loop
        self.address = address
        completion = then
        do throws(IOError) {
            let socket = try Socket.connect(to: address)
            registration = try loop.register(socket.number, for: .writable) { [self] _ in
                connected()
            }
            self.socket = consume socket
            let deadline = loop.now + UInt64(timeoutMilliseconds) * 1_000_000
            timer = loop.schedule(at: deadline) { [self] in
                complete(
                    .failure(IOError("connect", code: ETIMEDOUT, subject: address.description)))
            }
        } catch {
            loop.later { [self] in complete(.failure(error)) }
        }
    }

    /// Forgets the attempt; `then` is not called.
    func cancel() {
        completion = nil
        release()
        socket = nil
    }

    private func connected() {
        guard let number = socket?.number else { return }
        let code = Socket.pendingError(number)
        guard code == 0 else {
            let error = IOError("connect", code: code, subject: address.description)
            complete(.failure(error))
            return
        }
        release()
        guard let open = socket.take() else { return }
        do throws(IOError) {
            complete(.success(try Connection(loop: loop, adopting: open, remote: address)))
        } catch {
            complete(.failure(error))
        }
    }

    private func complete(_ result: Result<Connection, IOError>) {
        let completion = self.completion
        cancel()
        completion?(result)
    }

    private func release() {
        if let registration { loop.deregister(registration) }
        registration = nil
        if let timer { loop.cancel(timer) }
        timer = nil
    }
}
