import Testing

@testable import Node

struct ScheduleCommandTests {
    private func run(
        _ words: [String], on server: ScriptedServer
    ) -> (status: Int32, output: String, errors: String) {
        let console = Console(capturingAsTerminal: true)
        let status = CommandLineTool.run(
            words + ["--server", server.endpoint.description], console: console)
        return (status, console.output, console.errors)
    }

    private static let nightly = ScriptedServer.Step.reply(
        ScriptedServer.reply(
            200,
            #"{"name": "nightly", "cron": "0 3 * * *", "until": "2030-01-01T00:00:00.000Z", "jitter": "5s", "#
                + #""paused": false, "task": {"handler": "dump", "webhook": "http://a/", "queue": "q"}}"#
        ))

    @Test func `update takes away what is none and keeps the rest`() throws {
        let server = try ScriptedServer(
            Self.nightly, .reply(ScriptedServer.reply(200, #"{"next": null}"#)))
        defer { server.stop() }
        let result = run(
            [
                "schedule", "update", "nightly", "--until", "none", "--webhook", "none",
                "--jitter", "9s",
            ], on: server)
        #expect(result.status == 0, "\(result.errors)")
        #expect(
            server.requests.last?.body
                == #"{"cron":"0 3 * * *","jitter":"9s","task":{"handler":"dump","queue":"q"},"paused":false}"#
        )
    }

    @Test func `a schedule can begin paused`() throws {
        let server = try ScriptedServer(.reply(ScriptedServer.reply(201, #"{"next": null}"#)))
        defer { server.stop() }
        let result = run(
            ["schedule", "create", "nightly", "dump", "--cron", "0 3 * * *", "--paused"],
            on: server)
        #expect(result.status == 0 && result.output == "schedule nightly created\n")
        #expect(
            server.requests.map(\.body)
                == [#"{"cron":"0 3 * * *","paused":true,"task":{"handler":"dump"}}"#])
    }
}
