import Testing

@testable import Node

struct QueueCommandTests {
    private func run(
        _ words: [String], on server: ScriptedServer
    ) -> (status: Int32, output: String, errors: String) {
        let console = Console(capturingAsTerminal: true)
        let status = CommandLineTool.run(
            words + ["--server", server.endpoint.description], console: console)
        return (status, console.output, console.errors)
    }

    private static let notFound = ScriptedServer.Step.reply(
        ScriptedServer.reply(404, #"{"type": "urn:carillon:problem:not-found"}"#))
    private static let done = ScriptedServer.Step.reply(ScriptedServer.reply(200, "{}"))

    @Test func `set of a queue that is not there sends what was given`() throws {
        let server = try ScriptedServer(Self.notFound, Self.done)
        defer { server.stop() }
        let result = run(
            [
                "queue", "set", "mail", "--concurrency", "20", "--rate", "100/s", "--max-pending",
                "7", "--breaker", "{\"failures\": 5}",
            ], on: server)
        #expect(result.status == 0 && result.output == "queue mail is set\n", "\(result.errors)")
        #expect(
            server.requests.map(\.line) == [
                "GET /v1/queues/mail HTTP/1.1", "PUT /v1/queues/mail HTTP/1.1",
            ])
        #expect(
            server.requests.last?.body
                == #"{"concurrency":20,"maxPending":7,"rate":"100/s","breaker":{"failures": 5}}"#)
    }

    @Test func `delete forgets the settings`() throws {
        let server = try ScriptedServer(.reply("HTTP/1.1 204 No Content\r\n\r\n"))
        defer { server.stop() }
        let result = run(["queue", "delete", "mail"], on: server)
        #expect(result.output == "the settings of queue mail are deleted\n", "\(result.errors)")
        #expect(server.requests.map(\.line) == ["DELETE /v1/queues/mail HTTP/1.1"])
    }

    /// As a node shows it.
    private static func queue(burst: Int) -> ScriptedServer.Step {
        .reply(
            ScriptedServer.reply(
                200,
                #"{"name": "mail", "concurrency": 20, "rate": "100/s", "burst": \#(burst), "#
                    + #""priority": null, "maxPending": 9, "paused": true, "#
                    + #""breaker": {"failures": 5, "state": "open", "until": null}, "#
                    + #""errorWebhook": "http://a/", "limits": [{"key": "meta.a"}], "pending": 1}"#
            ))
    }

    private static let rest =
        #""maxPending":9,"breaker":{"failures": 5, "state": "open", "until": null},"#
        + #""errorWebhook":"http://a/","limits":[{"key": "meta.a"}]"#

    @Test(arguments: [
        (
            ["--priority", "7"], 10,
            #"{"priority":7,"concurrency":20,"rate":"100/s",\#(rest),"burst":10}"#
        ),
        (
            ["--priority", "high", "--rate", "none"], 10,
            #"{"priority":"high","concurrency":20,\#(rest)}"#
        ),
        (["--rate", "none"], 10, #"{"concurrency":20,\#(rest)}"#),
        // What a tenth of a second brings is another number at another rate, but for one that was given.
        (["--rate", "9/s"], 10, #"{"rate":"9/s","concurrency":20,\#(rest)}"#),
        (["--rate", "9/s"], 3, #"{"rate":"9/s","concurrency":20,\#(rest),"burst":3}"#),
        (["--burst", "none"], 3, #"{"concurrency":20,"rate":"100/s",\#(rest)}"#),
        (
            [
                "--concurrency", "none", "--breaker", "none", "--limits", "none",
                "--error-webhook", "none", "--max-pending", "none",
            ], 10, #"{"rate":"100/s","burst":10}"#
        ),
    ])
    func `set keeps what is not given`(options: [String], burst: Int, body: String) throws {
        let server = try ScriptedServer(Self.queue(burst: burst), Self.done)
        defer { server.stop() }
        let result = run(["queue", "set", "mail"] + options, on: server)
        #expect(result.status == 0, "\(result.errors)")
        #expect(server.requests.last?.body == body)
    }

    @Test func `set with --replace keeps nothing and asks for nothing`() throws {
        let server = try ScriptedServer(Self.done)
        defer { server.stop() }
        let result = run(
            ["queue", "set", "mail", "--replace", "--rate", "9/s", "--burst", "none"], on: server)
        #expect(result.status == 0, "\(result.errors)")
        #expect(server.requests.map(\.body) == [#"{"rate":"9/s"}"#])
    }

    @Test func `set goes no further when the queue can't be read`() throws {
        let server = try ScriptedServer(.reply(ScriptedServer.reply(503, "{}")))
        defer { server.stop() }
        #expect(run(["queue", "set", "mail", "--rate", "9/s"], on: server).status == 1)
        #expect(server.requests.map(\.line) == ["GET /v1/queues/mail HTTP/1.1"])
    }

    @Test func `get shows a queue`() throws {
        let server = try ScriptedServer(Self.queue(burst: 3))
        defer { server.stop() }
        let output = run(["queue", "get", "mail"], on: server).output
        for word in ["mail", "paused", "100/s", "http://a/", #"{"key": "meta.a"}"#] {
            #expect(output.contains(word))
        }
        #expect(server.requests.map(\.line) == ["GET /v1/queues/mail HTTP/1.1"])
    }

    @Test(arguments: [("closed", "active"), ("open", "breaker-open"), ("halfOpen", "half-open")])
    func `list shows the breaker`(breaker: String, state: String) throws {
        let server = try ScriptedServer(
            .reply(
                ScriptedServer.reply(
                    200,
                    #"{"items": [{"name": "mail", "paused": false, "#
                        + #""breaker": {"state": "\#(breaker)"}}], "next": null}"#)))
        defer { server.stop() }
        let lines = run(["queue", "list"], on: server).output.split(separator: "\n")
        #expect(lines.last.map { $0.split(separator: " ").map(String.init) } == ["mail", state])
    }

    @Test func `pause and resume say what they did`() throws {
        let reply = ScriptedServer.Step.reply(ScriptedServer.reply(200, "{}"))
        let server = try ScriptedServer(reply, reply)
        defer { server.stop() }
        #expect(run(["queue", "pause", "a b"], on: server).output == "queue a b is paused\n")
        #expect(run(["queue", "resume", "q"], on: server).output == "queue q is resumed\n")
        #expect(
            server.requests.map(\.line) == [
                "POST /v1/queues/a%20b/pause HTTP/1.1", "POST /v1/queues/q/resume HTTP/1.1",
            ])
    }

    @Test func `list shows state and limits`() throws {
        let server = try ScriptedServer(
            .reply(
                ScriptedServer.reply(
                    200,
                    #"{"items": [{"name": "mail", "paused": true, "pending": 12, "running": 3, "#
                        + #""concurrency": 20, "rate": "100/s", "priority": null, "#
                        + #""maxPending": null, "breaker": null}], "next": null}"#)))
        defer { server.stop() }
        let output = run(["queue", "list"], on: server).output
        for word in ["mail", "paused", "12", "20", "100/s"] { #expect(output.contains(word)) }
    }

    @Test func `what is no JSON is wrong usage`() throws {
        let server = try ScriptedServer()
        defer { server.stop() }
        #expect(run(["queue", "set", "q", "--breaker", "five"], on: server).status == 2)
    }
}
