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

    @Test func `set sends what was given and nothing else`() throws {
        let server = try ScriptedServer(.reply(ScriptedServer.reply(200, "{\"name\": \"mail\"}")))
        defer { server.stop() }
        let result = run(
            [
                "queue", "set", "mail", "--concurrency", "20", "--rate", "100/s", "--max-pending",
                "7", "--breaker", "{\"failures\": 5}",
            ], on: server)
        #expect(result.status == 0 && result.output == "queue mail is set\n", "\(result.errors)")
        let request = try #require(server.requests.first)
        #expect(request.line == "PUT /v1/queues/mail HTTP/1.1")
        #expect(
            request.body
                == #"{"concurrency":20,"maxPending":7,"rate":"100/s","breaker":{"failures": 5}}"#)
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
