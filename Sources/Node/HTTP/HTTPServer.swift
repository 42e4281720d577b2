import Glibc

/// An HTTP/1.1 server on the loop (RFC 9110, RFC 9112).
///
/// `handler` is called on the loop for every complete request and answers through the responder, at
/// once or later. Broken and oversized requests are answered here with a problem document (RFC 9457).
final class HTTPServer {
    let limits: HTTPLimits
    let handler: (HTTPRequest, HTTPResponder) -> Void
    private(set) var address: SocketAddress
    /// Requests are still answered, but no connection stays open for another.
    private(set) var isDraining = false
    /// Bytes of bodies being received, on all connections together.
    var bodyBytes = 0

    private let loop: Loop
    private let onTrouble: (IOError) -> Void
    private var listener: Listener?
    private var connections: [ObjectIdentifier: HTTPConnection] = [:]
    private var dateCache = HTTPDate()

    /// Listens at once. `onTrouble` hears of failures to accept connections.
    init(
        loop: Loop, endpoint: Endpoint, limits: HTTPLimits = HTTPLimits(),
        onTrouble: @escaping (IOError) -> Void = { _ in },
        handler: @escaping (HTTPRequest, HTTPResponder) -> Void
    ) throws(IOError) {
        self.loop = loop
        self.limits = limits
        self.handler = handler
        self.onTrouble = onTrouble
        address = .ipv4(0, port: 0)
        let listener = try Listener(loop: loop, endpoint: endpoint, onTrouble: onTrouble) {
            [unowned self] descriptor, remote in
            accept(descriptor, from: remote)
        }
        address = listener.address
        self.listener = listener
    }

    var connectionCount: Int { connections.count }

    /// New clients are refused by the system; connections go on.
    func stopAccepting() {
        listener?.acceptWaiting()
        listener?.close()
        listener = nil
    }

    /// Each answer is the last of its connection from now on, and says so. A connection that waits for a request stays
    /// open: one may be on its way, and would be lost with it.
    func drain() {
        isDraining = true
    }

    /// Closes connections that wait for a next request, and the others after their answers.
    func closeIdle() {
        isDraining = true
        for connection in Array(connections.values) { connection.drain() }
    }

    /// Closes everything now.
    func close() {
        stopAccepting()
        for connection in Array(connections.values) { connection.close() }
    }

    var date: [UInt8] { dateCache.current() }

    func remove(_ connection: HTTPConnection) {
        connections.removeValue(forKey: ObjectIdentifier(connection))
    }

    private func accept(_ descriptor: consuming Descriptor, from remote: SocketAddress) {
        guard connections.count < limits.maxConnections else {
            refuse(descriptor)
            return
        }
        do throws(IOError) {
            let stream = try Connection(loop: loop, adopting: descriptor, remote: remote)
            let connection = HTTPConnection(connection: stream, server: self)
            connections[ObjectIdentifier(connection)] = connection
        } catch {
            onTrouble(error)
        }
    }

    /// One attempt to say why; a fresh socket has room for it.
    private func refuse(_ descriptor: consuming Descriptor) {
        let response = HTTPResponse.problem(status: 503, detail: "Too many connections.")
        var bytes: [UInt8] = []
        HTTPWriter.append(
            status: response.status, contentType: response.contentType,
            headers: [("retry-after", "1")], framing: .length(response.body.count), closes: true,
            keepsAlive10: false, date: date, to: &bytes)
        bytes.append(contentsOf: response.body)
        let number = descriptor.number
        _ = bytes.withUnsafeBytes {
            Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
    }
}
