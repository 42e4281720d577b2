import CLinux
import Glibc
import Testing

@testable import Node

/// A server on a loop, whose handler keeps requests until the test answers them.
final class HTTPFixture {
    let loop: Loop
    private(set) var server: HTTPServer!
    var waiting: [(request: HTTPRequest, responder: HTTPResponder)] = []
    /// Answers at once, when set.
    var answer: ((HTTPRequest, HTTPResponder) -> Void)?

    init(limits: HTTPLimits = HTTPLimits()) throws {
        loop = try Loop()
        server = try HTTPServer(
            loop: loop, endpoint: Endpoint(host: "127.0.0.1", port: 0), limits: limits
        ) { [unowned self] request, responder in
            if let answer {
                answer(request, responder)
            } else {
                waiting.append((request, responder))
            }
        }
    }

    deinit {
        waiting.removeAll()
        server.close()
    }

    func client() throws -> HTTPProbe { try HTTPProbe(self) }

    /// Turns until the condition holds. Each turn waits a little, so that what is in flight arrives.
    func turn(until condition: () -> Bool) {
        for _ in 0..<20_000 {
            if condition() { return }
            loop.turn(maxWaitMilliseconds: 1)
        }
        Issue.record("the condition never held")
    }
}

/// A bare socket that talks to a fixture's server on the same thread.
final class HTTPProbe {
    private let fixture: HTTPFixture
    private let socket: Descriptor
    private(set) var received: [UInt8] = []
    private(set) var hasEnded = false

    init(_ fixture: HTTPFixture) throws {
        self.fixture = fixture
        socket = try Socket.connect(to: fixture.server.address)
    }

    var text: String { String(decoding: received, as: UTF8.self) }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        var offset = 0
        fixture.turn {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    socket.number, $0.baseAddress.map { $0 + offset }, $0.count - offset,
                    Int32(MSG_NOSIGNAL))
            }
            // Whoever was refused in the middle need not get rid of the rest.
            if count < 0 && errno != EAGAIN && errno != ENOTCONN { return true }
            offset += max(0, count)
            return offset == bytes.count
        }
    }

    func shutDownWriting() { shutdown(socket.number, Int32(SHUT_WR)) }

    func poll() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !hasEnded {
            let count = recv(socket.number, &buffer, buffer.count, 0)
            if count > 0 {
                received += buffer[..<count]
            } else {
                hasEnded = count == 0 || (errno != EAGAIN && errno != ENOTCONN)
                return
            }
        }
    }

    func receive(until condition: (String) -> Bool) {
        fixture.turn {
            poll()
            return condition(text) || hasEnded
        }
        #expect(condition(text), "the connection ended with \(text)")
    }

    func receiveToEnd() {
        fixture.turn {
            poll()
            return hasEnded
        }
    }

    /// The status lines received, in order.
    var statuses: [Int] {
        text.split(separator: "HTTP/1.1 ").dropFirst(text.hasPrefix("HTTP/1.1 ") ? 0 : 1)
            .compactMap { Int($0.prefix(3)) }
    }
}
