/// A connection that left HTTP for another protocol, such as WebSocket: bytes in, bytes out.
final class HTTPUpgrade {
    /// Returns how many of the bytes it used; the rest comes again with more. Whoever leaves bytes looks
    /// after their bound.
    var onBytes: (Span<UInt8>) -> Int = { $0.count }
    /// Comes once, and not after `close`.
    var onClose: () -> Void = {}

    private var connection: HTTPConnection?

    init(connection: HTTPConnection) {
        self.connection = connection
    }

    var isClosed: Bool { connection == nil }
    /// Bytes written that the client has not taken. Whoever writes looks after their bound.
    var queuedBytes: Int { connection?.queuedBytes ?? 0 }

    func write(_ bytes: [UInt8]) {
        connection?.connection.write(bytes)
    }

    /// Closes when all was written.
    func finish() {
        connection?.connection.finish(lingering: true)
    }

    /// Closes now.
    func close() {
        onClose = {}
        connection?.close()
    }

    func connectionClosed() {
        connection = nil
        let onClose = self.onClose
        self.onClose = {}
        onBytes = { $0.count }
        onClose()
    }
}
