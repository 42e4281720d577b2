import Glibc
import Scheduler
import Synchronization
import Testing

@testable import Node

/// A server that answers by the path of the request, one connection after the other, in a thread of its
/// own.
final class AnsweringServer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let state = Mutex(State())

    private struct State {
        var requests: [String] = []
        var held: [Int32] = []
    }

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
        try SystemThread.detached(name: "test-server") { [self] in serve() }
    }

    var requests: [String] { state.withLock { $0.requests } }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        state.withLock { state in
            for held in state.held { close(held) }
            state.held = []
        }
    }

    private func serve() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else {
                close(listener)
                return
            }
            let request = Self.read(connection)
            state.withLock { $0.requests.append(request) }
            let path = request.split(separator: " ").dropFirst().first ?? ""
            guard let answer = answer(to: String(path)) else {
                state.withLock { $0.held.append(connection) }
                continue
            }
            var offset = 0
            while offset < answer.count {
                let count = answer.withUnsafeBytes {
                    send(
                        connection, $0.baseAddress! + offset, $0.count - offset,
                        Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { break }
                offset += count
            }
            close(connection)
        }
    }

    /// nil: none, and the connection stays open.
    private func answer(to path: String) -> [UInt8]? {
        switch path {
        case "/json": return Self.answer("200 OK", body: "{ \"ok\":1e400}")
        case "/text": return Self.answer("201 Created", body: "fine\n")
        case "/empty": return Self.answer("204 No Content", body: "")
        case "/large": return Self.answer("200 OK", body: String(repeating: "x", count: 9_000_000))
        case "/busy":
            return Self.answer("429 Too Many Requests", "Retry-After: 7\r\n", body: "slow down")
        case "/down": return Self.answer("503 Service Unavailable", body: "")
        case "/gone": return Self.answer("410 Gone", "Retry-After: 7\r\n", body: "for good")
        case "/moved": return Self.answer("302 Found", "Location: /json\r\n", body: "")
        case "/break": return []
        case "/batch":
            return Self.answer(
                "200 OK",
                body: "{\"task\":\"t1\",\"result\":\"first\"}\n{\"task\":\"t2\",\"error\":\"no\"}\n"
            )
        case "/hang": return nil
        default: return Self.answer("404 Not Found", body: path)
        }
    }

    private static func answer(_ status: String, _ headers: String = "", body: String) -> [UInt8] {
        Array(
            "HTTP/1.1 \(status)\r\n\(headers)Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
                .utf8)
    }

    private static func read(_ connection: Int32) -> String {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return text }
            text += String(decoding: buffer[..<count], as: UTF8.self)
            guard let end = text.firstRange(of: "\r\n\r\n") else { continue }
            let length = text.split(separator: "\r\n").first {
                $0.lowercased().hasPrefix("content-length:")
            }
            let wanted = length.flatMap { Int($0.split(separator: " ").last ?? "") } ?? 0
            if text[end.upperBound...].utf8.count >= wanted { return text }
        }
    }
}

@Suite(.serialized) struct HTTPHandlerTests {
    private func bench(
        _ server: AnsweringServer, path: String, method: String = "POST", body: String? = nil,
        headers: [(String, String)] = []
    ) throws -> WorkerBench {
        try bench(
            "http://127.0.0.1:\(server.port)\(path)", method: method, body: body, headers: headers)
    }

    private func bench(
        _ url: String, method: String = "POST", body: String? = nil,
        headers: [(String, String)] = []
    ) throws -> WorkerBench {
        try WorkerBench([
            "run": .http(
                HTTPHandler(
                    method: method, url: try Template(url, for: .url),
                    headers: try headers.map {
                        HTTPHandler.Header(name: $0.0, value: try Template($0.1, for: .header))
                    }, body: try body.map { try Template($0, for: .body) }, timeoutMilliseconds: nil
                ))
        ])
    }

    @Test(arguments: [
        ("/json", "{ \"ok\":1e400}"), ("/text", "\"fine\""), ("/empty", "\"\""),
        ("/moved", "{ \"ok\":1e400}"),
    ])
    func successIsTheBody(path: String, expected: String) throws {
        let server = try AnsweringServer()
        defer { server.stop() }
        let bench = try bench(server, path: path)
        #expect(bench.run(bench.assignment())?.text == expected)
    }

    @Test(
        arguments: [
            ("/busy", true, 7000, "the server answered 429: slow down"),
            ("/down", true, nil, "the server answered 503"),
            ("/gone", false, nil, "the server answered 410: for good"),
        ] as [(String, Bool, Int64?, String)])
    func statusDecidesAboutRetrying(
        path: String, isRetryable: Bool, retryAfter: Int64?, message: String
    ) throws {
        let server = try AnsweringServer()
        defer { server.stop() }
        let bench = try bench(server, path: path)
        let failure = bench.run(bench.assignment())?.failure
        #expect(failure?.kind == "http")
        #expect(failure?.isRetryable == isRetryable)
        #expect(failure?.retryAfterMilliseconds == retryAfter)
        #expect(failure?.message == message)
    }

    @Test(arguments: [("GET", true), ("PUT", true), ("POST", false)])
    func isSentOnceMoreOnlyIfMethodAndTaskAllowIt(method: String, isIdempotent: Bool) throws {
        let handler = HTTPHandler(
            method: method, url: try Template("http://h/", for: .url), headers: [], body: nil,
            timeoutMilliseconds: nil)
        let bench = try WorkerBench()
        let usual = bench.assignment()
        var once = bench.assignment()
        once.delivery = .atMostOnce
        #expect(try OutgoingRequest(handler, for: usual).isIdempotent == isIdempotent)
        #expect(try !OutgoingRequest(handler, for: once).isIdempotent)
        #expect(
            try OutgoingRequest(handler, forBatch: [usual, usual]).isIdempotent == isIdempotent)
        #expect(try !OutgoingRequest(handler, forBatch: [usual, once]).isIdempotent)
    }

    @Test func sendsWhatTheTemplatesSay() throws {
        let server = try AnsweringServer()
        defer { server.stop() }
        let bench = try bench(
            server, path: "/{{payload.channel}}", method: "PUT",
            body: #"{"text": "{{payload.text}}"}"#,
            headers: [("X-Task", "{{task.id}}")])
        let assignment = bench.assignment(payload: #"{"channel":"json","text":"a\"b"}"#, attempt: 4)
        #expect(bench.run(assignment)?.text == "{ \"ok\":1e400}")
        let request = try #require(server.requests.first)
        #expect(request.hasPrefix("PUT /json HTTP/1.1\r\n"))
        let lines = request.lowercased().split(separator: "\r\n")
        #expect(lines.contains("x-task: t1"))
        #expect(lines.contains("carillon-task: t1"))
        #expect(lines.contains("carillon-attempt: 4"))
        #expect(lines.contains("carillon-fence: 901"))
        #expect(lines.contains("content-type: application/json"))
        #expect(request.hasSuffix("\r\n\r\n{\"text\": \"a\\\"b\"}"))
    }

    @Test func thePayloadIsTheBodyUnlessAnotherIsGiven() throws {
        let server = try AnsweringServer()
        defer { server.stop() }
        let bench = try bench(server, path: "/json")
        _ = bench.run(bench.assignment(payload: "{ \"n\":1e400}"))
        #expect(server.requests.first?.hasSuffix("\r\n\r\n{ \"n\":1e400}") == true)
    }

    @Test func largeBodiesAreCutOff() throws {
        let server = try AnsweringServer()
        defer { server.stop() }
        let bench = try bench(server, path: "/large")
        #expect(bench.run(bench.assignment())?.failure?.kind == "resultTooLarge")
    }

    @Test func brokenConnectionsMayBeTriedAgain() throws {
        let server = try AnsweringServer()
        let broken = try bench(server, path: "/break")
        let failure = broken.run(broken.assignment())?.failure
        #expect(failure?.kind == "connection")
        #expect(failure?.isRetryable == true)
        server.stop()
        let refused = try bench("http://127.0.0.1:1/json")
        let refusal = refused.run(refused.assignment())?.failure
        #expect(refusal?.kind == "connection")
        #expect(refusal?.isRetryable == true)
        #expect(refusal?.message.contains("could not connect") == true, "\(refusal?.message ?? "")")
    }

    @Test func timeoutAndStopGiveUpTheRequest() throws {
        let server = try AnsweringServer()
        defer { server.stop() }
        let bench = try bench(server, path: "/hang")
        let failure = bench.run(bench.assignment(timeoutMilliseconds: 100))?.failure
        #expect(failure?.kind == "timeout")
        let stopped = bench.assignment()
        bench.worker.start(stopped)
        bench.turn(until: { server.requests.count == 2 })
        bench.worker.stop(task: stopped.task, attempt: 1, reason: .leaseLost)
        bench.turn(until: { bench.finishes.count == 2 })
        #expect(bench.finishes.last?.result == .returned)
        #expect(bench.worker.runningCount == 0)
    }

    @Test func aPayloadThatLacksWhatTheTemplateNeedsFailsForGood() throws {
        let bench = try bench("http://127.0.0.1:1/{{payload.id}}")
        let failure = bench.run(bench.assignment(payload: "{}"))?.failure
        #expect(failure?.kind == "payload")
        #expect(failure?.isRetryable == false)
        #expect(failure?.message == "the payload has no \"id\"")
    }

    @Test func fiftyAtOnce() throws {
        let server = try AnsweringServer()
        defer { server.stop() }
        let bench = try bench(server, path: "/json", method: "GET")
        for _ in 0..<50 { bench.worker.start(bench.assignment()) }
        bench.turn(until: { bench.finishes.count == 50 })
        #expect(bench.finishes.allSatisfy { $0.result.text == "{ \"ok\":1e400}" })
    }

    @Test(
        arguments: [
            ("120", 120_000), ("0", 0), (" 5", 5000), ("99999999999999999999999", 86_400_000),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 7000), ("Sun, 06 Nov 1994 08:49:00 GMT", 0),
            ("Mon, 07 Nov 2094 08:49:37 GMT", 86_400_000), ("soon", nil), ("", nil), ("-5", nil),
            ("Sun, 31 Feb 1994 08:49:37 GMT", nil),
        ] as [(String, Int64?)])
    func readsRetryAfter(text: String, expected: Int64?) {
        #expect(RetryAfter.milliseconds(text, now: 784_111_770_000) == expected)
    }
}
