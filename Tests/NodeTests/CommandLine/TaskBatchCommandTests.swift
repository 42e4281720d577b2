import Testing

@testable import Node

@Suite struct TaskBatchCommandTests {
    private func run(_ words: [String], on server: ScriptedServer) -> (Int32, Console) {
        let console = Console(capturingAsTerminal: false)
        let status = CommandLineTool.run(
            words + ["--server", server.endpoint.description], console: console)
        return (status, console)
    }

    @Test func `it asks until there are no more`() throws {
        let server = try ScriptedServer(
            .reply(ScriptedServer.reply(200, #"{"cancelled":10000,"skipped":0,"more":true}"#)),
            .reply(ScriptedServer.reply(200, #"{"cancelled":5,"skipped":1,"more":false}"#)))
        defer { server.stop() }
        let (status, console) = run(
            ["task", "cancel", "--queue", "mail", "--state", "ready", "--meta", "a=b"], on: server)
        #expect(status == 0 && console.output == "{\"cancelled\":10005}\n")
        #expect(server.requests.count == 2)
        #expect(server.requests[0].line == "POST /v1/tasks/batch HTTP/1.1")
        #expect(
            server.requests[0].body
                == #"{"action":"cancel","filter":{"state":["ready"],"queue":"mail","meta":{"a":"b"}}}"#
        )
    }

    @Test func `ids and options do not go together, and one of them is needed`() throws {
        let server = try ScriptedServer()
        defer { server.stop() }
        #expect(run(["task", "cancel"], on: server).0 == 2)
        #expect(run(["task", "retry", "t1", "--queue", "mail"], on: server).0 == 2)
        #expect(server.requests.isEmpty)
    }

    @Test func `dead tasks are deleted, and no others`() throws {
        let server = try ScriptedServer(
            .reply(ScriptedServer.reply(200, #"{"deleted":3,"skipped":0,"more":false}"#)))
        defer { server.stop() }
        #expect(run(["dead", "delete", "--handler", "h"], on: server).0 == 0)
        #expect(
            server.requests[0].body
                == #"{"action":"delete","filter":{"state":["dead"],"handler":"h"}}"#)
    }
}
