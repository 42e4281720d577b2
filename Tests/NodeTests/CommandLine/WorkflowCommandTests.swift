import Testing

@testable import Node

struct WorkflowCommandTests {
    private func run(
        _ words: [String], on server: ScriptedServer
    ) -> (status: Int32, output: String, errors: String) {
        let console = Console(capturingAsTerminal: true)
        let status = CommandLineTool.run(
            words + ["--server", server.endpoint.description], console: console)
        return (status, console.output, console.errors)
    }

    private func workflow(_ state: String, ended: Int) -> ScriptedServer.Step {
        .reply(
            ScriptedServer.reply(
                200,
                #"{"id": "w12", "state": "\#(state)", "progress": \#(ended * 50), "total": 2, "#
                    + #""counts": {"ready": \#(2 - ended), "succeeded": \#(ended)}, "#
                    + #""tasks": [{"id": "t13", "name": "page", "state": "succeeded"}]}"#))
    }

    @Test func `wait shows how far it is and prints how it ended`() throws {
        let server = try ScriptedServer(
            workflow("running", ended: 1), workflow("succeeded", ended: 2))
        defer { server.stop() }
        let result = run(["workflow", "wait", "w12"], on: server)
        #expect(result.status == 0)
        #expect(result.errors.contains("50%  1 of 2 tasks have ended"))
        #expect(result.output.hasPrefix("w12 succeeded, 100 % of 2 tasks have ended\n"))
        #expect(
            server.requests.map(\.line)
                == Array(
                    repeating: "GET /v1/workflows/w12 HTTP/1.1", count: 2))
    }

    @Test func `a workflow that failed, or lasts too long, is a failure`() throws {
        let server = try ScriptedServer(
            workflow("failed", ended: 2), workflow("running", ended: 0))
        defer { server.stop() }
        #expect(run(["workflow", "wait", "w12"], on: server).status == 1)
        let late = run(["workflow", "wait", "w12", "--timeout", "0s"], on: server)
        #expect(late.status == 1)
        #expect(late.errors.contains("workflow w12 has not ended after 0s"))
    }

    @Test func `submit with --wait follows what it began`() throws {
        let scratch = try ScratchFolder()
        try scratch.write(Array(#"{"chain": [{"handler": "echo"}]}"#.utf8), to: "workflow.json")
        let server = try ScriptedServer(
            .reply(ScriptedServer.reply(201, #"{"id": "w12", "tasks": []}"#)),
            workflow("succeeded", ended: 2))
        defer { server.stop() }
        let result = run(
            ["workflow", "submit", scratch.path + "/workflow.json", "--wait"], on: server)
        #expect(result.status == 0 && result.output.hasPrefix("w12 succeeded"))
        #expect(
            server.requests.map(\.line) == [
                "POST /v1/tasks HTTP/1.1", "GET /v1/workflows/w12 HTTP/1.1",
            ])
    }
}
