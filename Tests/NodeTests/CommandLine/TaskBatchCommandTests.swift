import Testing

@testable import Node

@Suite struct TaskBatchCommandTests {
    private func run(_ words: [String], on server: ScriptedServer) -> (Int32, Console) {
        let console = Console(capturingAsTerminal: false)
        let status = CommandLineTool.run(
            words + ["--server", server.endpoint.description], console: console)
        return (status, console)
    }

    @Test func `it follows the job to its end`() throws {
        let running = #"{"id":"b3","state":"running","cancelled":5,"progress":40}"#
        let done = #"{"id":"b3","state":"done","cancelled":12,"progress":100}"#
        let server = try ScriptedServer(
            .reply(ScriptedServer.reply(202, running)), .reply(ScriptedServer.reply(200, running)),
            .reply(ScriptedServer.reply(200, done)))
        defer { server.stop() }
        let (status, console) = run(
            [
                "task", "cancel", "--queue", "mail", "--state", "ready", "--meta", "a=b", "--max",
                "9",
            ],
            on: server)
        #expect(status == 0 && console.output == done + "\n")
        #expect(
            server.requests.map(\.line) == [
                "POST /v1/tasks/batch?wait=500ms HTTP/1.1", "GET /v1/jobs/b3?wait=500ms HTTP/1.1",
                "GET /v1/jobs/b3?wait=500ms HTTP/1.1",
            ])
        #expect(
            server.requests[0].body
                == #"{"action":"cancel","filter":{"state":["ready"],"queue":"mail","meta":{"a":"b"}},"limit":9}"#
        )
        #expect(server.requests[0].headers["idempotency-key"]?.hasPrefix("cli-") == true)
    }

    @Test func `it need not wait`() throws {
        let running = #"{"id":"b3","state":"running","retried":0,"progress":0}"#
        let server = try ScriptedServer(.reply(ScriptedServer.reply(202, running)))
        defer { server.stop() }
        let (status, console) = run(
            ["dead", "retry", "--no-wait", "--output", "table"], on: server)
        #expect(status == 0 && console.output == "b3\n")
        #expect(server.requests[0].line == "POST /v1/tasks/batch?wait=0s HTTP/1.1")
    }

    @Test func `a job that somebody stopped is a failure`() throws {
        let stopped = #"{"id":"b3","state":"stopped","retried":4,"progress":10}"#
        let server = try ScriptedServer(.reply(ScriptedServer.reply(200, stopped)))
        defer { server.stop() }
        let (status, console) = run(["job", "wait", "b3", "-o", "table"], on: server)
        #expect(status == 1 && console.output == "4 retried\n")
        #expect(console.errors == "carillon: job b3 was stopped\n")
    }

    @Test func `ids and options do not go together, and one of them is needed`() throws {
        let server = try ScriptedServer()
        defer { server.stop() }
        #expect(run(["task", "cancel"], on: server).0 == 2)
        #expect(run(["task", "retry", "t1", "--queue", "mail"], on: server).0 == 2)
        #expect(server.requests.isEmpty)
    }

    @Test func `dead tasks are deleted, and no others`() throws {
        let done = #"{"id":"b1","state":"done","deleted":3}"#
        let server = try ScriptedServer(.reply(ScriptedServer.reply(200, done)))
        defer { server.stop() }
        #expect(run(["dead", "delete", "--handler", "h"], on: server).0 == 0)
        #expect(
            server.requests[0].body
                == #"{"action":"delete","filter":{"state":["dead"],"handler":"h"}}"#)
    }

    @Test func `an explanation is printed as lines`() throws {
        let body =
            #"{"id":"t7","state":"ready","expiresAt":null,"constraints":[{"constraint":"queuePaused","detail":"queue \"q\" is paused","release":"carillon queue resume q"}]}"#
        let server = try ScriptedServer(.reply(ScriptedServer.reply(200, body)))
        defer { server.stop() }
        let (status, console) = run(["task", "explain", "t7", "-o", "table"], on: server)
        #expect(status == 0)
        #expect(
            console.output
                == "t7 is ready\n- queue \"q\" is paused\n  released by: carillon queue resume q\n")
        #expect(server.requests[0].line == "GET /v1/tasks/t7/explain HTTP/1.1")
    }

    @Test func `ids are listed page by page`() throws {
        let server = try ScriptedServer(
            .reply(ScriptedServer.reply(200, #"{"items":[{"id":"t9"},{"id":"t8"}],"next":"t8"}"#)),
            .reply(ScriptedServer.reply(200, #"{"items":[{"id":"t2"}],"next":null}"#)))
        defer { server.stop() }
        let (status, console) = run(["task", "list", "--all", "--ids"], on: server)
        #expect(status == 0 && console.output == "t9\nt8\nt2\n")
        #expect(server.requests[1].line == "GET /v1/tasks?limit=1000&cursor=t8 HTTP/1.1")
        #expect(run(["task", "list", "--all", "--limit", "4"], on: server).0 == 2)
    }
}
