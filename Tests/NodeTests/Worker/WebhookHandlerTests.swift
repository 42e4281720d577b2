import Scheduler
import Testing

@testable import Node

@Suite(.serialized) struct WebhookHandlerTests {
    private static let secret = Array("s3cret".utf8)

    private func bench(secret: [UInt8]?) throws -> WorkerBench {
        let bench = try WorkerBench(["webhook": .webhook(WebhookHandler(secret: secret))])
        bench.worker.describe = {
            $0 == TaskID(5) && $1.isStandard ? Array(#"{"id":"t5"}"#.utf8) : nil
        }
        return bench
    }

    private func payload(_ server: AnsweringServer, _ path: String, task: Int = 5) -> String {
        #"{"url":"http://127.0.0.1:\#(server.port)\#(path)","task":"t\#(task)","state":"dead","time":1795248260500}"#
    }

    private func header(_ name: String, in request: String) -> String? {
        let line = request.split(separator: "\r\n").first {
            $0.lowercased().hasPrefix(name.lowercased() + ":")
        }
        return line.map { String($0.dropFirst(name.utf8.count + 1).drop { $0 == " " }) }
    }

    /// The code agrees with `openssl dgst -sha256 -hmac`.
    @Test func signsTimeAndBody() {
        let text = WebhookHandler.signature(
            secret: Self.secret, body: Array("{}".utf8), seconds: 1_795_248_260)
        #expect(
            text
                == "t=1795248260,v1=e258454a2d2f44c729d5ee2cb0d18576cce1cab60ef61c384c8aec40190ff51e"
        )
    }

    @Test func tellsOfTheTaskAndSignsIt() throws {
        let server = try AnsweringServer()
        defer { server.stop() }
        let bench = try bench(secret: Self.secret)
        let before = SystemClock.wallMilliseconds() / 1_000
        let result = bench.run(bench.assignment("webhook", payload: payload(server, "/text")))
        #expect(result?.text == #"{"status":201}"#)
        let request = try #require(server.requests.first)
        let body = String(request[try #require(request.firstRange(of: "\r\n\r\n")).upperBound...])
        #expect(
            body
                == #"{"type":"task.dead","time":"2026-11-21T08:04:20.500Z","id":"t5","task":{"id":"t5"}}"#
        )
        #expect(header("Carillon-Task", in: request) == "t1", "the same when it is sent again")
        let signature = try #require(header(WebhookHandler.signatureHeader, in: request))
        let seconds = try #require(Int64(signature.dropFirst(2).prefix { $0 != "," }))
        #expect((before...before + 60).contains(seconds))
        let code = HMAC.sha256(key: Self.secret, Array("\(seconds).\(body)".utf8)).hexadecimal
        #expect(signature == "t=\(seconds),v1=\(code)")
    }

    @Test func saysSoWhenTheTaskIsNotKeptAnyMore() throws {
        let server = try AnsweringServer()
        defer { server.stop() }
        let bench = try bench(secret: nil)
        _ = bench.run(bench.assignment("webhook", payload: payload(server, "/text", task: 6)))
        let request = try #require(server.requests.first)
        #expect(request.hasSuffix(#""id":"t6","task":null}"#))
        #expect(header(WebhookHandler.signatureHeader, in: request) == nil, "nobody gave a secret")
    }

    @Test func tellsNothingOfAnotherNamespacesTask() throws {
        let server = try AnsweringServer()
        defer { server.stop() }
        let bench = try bench(secret: nil)
        var assignment = bench.assignment("webhook", payload: payload(server, "/text"))
        assignment.namespace = Namespace(name: "shop")
        _ = bench.run(assignment)
        let request = try #require(server.requests.first)
        #expect(request.hasSuffix(#""id":"t5","task":null}"#))
    }

    @Test func failuresAreThoseOfAnyRequest() throws {
        let server = try AnsweringServer()
        defer { server.stop() }
        let bench = try bench(secret: nil)
        func failure(_ path: String) -> AttemptResult.Failure? {
            bench.run(bench.assignment("webhook", payload: payload(server, path)))?.failure
        }
        let busy = failure("/busy")
        #expect(busy?.isRetryable == true && busy?.retryAfterMilliseconds == 7_000)
        #expect(failure("/down")?.isRetryable == true)
        #expect(failure("/gone")?.isRetryable == false)
        #expect(failure("/break")?.kind == "connection")
        // What the receiver says to it may be as long as it likes.
        #expect(
            bench.run(bench.assignment("webhook", payload: payload(server, "/large")))?.text
                == #"{"status":200}"#)
    }

    @Test(arguments: ["null", "{}", #"{"url":"file:///etc","task":"t1","state":"dead","time":1}"#])
    func refusesOtherPayloadsForGood(payload: String) throws {
        let bench = try bench(secret: nil)
        let failure = bench.run(bench.assignment("webhook", payload: payload))?.failure
        #expect(failure?.kind == "payload" && failure?.isRetryable == false)
    }
}
