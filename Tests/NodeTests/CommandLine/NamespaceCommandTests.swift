import Testing

@testable import Node

struct NamespaceCommandTests {
    private func run(
        _ words: [String], on server: ScriptedServer
    ) -> (status: Int32, output: String, errors: String) {
        let console = Console(capturingAsTerminal: true)
        let status = CommandLineTool.run(
            words + ["--server", server.endpoint.description], console: console)
        return (status, console.output, console.errors)
    }

    @Test func `every request names the namespace`() throws {
        let list = ScriptedServer.Step.reply(
            ScriptedServer.reply(200, #"{"items": [], "next": null}"#))
        let server = try ScriptedServer(list, list)
        defer { server.stop() }
        #expect(run(["task", "list", "--namespace", "shop"], on: server).status == 0)
        #expect(run(["task", "list"], on: server).status == 0)
        #expect(
            server.requests.map { $0.headers["x-carillon-namespace"] ?? "none" }
                == ["shop", "none"])
        #expect(run(["task", "list", "--namespace", "a b"], on: server).status == 2)
    }

    @Test func `set sends the quotas that were given and nothing else`() throws {
        let server = try ScriptedServer(.reply(ScriptedServer.reply(201, "{}")))
        defer { server.stop() }
        let result = run(
            ["namespace", "set", "shop", "--running", "5", "--submit-rate", "9/s"], on: server)
        #expect(result.status == 0 && result.output == "namespace shop is set\n")
        let request = try #require(server.requests.first)
        #expect(request.line == "PUT /v1/namespaces/shop HTTP/1.1")
        #expect(request.body == #"{"quotas":{"running":5,"submitRate":"9/s"}}"#)
    }

    @Test func `list shows quotas, and delete says what it did`() throws {
        let server = try ScriptedServer(
            .reply(
                ScriptedServer.reply(
                    200,
                    #"{"items": [{"name": "shop", "quotas": {"pending": 10, "submitRate": "9/s", "#
                        + #""running": null}, "pending": 3, "running": 1, "queues": 2}], "next": null}"#
                )), .reply(ScriptedServer.reply(204, "")))
        defer { server.stop() }
        let output = run(["namespace", "list"], on: server).output
        for word in ["shop", "10", "9/s"] { #expect(output.contains(word)) }
        #expect(
            run(["namespace", "delete", "shop"], on: server).output == "namespace shop deleted\n")
    }
}
