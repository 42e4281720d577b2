/// The one chance to answer a request, now or later, on the loop's thread. Answers of one connection
/// leave in the order of its requests, whatever the order in which they are given here.
///
/// One that is let go without an answer answers 500, or cuts the connection if it was streaming: a
/// client must not wait for what will never come.
final class HTTPResponder {
    private enum State { case fresh, streaming, done }

    private let connection: HTTPConnection
    private let sequence: UInt64
    private var state = State.fresh

    init(connection: HTTPConnection, sequence: UInt64) {
        self.connection = connection
        self.sequence = sequence
    }

    deinit {
        switch state {
        case .fresh:
            connection.complete(
                sequence, .problem(status: 500, detail: "The request was not answered."))
        case .streaming: connection.abort()
        case .done: break
        }
    }

    /// The client closed the connection, or at least its side of it. An answer is still sent if it can be.
    var isClosed: Bool { connection.isClientGone }

    /// Called once if the client goes away before the answer is complete.
    var onClose: (() -> Void)? {
        didSet { if state != .done { connection.setOnClose(sequence, onClose) } }
    }

    /// Once. For a HEAD request the body only gives the length.
    func send(_ response: HTTPResponse) {
        precondition(state == .fresh, "a request is answered once")
        state = .done
        connection.complete(sequence, response)
    }

    // MARK: Streaming

    /// Begins an answer whose length is not known.
    func begin(
        status: Int = 200, contentType: String?, headers: [(name: String, value: String)] = []
    ) {
        precondition(state == .fresh, "a request is answered once")
        state = .streaming
        connection.beginStream(
            sequence, HTTPResponse(status: status, contentType: contentType, headers: headers))
    }

    /// False if the chunk was not taken, because the client is gone or
    /// `HTTPLimits.maxStreamQueueBytes` behind.
    func write(_ chunk: [UInt8]) -> Bool {
        precondition(state == .streaming, "begin comes first")
        return connection.writeStream(sequence, chunk)
    }

    /// Bytes that the client has not taken, of this answer and of those before it.
    var queuedBytes: Int { connection.queuedBytes(of: sequence) }

    func end() {
        precondition(state == .streaming, "begin comes first")
        state = .done
        connection.endStream(sequence)
    }

    /// Answers 101 and leaves HTTP. Only for a request that `canUpgrade`; nil if the client went away.
    /// `headers` name the new protocol; the `connection` field is added.
    func upgrade(headers: [(name: String, value: String)]) -> HTTPUpgrade? {
        precondition(state == .fresh, "a request is answered once")
        state = .done
        return connection.upgrade(sequence, headers: headers)
    }
}
