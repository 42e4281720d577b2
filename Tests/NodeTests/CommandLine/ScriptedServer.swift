import Foundation
import Glibc
import Synchronization

@testable import Node

/// A server that gives prepared answers, one a request, and keeps what it was asked.
final class ScriptedServer: Sendable {
    enum Step: Sendable {
        /// Sends these bytes and keeps the connection.
        case reply(String)
        /// The same with any bytes in the body.
        case body([UInt8])
        /// Sends these bytes, if any, and closes.
        case close(String)
        /// Says nothing for ever.
        case silence
    }

    struct Request: Sendable, Equatable {
        var line: String
        var headers: [String: String]
        var body: String
    }

    let endpoint: Endpoint
    private let listener: Int32
    private let steps: Mutex<[Step]>
    private let received = Mutex<[Request]>([])

    /// The requests so far.
    var requests: [Request] { received.withLock { $0 } }

    init(_ steps: Step...) throws {
        let address = try Endpoint("127.0.0.1:0").resolve()[0]
        let socket = try Socket.listen(on: address, backlog: 16)
        let local = try Socket.localAddress(socket)
        endpoint = try Endpoint(local.description)
        self.steps = Mutex(steps)
        listener = socket.release()
        Self.makeBlocking(listener)
        let server = self
        Thread { server.serve() }.start()
    }

    /// Ends the thread: a shut-down listener accepts no more.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
    }

    static func reply(_ status: Int, _ body: String, headers: String = "") -> String {
        "HTTP/1.1 \(status) Reason\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private static func makeBlocking(_ descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
    }

    private func serve() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { break }
            serving: while let request = Self.read(connection) {
                received.withLock { $0.append(request) }
                let step = steps.withLock { $0.isEmpty ? Step.close("") : $0.removeFirst() }
                switch step {
                case .reply(let text): Self.send(Array(text.utf8), connection)
                case .body(let bytes):
                    let head = "HTTP/1.1 200 OK\r\nContent-Length: \(bytes.count)\r\n\r\n"
                    Self.send(Array(head.utf8) + bytes, connection)
                case .close(let text):
                    Self.send(Array(text.utf8), connection)
                    // What the client has sent meanwhile is not answered.
                    break serving
                case .silence: continue
                }
            }
            close(connection)
        }
        close(listener)
    }

    private static func send(_ bytes: [UInt8], _ connection: Int32) {
        _ = Glibc.send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    private static func read(_ connection: Int32) -> Request? {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            if let end = text.firstRange(of: "\r\n\r\n") {
                let lines = text[..<end.lowerBound].split(separator: "\r\n")
                var headers: [String: String] = [:]
                for line in lines.dropFirst() {
                    let parts = line.split(separator: ":", maxSplits: 1)
                    headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
                }
                let length = headers["content-length"].flatMap { Int($0) } ?? 0
                let body = text[end.upperBound...]
                if body.utf8.count >= length {
                    return Request(line: String(lines[0]), headers: headers, body: String(body))
                }
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}
