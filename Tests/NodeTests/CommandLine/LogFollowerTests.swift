import Testing

@testable import Node

struct LogFollowerTests {
    private func run(
        _ words: [String], on server: ScriptedServer
    ) -> (status: Int32, output: String, errors: String) {
        let console = Console(capturingAsTerminal: false)
        let status = CommandLineTool.run(
            words + ["--server", server.endpoint.description], console: console)
        return (status, console.output, console.errors)
    }

    private func task(_ state: String) -> ScriptedServer.Step {
        .reply(ScriptedServer.reply(200, #"{"id": "t1", "state": "\#(state)"}"#))
    }

    private func log(_ text: String, attempt: Int) -> ScriptedServer.Step {
        .reply(
            ScriptedServer.reply(
                200, text, headers: "Carillon-Attempt: \(attempt)\r\n"))
    }

    private let nothing = ScriptedServer.Step.reply(
        ScriptedServer.reply(404, #"{"detail": "There is no log."}"#))

    @Test func `what is added is printed once, attempt after attempt`() throws {
        let server = try ScriptedServer(
            task("ready"), nothing, task("running"), log("one\n", attempt: 1),
            task("running"), log("three\n", attempt: 3), log("one\ntwo\n", attempt: 1), nothing,
            task("succeeded"), log("three\nfour\n", attempt: 3))
        defer { server.stop() }
        let result = run(["task", "logs", "t1", "--follow"], on: server)
        #expect(result.status == 0 && result.output == "one\ntwo\nthree\nfour\n")
        #expect(
            server.requests.map(\.line).filter { $0.contains("?attempt=") } == [
                "GET /v1/tasks/t1/logs?attempt=1 HTTP/1.1",
                "GET /v1/tasks/t1/logs?attempt=2 HTTP/1.1",
            ])
    }

    @Test func `a task that ends without a word is told of`() throws {
        let server = try ScriptedServer(task("succeeded"), nothing)
        defer { server.stop() }
        let result = run(["task", "logs", "t1", "-f"], on: server)
        #expect(result.status == 1 && result.errors.contains("There is no log"))
    }

    @Test func `following and a single attempt exclude each other`() throws {
        let server = try ScriptedServer()
        defer { server.stop() }
        #expect(run(["task", "logs", "t1", "-f", "--attempt", "2"], on: server).status == 2)
        #expect(server.requests.isEmpty)
    }
}
