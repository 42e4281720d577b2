import Glibc
import Synchronization

@testable import Node

/// A server that keeps what it is sent, in a thread of its own. It refuses the first request of each delivery with 503.
final class WebhookReceiver: Sendable {
    struct Delivery {
        let id: String
        let signature: String
        let body: String
    }

    let port: UInt16
    private let listener: Int32
    private let state = Mutex<[Delivery]>([])

    init() throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let number = listener
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(number, $0, length) + listen(number, 64) + getsockname(number, $0, &length)
            }
        }
        guard status == 0 else { throw IOError("bind", code: errno) }
        port = UInt16(bigEndian: address.sin_port)
        try SystemThread.detached(name: "receiver") { [self] in serve() }
    }

    /// In the order in which they came, refused ones among them.
    var deliveries: [Delivery] { state.withLock { $0 } }

    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    private func serve() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else {
                close(listener)
                return
            }
            answer(connection)
            close(connection)
        }
    }

    private func answer(_ connection: Int32) {
        guard let delivery = Self.delivery(from: connection) else { return }
        let isFirst = state.withLock { all in
            all.append(delivery)
            return all.count { $0.id == delivery.id } == 1
        }
        let status = isFirst ? "503 Service Unavailable" : "204 No Content"
        let reply = Array(
            "HTTP/1.1 \(status)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8)
        // Who hung up meanwhile sends it again.
        _ = send(connection, reply, reply.count, Int32(MSG_NOSIGNAL))
    }

    /// nil if the connection ends before the request does.
    private static func delivery(from connection: Int32) -> Delivery? {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            text += String(decoding: buffer[..<count], as: UTF8.self)
            guard let end = text.firstRange(of: "\r\n\r\n") else { continue }
            let head = text[..<end.lowerBound]
            let wanted = header("Content-Length", in: head).flatMap { Int($0) } ?? 0
            let body = text[end.upperBound...]
            guard body.utf8.count >= wanted else { continue }
            return Delivery(
                id: header("Carillon-Task", in: head) ?? "",
                signature: header(WebhookHandler.signatureHeader, in: head) ?? "",
                body: String(body))
        }
    }

    private static func header(_ name: String, in head: Substring) -> String? {
        head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
            .map { String($0.dropFirst(name.utf8.count + 1).drop { $0 == " " }) }
    }
}
