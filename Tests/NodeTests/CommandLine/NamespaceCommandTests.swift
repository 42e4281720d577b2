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

    @Test(arguments: [
        (
            ["--running", "5", "--submit-rate", "9/s"], nil,
            #"{"quotas":{"running":5,"submitRate":"9/s"},"retention":{}}"#
        ),
        (
            ["--running", "5"],
            #"{"quotas": {"pending": 7, "submitRate": "9/s", "submitBurst": 4}, "retention": {"dead": null}}"#,
            #"{"quotas":{"running":5,"pending":7,"submitRate":"9/s","submitBurst":4},"retention":{}}"#
        ),
        (
            ["--submit-rate", "none"],
            #"{"quotas": {"pending": 7, "submitRate": "9/s", "submitBurst": 4}, "retention": {"succeeded": "1h", "maxDead": 9}}"#,
            #"{"quotas":{"pending":7},"retention":{"succeeded":"1h","maxDead":9}}"#
        ),
        (
            ["--keep-dead", "7d", "--max-finished", "100", "--keep-succeeded", "none"],
            #"{"quotas": {"pending": 7}, "retention": {"succeeded": "1h", "dead": "1h", "maxDead": 9}}"#,
            #"{"quotas":{"pending":7},"retention":{"dead":"7d","maxFinished":100,"maxDead":9}}"#
        ),
    ])
    func `set changes what is given and keeps the rest`(
        options: [String], old: String?, body: String
    ) throws {
        let server = try ScriptedServer(
            .reply(old.map { ScriptedServer.reply(200, $0) } ?? ScriptedServer.reply(404, "{}")),
            .reply(ScriptedServer.reply(200, "{}")))
        defer { server.stop() }
        let result = run(["namespace", "set", "shop"] + options, on: server)
        #expect(result.status == 0 && result.output == "namespace shop is set\n")
        #expect(
            server.requests.map(\.line) == [
                "GET /v1/namespaces/shop HTTP/1.1", "PUT /v1/namespaces/shop HTTP/1.1",
            ])
        #expect(server.requests.last?.body == body)
    }

    @Test func `set with --replace keeps nothing`() throws {
        let server = try ScriptedServer(.reply(ScriptedServer.reply(200, "{}")))
        defer { server.stop() }
        #expect(
            run(["namespace", "set", "shop", "--replace", "--pending", "1"], on: server).status == 0
        )
        #expect(server.requests.map(\.body) == [#"{"quotas":{"pending":1},"retention":{}}"#])
    }

    @Test func `get shows quotas, loads and what is kept`() throws {
        let server = try ScriptedServer(
            .reply(
                ScriptedServer.reply(
                    200,
                    #"{"name": "shop", "quotas": {"pending": 10, "submitRate": "9/s"}, "#
                        + #""retention": {"dead": "7d", "succeeded": null, "maxDead": 30}, "#
                        + #""pending": 3, "running": 1, "queues": 2}"#)))
        defer { server.stop() }
        let output = run(["namespace", "get", "shop"], on: server).output
        let words = output.split(separator: "\n").map {
            $0.split(separator: " ").joined(separator: " ")
        }
        for line in ["max pending 10", "submit rate 9/s", "keep dead 7d", "max dead 30"] {
            #expect(words.contains(line))
        }
        #expect(!output.contains("max running") && !output.contains("keep succeeded"))
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
