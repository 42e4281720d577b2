import Raft

/// Follows a node's events on the loop, as they come.
final class EventTail {
    /// Takes the framing of a streamed answer away (RFC 9112, 7.1) and finds the lines of its events.
    struct Framing {
        private var text: [UInt8] = []
        private(set) var hasEnded = false

        enum Failure: Error, Equatable {
            case notChunked
        }

        /// Tells each complete `data:` line behind what was taken before. Returns how many bytes it took; the rest belongs to
        /// a chunk that is not all there.
        mutating func take(
            _ bytes: Span<UInt8>, _ tell: (Span<UInt8>) -> Void
        ) throws(Failure) -> Int {
            var used = 0
            while !hasEnded, let lineEnd = bytes.firstLineFeed(from: used) {
                guard let size = Self.size(bytes.extracting(used..<lineEnd)) else {
                    throw .notChunked
                }
                let start = lineEnd + 1
                guard bytes.count >= start + size + 2 else { return used }
                if size == 0 { hasEnded = true }
                let chunk = bytes.extracting(start..<start + size)
                used = start + size + 2
                if text.isEmpty, size > 0, chunk[size - 1] == 0x0A {
                    Self.lines(chunk, tell)
                } else {
                    chunk.append(to: &text)
                    guard let end = text.lastIndex(of: 0x0A) else { continue }
                    Self.lines(text.span.extracting(0..<end + 1), tell)
                    text.removeFirst(end + 1)
                }
            }
            return used
        }

        private static func size(_ line: Span<UInt8>) -> Int? {
            var size = 0
            var digits = 0
            for index in line.indices {
                guard let value = line[index].hexadecimalValue else {
                    // An extension may follow.
                    guard [0x0D, 0x20, 0x3B].contains(line[index]) else { return nil }
                    break
                }
                size = size << 4 | Int(value)
                digits += 1
                guard digits <= 6 else { return nil }
            }
            return digits > 0 ? size : nil
        }

        private static func lines(_ text: Span<UInt8>, _ tell: (Span<UInt8>) -> Void) {
            var start = 0
            while let end = text.firstLineFeed(from: start) {
                if end - start > 6, text.extracting(start..<start + 6).equals("data: ") {
                    tell(text.extracting(start + 6..<end))
                }
                start = end + 1
            }
        }
    }

    private let loop: Loop
    private var dial: Dial?
    private var stream: Connection?
    private var framing = Framing()
    private var hasBegun = false
    private var isClosed = false
    private let onBegin: () -> Void
    private let onEvent: (Span<UInt8>) -> Void
    private let onLoss: (String) -> Void

    private static let dialMilliseconds = 3_000

    /// - Parameters:
    ///   - request: head of `GET /v1/events?…`, with its empty line.
    ///   - onBegin: what happens from now on is told.
    ///   - onEvent: the event's JSON.
    ///   - onLoss: nothing more is told, and why.
    init(
        loop: Loop, target: SocketAddress, request: [UInt8], onBegin: @escaping () -> Void,
        onEvent: @escaping (Span<UInt8>) -> Void, onLoss: @escaping (String) -> Void
    ) {
        self.loop = loop
        self.onBegin = onBegin
        self.onEvent = onEvent
        self.onLoss = onLoss
        // In a turn, whose time is that of now.
        loop.later { [weak self] in self?.connect(to: target, request) }
    }

    private func connect(to target: SocketAddress, _ request: [UInt8]) {
        guard !isClosed else { return }
        dial = Dial(loop: loop, address: target, timeoutMilliseconds: Self.dialMilliseconds) {
            [unowned self] result in
            dial = nil
            switch result {
            case .failure(let error): onLoss(error.reason)
            case .success(let stream): begin(stream, request)
            }
        }
    }

    func close() {
        isClosed = true
        dial?.cancel()
        dial = nil
        stream?.close()
        stream = nil
    }

    private func begin(_ stream: Connection, _ request: [UInt8]) {
        self.stream = stream
        stream.onBytes = { [unowned self] bytes in take(bytes) }
        stream.onEnd = { [unowned self] in lost("the node ended its events") }
        stream.onClose = { [unowned self] _ in lost("the connection for events is lost") }
        stream.write(request)
    }

    private func take(_ bytes: Span<UInt8>) -> Int {
        var used = 0
        if !hasBegun {
            guard let head = Self.head(bytes) else { return 0 }
            guard head.isStream else {
                lost("the node does not tell its events: it answers \(head.status)")
                return bytes.count
            }
            hasBegun = true
            used = head.bytes
            onBegin()
        }
        do throws(Framing.Failure) {
            used += try framing.take(bytes.extracting(used..<bytes.count), onEvent)
        } catch {
            lost("the node's events are not framed as they should be")
            return bytes.count
        }
        if framing.hasEnded { lost("the node ended its events") }
        return used
    }

    /// nil: it is not all there.
    private static func head(
        _ bytes: Span<UInt8>
    ) -> (status: String, bytes: Int, isStream: Bool)? {
        var status = ""
        var isChunked = false
        var start = 0
        while let end = bytes.firstLineFeed(from: start) {
            let line = bytes.extracting(start..<end).text().lowercased().filter { $0 != "\r" }
            if start == 0 { status = String(line.dropFirst("http/1.1 ".count)) }
            start = end + 1
            if line == "transfer-encoding: chunked" { isChunked = true }
            if line.isEmpty { return (status, start, status.hasPrefix("200") && isChunked) }
        }
        return nil
    }

    private func lost(_ reason: String) {
        guard stream != nil else { return }
        close()
        onLoss(reason)
    }
}
