import Testing

@testable import Node

/// `carillon cluster add` and `remove` against a scripted node.
struct MemberCommandTests {
    private func run(
        _ words: [String], on server: ScriptedServer
    ) -> (status: Int32, output: String, errors: String) {
        let console = Console(capturingAsTerminal: true)
        let status = CommandLineTool.run(
            words + ["--server", server.endpoint.description], console: console)
        return (status, console.output, console.errors)
    }

    private static func reply(_ status: Int, _ body: String) -> ScriptedServer.Step {
        .reply(ScriptedServer.reply(status, body))
    }

    @Test func `add asks again until the node has its vote`() throws {
        let server = try ScriptedServer(
            Self.reply(202, #"{"id": "n4", "role": "learner", "lag": 7}"#),
            Self.reply(200, #"{"id": "n4", "role": "follower"}"#))
        defer { server.stop() }
        let result = run(
            ["cluster", "add", "n4", "--peer", "h:1", "--api", "h:2"], on: server)
        #expect(result.status == 0)
        #expect(result.output == "n4 is a member\n")
        #expect(result.errors.contains("n4 catches up, 7 entries behind"))
        #expect(server.requests.count == 2)
        #expect(
            server.requests.allSatisfy {
                $0.line.hasPrefix("POST /v1/cluster/members?timeout=")
                    && $0.body == #"{"id":"n4","peer":"h:1","api":"h:2"}"#
            })
    }

    @Test func `add passes a refusal on`() throws {
        let server = try ScriptedServer(
            Self.reply(503, #"{"status": 503, "detail": "n4 has not called: start it first"}"#))
        defer { server.stop() }
        let result = run(["cluster", "add", "n4"], on: server)
        #expect(result.status == 1)
        #expect(result.errors.contains("start it first"))
    }

    @Test func `remove goes on when the node it asked has left`() throws {
        let server = try ScriptedServer(
            Self.reply(202, #"{"id": "n1", "role": "follower", "lag": null}"#),
            Self.reply(404, #"{"status": 404, "detail": "There is no member."}"#),
            Self.reply(200, #"{"members": [{"id": "n1"}, {"id": "n2"}]}"#),
            Self.reply(404, #"{"status": 404, "detail": "There is no member."}"#),
            Self.reply(200, #"{"members": [{"id": "n2"}]}"#))
        defer { server.stop() }
        let result = run(["cluster", "remove", "n1", "-o", "json"], on: server)
        #expect(result.status == 0)
        #expect(result.output == #"{"id":"n1","role":"none"}"# + "\n")
        #expect(server.requests.last?.line == "GET /v1/cluster HTTP/1.1")
    }

    @Test func `a member that is not there can't be removed`() throws {
        let server = try ScriptedServer(
            Self.reply(404, #"{"status": 404, "detail": "There is no member \"n9\"."}"#))
        defer { server.stop() }
        let result = run(["cluster", "remove", "n9"], on: server)
        #expect(result.status == 1)
        #expect(result.errors.contains("There is no member"))
    }

    @Test func `a change that lasts too long is left to itself`() throws {
        let server = try ScriptedServer(
            Self.reply(202, #"{"id": "n4", "role": "learner", "lag": 7}"#))
        defer { server.stop() }
        let result = run(["cluster", "add", "n4", "--wait", "0s"], on: server)
        #expect(result.status == 1)
        #expect(result.errors.contains("it goes on by itself"))
    }
}
