import Testing

@testable import Node

@Suite struct EventsCommandTests {
    private static func stream(_ events: [String]) -> String {
        var text =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        for event in events {
            let chunk = "data: \(event)\n\n"
            text += String(chunk.utf8.count, radix: 16) + "\r\n" + chunk + "\r\n"
        }
        return text
    }

    private func follower(_ server: ScriptedServer, after: String? = nil) -> EventFollower {
        EventFollower(
            client: ClusterClient(servers: [server.endpoint], token: nil),
            query: [("queue", "mail")], after: after.flatMap { EventFeed.Position($0) })
    }

    @Test func `a lost node is followed again from where it was, and nothing is told twice`() throws
    {
        let first = #"{"id":"5-0","type":"task.ready"}"#
        let second = #"{"id":"5-1","type":"task.running"}"#
        let third = #"{"id":"6-0","type":"task.dead"}"#
        let server = try ScriptedServer(
            .close(Self.stream([first, second])),
            .close(Self.stream([second, #"{"type":"gap","from":"5-1","to":"5-9"}"#, third])))
        defer { server.stop() }
        var told: [String] = []
        var notes: [String] = []
        var follower = follower(server)
        try follower.run(note: { notes.append($0) }) { event in
            told.append(event.shown("id"))
            return event.shown("id") != "6-0"
        }
        #expect(told == ["5-0", "5-1", "6-0"])
        #expect(
            server.requests.map(\.line) == [
                "GET /v1/events?queue=mail HTTP/1.1",
                "GET /v1/events?queue=mail&lastEventId=5-1 HTTP/1.1",
            ])
        #expect(notes.count == 2 && notes[1].contains("does not hold all"))
    }

    @Test func `a refusal ends it`() throws {
        let server = try ScriptedServer(
            .reply(ScriptedServer.reply(422, #"{"detail":"no such queue"}"#)))
        defer { server.stop() }
        var follower = follower(server, after: "7-0")
        #expect(throws: CommandFailure.self) {
            try follower.run(note: { _ in }, tell: { _ in true })
        }
        #expect(server.requests[0].line.contains("lastEventId=7-0"))
    }

    @Test func `what happened lately reads like a log`() throws {
        let server = try ScriptedServer(
            .reply(
                ScriptedServer.reply(
                    200,
                    #"{"items":[{"id":"2-0","type":"task.dead","time":"T2","task":"t1","state":"dead","attempt":3},"#
                        + #"{"id":"1-0","type":"task.ready","time":"T1","task":"t1","state":"ready","queue":"mail"}],"#
                        + #""next":null}"#)))
        defer { server.stop() }
        let console = Console(capturingAsTerminal: true)
        let status = CommandLineTool.run(
            ["events", "--type", "task", "--server", server.endpoint.description], console: console)
        #expect(status == 0)
        #expect(
            console.output
                == "T1  task.ready        t1  mail\nT2  task.dead         t1  #3\n")
        #expect(server.requests[0].line.hasPrefix("GET /v1/events?type=task&follow=false&limit=50"))
    }
}
