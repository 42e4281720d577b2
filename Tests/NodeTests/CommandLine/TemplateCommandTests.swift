import Testing

@testable import Node

struct TemplateCommandTests {
    private func run(
        _ words: [String], on server: ScriptedServer
    ) -> (status: Int32, output: String, errors: String) {
        let console = Console(capturingAsTerminal: true)
        let status = CommandLineTool.run(
            words + ["--server", server.endpoint.description], console: console)
        return (status, console.output, console.errors)
    }

    @Test func `a parameter is JSON, or else a text`() throws {
        let server = try ScriptedServer(.reply(ScriptedServer.reply(201, "{\"id\": \"t1\"}")))
        defer { server.stop() }
        let result = run(
            [
                "submit", "--template", "letter", "--param", "to=Ann B", "--param", "n=3",
                "--queue", "q",
            ], on: server)
        #expect(result.status == 0 && result.output == "t1\n", "\(result.errors)")
        #expect(
            server.requests.first?.body
                == #"{"template":"letter","params":{"to":"Ann B","n":3},"queue":"q"}"#)
    }

    @Test func `parameters without a template are wrong usage`() throws {
        let server = try ScriptedServer()
        defer { server.stop() }
        #expect(run(["submit", "echo", "--param", "a=1"], on: server).status == 2)
        #expect(run(["submit"], on: server).status == 2)
        #expect(run(["schedule", "create", "s", "--every", "1h"], on: server).status == 2)
    }

    @Test func `list shows what has to be given`() throws {
        let server = try ScriptedServer(
            .reply(
                ScriptedServer.reply(
                    200,
                    #"{"items": [{"name": "letter", "task": {"handler": "echo"}, "#
                        + #""params": {"to": null, "n": 3}, "updatedAt": null}], "next": null}"#)))
        defer { server.stop() }
        let output = run(["template", "list"], on: server).output
        for word in ["letter", "echo", "to n=3"] { #expect(output.contains(word)) }
    }

    @Test func `delete names the template`() throws {
        let server = try ScriptedServer(.reply(ScriptedServer.reply(204, "")))
        defer { server.stop() }
        #expect(run(["template", "delete", "a b"], on: server).output == "template a b deleted\n")
        #expect(server.requests.first?.line == "DELETE /v1/templates/a%20b HTTP/1.1")
    }
}
