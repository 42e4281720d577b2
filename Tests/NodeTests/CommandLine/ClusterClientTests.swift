import Testing

@testable import Node

struct ClusterClientTests {
    private func client(_ servers: ScriptedServer...) -> ClusterClient {
        ClusterClient(servers: servers.map(\.endpoint), token: nil)
    }

    // MARK: Framing

    @Test
    func
        `bodies with a length, in chunks and up to the end are read, on one connection where possible`()
        throws
    {
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n"
        let server = try ScriptedServer(
            .reply(ScriptedServer.reply(200, "one", headers: "X-A: b\r\n")),
            .reply("HTTP/1.1 100 Continue\r\n\r\n" + chunked), .reply("HTTP/1.1 204 No\r\n\r\n"),
            .close("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall the rest"))
        defer { server.stop() }
        let client = client(server)
        let first = try client.send(.get("/1"))
        #expect(String(decoding: first.body, as: UTF8.self) == "one")
        #expect(first.header("x-a") == "b")
        #expect(try String(decoding: client.send(.get("/2")).body, as: UTF8.self) == "abcde")
        #expect(try client.send(.get("/3")).status == 204)
        #expect(try String(decoding: client.send(.get("/4")).body, as: UTF8.self) == "all the rest")
        #expect(server.requests.map(\.line) == (1...4).map { "GET /\($0) HTTP/1.1" })
    }

    @Test(arguments: [
        "garbage\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ])
    func `a reply that is no HTTP is refused`(reply: String) throws {
        let server = try ScriptedServer(.close(reply), .close(reply))
        defer { server.stop() }
        #expect(throws: CommandFailure.self) { try client(server).send(.get("/")) }
    }

    @Test func `a reply that stops half way is no reply`() throws {
        let half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"
        let server = try ScriptedServer(.close(half), .reply(ScriptedServer.reply(200, "whole")))
        defer { server.stop() }
        let response = try client(server).send(.get("/"))
        #expect(String(decoding: response.body, as: UTF8.self) == "whole")
    }

    // MARK: Failover

    @Test func `a node that is down is passed over`() throws {
        let down = try ScriptedServer()
        down.stop()
        let up = try ScriptedServer(
            .reply(ScriptedServer.reply(200, "")), .reply(ScriptedServer.reply(200, "")))
        defer { up.stop() }
        let client = client(down, up)
        #expect(try client.send(.post("/a")).status == 200)
        #expect(try client.send(.post("/b")).status == 200)
        #expect(up.requests.count == 2)
    }

    @Test func `a repeatable request whose reply is lost goes to the next node, the same`() throws {
        let first = try ScriptedServer(.close(""))
        let second = try ScriptedServer(.reply(ScriptedServer.reply(201, "{}")))
        defer {
            first.stop()
            second.stop()
        }
        var request = ClientRequest.post("/v1/tasks", body: Array("{}".utf8), isRepeatable: true)
        request.idempotencyKey = "k1"
        #expect(try client(first, second).send(request).status == 201)
        #expect(first.requests.map(\.body) == ["{}"])
        #expect(first.requests[0].headers["idempotency-key"] == "k1")
        #expect(second.requests[0].headers["idempotency-key"] == "k1")
    }

    @Test func `another request whose reply is lost is not sent again`() throws {
        let first = try ScriptedServer(.close(""))
        let second = try ScriptedServer(.reply(ScriptedServer.reply(200, "")))
        defer {
            first.stop()
            second.stop()
        }
        do throws(CommandFailure) {
            _ = try client(first, second).send(.post("/v1/schedules/x/trigger"))
            Issue.record("the request was answered")
        } catch {
            #expect(error.exitStatus == 1)
            #expect(error.message.contains("may or may not have been done"), "\(error.message)")
        }
        #expect(second.requests.isEmpty)
    }

    @Test func `a node without a leader is passed over, and the last such answer is shown`() throws
    {
        let without = ScriptedServer.Step.reply(
            ScriptedServer.reply(
                503, "{\"title\": \"No leader\", \"detail\": \"no leader is known\"}",
                headers: "Retry-After: 2\r\n"))
        let first = try ScriptedServer(without, without)
        let second = try ScriptedServer(.reply(ScriptedServer.reply(200, "")), without)
        defer {
            first.stop()
            second.stop()
        }
        let client = client(first, second)
        #expect(try client.send(.get("/")).status == 200)
        do throws(CommandFailure) {
            _ = try client.sendExpectingSuccess(.get("/"))
            Issue.record("the request was answered")
        } catch {
            #expect(error.message == "no leader is known (503)\n  try again in 2s")
        }
    }

    /// Such as the removal of a member, asked of one that was removed before.
    @Test
    func `what may not be done twice goes on from a node that did nothing, and from no other`()
        throws
    {
        func busy(_ kind: String) -> ScriptedServer.Step {
            .reply(ScriptedServer.reply(503, "{\"type\": \"urn:carillon:problem:\(kind)\"}"))
        }
        let first = try ScriptedServer(busy("no-leader"))
        let second = try ScriptedServer(busy("outcome-unknown"))
        defer {
            first.stop()
            second.stop()
        }
        let response = try client(first, second).send(.post("/"))
        #expect(ProblemText.failure(response).message.contains("503"))
        #expect(first.requests.count == 1 && second.requests.count == 1)
    }

    @Test func `a connection that the node closed while idle is replaced`() throws {
        let ok = ScriptedServer.reply(200, "")
        // It says that it stays open, and closes.
        let server = try ScriptedServer(.close(ok), .reply(ok))
        defer { server.stop() }
        let client = client(server)
        #expect(try client.send(.get("/1")).status == 200)
        #expect(try client.send(.get("/2")).status == 200)
    }

    @Test func `no node at all: the failure names each and says what to do`() throws {
        let one = try ScriptedServer()
        let two = try ScriptedServer()
        one.stop()
        two.stop()
        do throws(CommandFailure) {
            _ = try client(one, two).send(.get("/"))
            Issue.record("the request was answered")
        } catch {
            #expect(
                error.message == """
                    cannot reach http://\(one.endpoint): connection refused
                      cannot reach http://\(two.endpoint): connection refused; is the cluster up? \
                    scripts/cluster up
                    """)
        }
    }

    @Test func `a node that says nothing is given up`() throws {
        let server = try ScriptedServer(.silence)
        defer { server.stop() }
        var request = ClientRequest.post("/")
        request.timeoutMilliseconds = 50
        let silent = client(server)
        do throws(CommandFailure) {
            _ = try silent.send(request)
            Issue.record("the request was answered")
        } catch {
            #expect(error.message.contains("no reply in time"))
        }
    }

    // MARK: Problems

    @Test func `what a node says against a request is shown with its places`() {
        let body = """
            {"type": "about:blank", "title": "Does not validate", "status": 422, "detail": "2 errors.",
             "errors": [{"pointer": "/payload", "detail": "is too large"}, {"pointer": "", "detail": "x"}]}
            """
        let response = ClientResponse(status: 422, headers: [], body: Array(body.utf8))
        #expect(
            ProblemText.text(response) == """
                2 errors (422)
                  /payload: is too large
                  x
                """)
        let other = ClientResponse(status: 502, headers: [], body: Array("<html>".utf8))
        #expect(ProblemText.text(other) == "the node answered 502")
    }
}
