import Glibc
import Testing

@testable import Node

/// A client, and a server whose answers the test gives, on one loop.
final class PlainFixture {
    let loop: Loop
    var client: HTTPClient!
    /// The connections that the server has accepted, in that order.
    private(set) var visits: [Visit] = []
    /// What came for the requests, in the order of coming.
    private(set) var replies: [OutgoingReply] = []
    /// Called with each whole request.
    var onRequest: (Visit, String) -> Void = { _, _ in }
    private(set) var listener: Listener!
    /// Of the requests that are sent from now on.
    var isAtMostOnce = false

    init(
        limits: PlainLimits = PlainLimits(), host: String = "127.0.0.1",
        onRequest: @escaping (Visit, String) -> Void = { _, _ in }
    ) throws {
        self.onRequest = onRequest
        loop = try Loop()
        client = try HTTPClient(loop: loop, limits: limits, usesProxy: false)
        listener = try Listener(
            loop: loop, endpoint: Endpoint(host: host, port: 0),
            onTrouble: { Issue.record("\($0)") }
        ) { [unowned self] descriptor, remote in
            let number = descriptor.number
            do throws(IOError) {
                let connection = try Connection(loop: loop, adopting: descriptor, remote: remote)
                visits.append(Visit(connection, descriptor: number, self))
            } catch {
                Issue.record("\(error)")
            }
        }
    }

    deinit {
        for visit in visits { visit.connection.close() }
        listener.close()
    }

    var base: String { "http://\(listener.address)" }

    /// Sends a request to the server, whose reply is added to `replies`; or to another, if the URL is whole.
    @discardableResult
    func send(
        _ url: String = "/", method: String = "GET", headers: [(name: String, value: String)] = [],
        body: String? = nil, maxReplyBytes: Int? = nil
    ) -> Int? {
        var request = OutgoingRequest(
            method: method, url: url.hasPrefix("/") ? base + url : url, headers: headers,
            body: body.map { Array($0.utf8) })
        if let maxReplyBytes { request.maxReplyBytes = maxReplyBytes }
        request.isAtMostOnce = isAtMostOnce
        return client.send(request) { [unowned self] in replies.append($0) }
    }

    /// The same, and waits for the reply.
    func reply(
        _ url: String = "/", method: String = "GET", headers: [(name: String, value: String)] = [],
        body: String? = nil, maxReplyBytes: Int? = nil
    ) -> OutgoingReply? {
        let before = replies.count
        send(url, method: method, headers: headers, body: body, maxReplyBytes: maxReplyBytes)
        turn { replies.count > before }
        return replies.last
    }

    var requests: [String] { visits.flatMap(\.requests) }

    /// Turns until the condition holds; the bound only ends a test that hangs.
    func turn(until condition: () -> Bool, _ location: SourceLocation = #_sourceLocation) {
        let end = SystemClock.monotonicMilliseconds() + 60_000
        while !condition() {
            guard SystemClock.monotonicMilliseconds() < end else {
                Issue.record("the condition never held", sourceLocation: location)
                return
            }
            loop.turn(maxWaitMilliseconds: 1)
        }
    }

    /// Time enough for what should not happen to be seen if it did.
    func settle() {
        for _ in 0..<20 { loop.turn(maxWaitMilliseconds: 1) }
    }

    static func ok(_ body: String = "ok") -> String {
        "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }
}

/// A connection as the server sees it.
final class Visit {
    let connection: Connection
    private let descriptor: Int32
    private(set) var requests: [String] = []
    /// The client has closed its side, or all of it.
    private(set) var hasEnded = false

    init(_ connection: Connection, descriptor: Int32, _ fixture: PlainFixture) {
        self.connection = connection
        self.descriptor = descriptor
        connection.onBytes = { [unowned self, unowned fixture] bytes in
            let count = Self.wholeRequest(bytes.text())
            guard count > 0 else { return 0 }
            let request = bytes.extracting(0..<count).text()
            requests.append(request)
            fixture.onRequest(self, request)
            return count
        }
        connection.onEnd = { [unowned self] in hasEnded = true }
        connection.onClose = { [unowned self] _ in hasEnded = true }
    }

    func send(_ text: String) { connection.write(Array(text.utf8)) }

    /// At once, the reset right behind the text.
    func reset(after text: String) {
        if !text.isEmpty {
            #expect(Glibc.send(descriptor, text, text.utf8.count, 0) == text.utf8.count)
        }
        var atOnce = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        #expect(setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &atOnce, size) == 0)
        connection.close()
    }

    /// What is sent goes first.
    func close() { connection.finish(lingering: false) }

    private static func wholeRequest(_ text: String) -> Int {
        guard let end = text.firstRange(of: "\r\n\r\n") else { return 0 }
        let line = text[..<end.lowerBound].split(separator: "\r\n").first {
            $0.lowercased().hasPrefix("content-length:")
        }
        let length = line.flatMap { Int($0.split(separator: " ").last ?? "") } ?? 0
        let whole = text[..<end.upperBound].utf8.count + length
        return whole <= text.utf8.count ? whole : 0
    }
}

extension OutgoingReply {
    static func ok(_ body: String = "ok") -> OutgoingReply {
        .response(status: 200, retryAfter: nil, body: Array(body.utf8), isCutOff: false)
    }

    var status: Int? {
        if case .response(let status, _, _, _) = self { status } else { nil }
    }

    var text: String? {
        if case .response(_, _, let body, _) = self {
            String(decoding: body, as: UTF8.self)
        } else {
            nil
        }
    }

    var reason: String? {
        if case .failed(let reason, _) = self { reason } else { nil }
    }
}
