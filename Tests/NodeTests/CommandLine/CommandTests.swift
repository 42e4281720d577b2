import Foundation
import Testing

@testable import Node

/// Whole commands against a scripted node.
struct CommandTests {
    private struct Result {
        var status: Int32
        var output: String
        var errors: String
    }

    private func run(
        _ words: [String], on server: ScriptedServer, asTerminal: Bool = false
    ) -> Result {
        let console = Console(capturingAsTerminal: asTerminal)
        let status = CommandLineTool.run(
            words + ["--server", server.endpoint.description], console: console)
        return Result(status: status, output: console.output, errors: console.errors)
    }

    private static func ok(_ body: String, status: Int = 200) -> ScriptedServer.Step {
        .reply(ScriptedServer.reply(status, body))
    }

    private func file(_ text: String) throws -> String {
        let path = NSTemporaryDirectory() + "carillon-cli-" + UUID().uuidString
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    // MARK: submit

    @Test func `submit sends what it was given, byte for byte, and prints the id`() throws {
        let server = try ScriptedServer(
            Self.ok("{\"id\": \"t7\", \"state\": \"ready\"}", status: 201))
        defer { server.stop() }
        let result = run(
            [
                "submit", "echo", "--payload", " {\"n\":1e400, \"s\" : \"\\u00e9\"}\n", "--delay",
                "10s", "--priority", "high", "--tag", "a", "--tag", "b", "--attempts", "7",
                "--meta", "k=v=w", "--key", "k1", "--routing-key", "r", "--token", "secret",
            ], on: server)
        #expect(result.status == 0)
        #expect(result.output == "t7\n")
        let request = try #require(server.requests.first)
        #expect(request.line == "POST /v1/tasks HTTP/1.1")
        #expect(request.headers["idempotency-key"] == "k1")
        #expect(request.headers["authorization"] == "Bearer secret")
        #expect(
            request.body
                == #"{"handler":"echo","payload":{"n":1e400, "s" : "\u00e9"},"priority":"high","#
                + #""tags":["a","b"],"retry":{"attempts":7},"routingKey":"r","meta":{"k":"v=w"},"#
                + #""delay":"10s"}"#)
    }

    @Test func `submit says how it is tried again`() throws {
        let server = try ScriptedServer(Self.ok("{\"id\": \"t1\"}"))
        defer { server.stop() }
        let result = run(
            [
                "submit", "echo", "--attempts", "9", "--backoff", "linear", "--retry-initial", "2s",
                "--retry-max", "1m", "--delivery", "atMostOnce",
            ], on: server)
        #expect(result.status == 0, "\(result.errors)")
        #expect(
            server.requests.first?.body
                == #"{"handler":"echo","retry":{"attempts":9,"backoff":"linear","initial":"2s","#
                + #""max":"1m"},"delivery":"atMostOnce"}"#)
    }

    @Test func `submit makes up a key when none is given, another one each time`() throws {
        let server = try ScriptedServer(
            .close(""), Self.ok("{\"id\": \"t1\"}"), Self.ok("{\"id\": \"t2\"}"))
        defer { server.stop() }
        #expect(run(["submit", "echo"], on: server).output == "t1\n")
        #expect(run(["submit", "echo"], on: server).output == "t2\n")
        let keys = server.requests.map { $0.headers["idempotency-key"] ?? "" }
        // The first was sent twice, because its reply was lost.
        #expect(keys.count == 3 && keys[0] == keys[1] && keys[1] != keys[2] && keys[0].count > 20)
    }

    @Test func `submit --wait prints the result, and fails with the task`() throws {
        let server = try ScriptedServer(
            Self.ok("{\"id\": \"t1\"}"), Self.ok("{\"id\": \"t1\", \"state\": \"running\"}"),
            Self.ok("{\"id\": \"t1\", \"state\": \"succeeded\", \"result\": {\"a\": 1.50}}"),
            Self.ok("{\"id\": \"t2\"}"),
            Self.ok("{\"id\": \"t2\", \"state\": \"dead\", \"error\": {\"message\": \"no luck\"}}"))
        defer { server.stop() }
        let good = run(["submit", "echo", "--wait"], on: server)
        #expect(good.status == 0 && good.output == "{\"a\": 1.50}\n")
        let bad = run(["submit", "echo", "--wait"], on: server)
        #expect(bad.status == 1 && bad.output.isEmpty)
        #expect(bad.errors == "carillon: task t2 ended dead: no luck\n")
        #expect(server.requests[1].line == "GET /v1/tasks/t1/wait?timeout=20s HTTP/1.1")
    }

    @Test func `whoever waits at a terminal sees how far a task is`() throws {
        let server = try ScriptedServer(
            Self.ok(
                #"{"id": "t1", "state": "running", "progress": 40, "progressNote": "half\u001b way"}"#
            ),
            Self.ok(#"{"id": "t1", "state": "succeeded", "result": 1}"#))
        defer { server.stop() }
        let result = run(["task", "wait", "t1"], on: server, asTerminal: true)
        #expect(result.status == 0 && result.output.hasSuffix("1\n"))
        #expect(result.errors.contains("] 40%  t1 is running: half"))
        #expect(result.errors.hasSuffix("\r\u{1B}[K"))
    }

    @Test(arguments: [
        ["--payload", "hello"], ["--priority", "10"], ["--attempts", "0"], ["--timeout", "5"],
        ["--at", "tomorrow"], ["--delay", "1s", "--at", "2030-01-01T00:00:00Z"], ["--meta", "x"],
        ["--backoff", "slow"], ["--retry-initial", "5"], ["--retry-max", "x"],
        ["--delivery", "once"],
        ["--key", "a b"], ["--output", "xml"], ["--from", "3"], ["--file", "x", "--queue", "q"],
    ])
    func `values that mean nothing are refused before anything is sent`(words: [String]) throws {
        let server = try ScriptedServer()
        defer { server.stop() }
        let result = run(["submit", "echo"] + words, on: server)
        #expect(result.status == 2, "\(result.errors)")
        #expect(server.requests.isEmpty)
    }

    @Test func `submit --file accounts for every line`() throws {
        let path = try file(
            "{\"handler\": \"echo\"}\n\nnot json\r\n{\"handler\": \"x\"}\n{\"handler\": \"y\", \"key\": \"k\"}"
        )
        defer { unlink(path) }
        let server = try ScriptedServer(
            Self.ok(
                "{\"items\": [{\"id\": \"t1\"}, {\"error\": {\"title\": \"No such handler\"}}, {\"id\": \"t2\"}]}"
            ))
        defer { server.stop() }
        let result = run(["submit", "--file", path], on: server)
        #expect(result.status == 1)
        #expect(result.output == "{\"accepted\":2,\"refused\":2}\n")
        #expect(result.errors.contains("\(path):3: not JSON"))
        #expect(result.errors.contains("\(path):4: No such handler"))
        let request = try #require(server.requests.first)
        #expect(request.headers["content-type"] == "application/x-ndjson")
        #expect(
            request.body
                == "{\"handler\": \"echo\"}\n{\"handler\": \"x\"}\n{\"handler\": \"y\", \"key\": \"k\"}\n"
        )
    }

    @Test func `a chunk with keys is sent again when its reply is lost, one without is not`() throws
    {
        let keyed = try file("{\"handler\": \"echo\", \"key\": \"a\"}\n")
        let plain = try file("{\"handler\": \"echo\"}\n{\"handler\": \"echo\"}\n")
        defer {
            unlink(keyed)
            unlink(plain)
        }
        let server = try ScriptedServer(
            .close(""), Self.ok("{\"items\": [{\"id\": \"t1\"}]}"), .close(""))
        defer { server.stop() }
        #expect(run(["submit", "--file", keyed], on: server).status == 0)
        let result = run(["submit", "--file", plain], on: server)
        #expect(result.status == 1)
        #expect(result.errors.contains("0 accepted, 0 refused, then stopped"))
        #expect(result.errors.contains("lines 1 to 2: not all known to be accepted; look before"))
        #expect(server.requests.count == 3)
    }

    @Test func `lines that a node had no room for, or had no leader for, are sent again`() throws {
        let path = try file(
            """
            {"handler": "a"}
            {"handler": "b"}
            {"handler": "c", "key": "k"}
            {"handler": "d"}

            """)
        defer { unlink(path) }
        func problem(_ kind: String) -> String {
            "{\"error\": {\"type\": \"urn:carillon:problem:\(kind)\", \"detail\": \"is \(kind)\"}}"
        }
        let server = try ScriptedServer(
            Self.ok("{\"type\": \"urn:carillon:problem:overloaded\"}", status: 429),
            Self.ok(
                "{\"items\": [{\"id\": \"t1\"}, \(problem("no-leader")), \(problem("outcome-unknown")), "
                    + "\(problem("outcome-unknown"))]}"),
            Self.ok("{\"items\": [{\"id\": \"t2\"}, {\"id\": \"t3\"}]}"))
        defer { server.stop() }
        let result = run(["submit", "--file", path], on: server)
        #expect(result.status == 1)
        #expect(result.output == "{\"accepted\":3,\"refused\":1}\n")
        #expect(result.errors == "\(path):4: is outcome-unknown\n")
        #expect(server.requests.count == 3)
        #expect(
            server.requests.last?.body
                == "{\"handler\": \"b\"}\n{\"handler\": \"c\", \"key\": \"k\"}\n")
    }

    @Test func `lines beyond a quota are sent again, and given up when nothing is taken`() throws {
        let path = try file(
            "{\"handler\": \"a\"}\n{\"handler\": \"b\"}\n{\"handler\": \"c\"}\n{\"handler\": \"d\"}\n"
        )
        defer { unlink(path) }
        func problem(_ kind: String) -> String {
            "{\"error\": {\"type\": \"urn:carillon:problem:\(kind)\", \"detail\": \"is \(kind)\", "
                + "\"retryAfter\": \"1s\"}}"
        }
        let quota = problem("quota")
        let server = try ScriptedServer(
            Self.ok("{\"items\": [\(quota), {\"id\": \"t1\"}, \(problem("full")), \(quota)]}"),
            Self.ok("{\"items\": [\(quota), {\"id\": \"t2\"}, \(quota)]}"),
            Self.ok("{\"items\": [\(quota), \(quota)]}"))
        defer { server.stop() }
        let console = Console(capturingAsTerminal: false)
        var submission = BulkSubmission(
            file: try InputFile(path), firstLine: 1,
            client: ClusterClient(servers: [server.endpoint], token: nil), console: console,
            patienceMilliseconds: 1)
        // The second and the third answer come more than that later, but the second one takes a line.
        do {
            _ = try submission.run(.table)
            Issue.record("lines that nobody takes are not given up")
        } catch {
            #expect(error == .failed("no line was taken for 1ms: is quota"))
        }
        #expect(console.errors.contains("2 accepted, 0 refused, then stopped"))
        #expect(
            console.errors.contains(
                "not accepted: lines 1, 4; send them by themselves; what follows goes on with --from 5"
            ))
        #expect(server.requests.last?.body == "{\"handler\": \"a\"}\n{\"handler\": \"d\"}\n")
    }

    @Test(arguments: [
        ([7], "line 7"), ([1, 2, 3, 5, 8, 9], "lines 1 to 3, 5, 8 to 9"),
        (
            Array(stride(from: 1, through: 43, by: 2)),
            "lines 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33, 35, 37, 39 and 2 more"
        ),
    ])
    func `lines are told in ranges`(numbers: [Int], text: String) {
        #expect(LineRanges.text(numbers) == text)
    }

    @Test func `a large file goes in chunks, and --from skips lines`() throws {
        let path = try file(String(repeating: "{\"handler\": \"echo\"}\n", count: 2_500))
        defer { unlink(path) }
        func items(_ count: Int) -> ScriptedServer.Step {
            let list = Array(repeating: "{\"id\": \"t1\"}", count: count).joined(separator: ",")
            return Self.ok("{\"items\": [\(list)]}")
        }
        let server = try ScriptedServer(items(1_000), items(1_000), items(499))
        defer { server.stop() }
        let result = run(["submit", "--file", path, "--from", "2", "-o", "table"], on: server)
        #expect(result.status == 0)
        #expect(result.output == "2499 accepted, 0 refused\n")
    }

    // MARK: task and others

    @Test func `task list follows the pages and shows a table`() throws {
        let server = try ScriptedServer(
            Self.ok(
                "{\"items\": [{\"id\": \"t2\", \"state\": \"dead\", \"handler\": \"h\", \"error\": "
                    + "{\"message\": \"boom\"}}], \"next\": \"c+1\"}"),
            Self.ok("{\"items\": [], \"next\": \"c2\"}"),
            Self.ok("{\"items\": [{\"id\": \"t1\", \"state\": \"ready\"}], \"next\": null}"))
        defer { server.stop() }
        let result = run(
            ["task", "list", "--state", "dead,ready", "--meta", "a=b c", "-q", "ü", "-o", "table"],
            on: server)
        #expect(result.status == 0)
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 3 && lines[0].hasPrefix("ID") && lines[1].hasSuffix("boom"))
        #expect(
            server.requests[0].line
                == "GET /v1/tasks?state=dead%2Cready&meta.a=b%20c&q=%C3%BC&limit=50 HTTP/1.1")
        #expect(server.requests[1].line.hasSuffix("&limit=49&cursor=c%2B1 HTTP/1.1"))
    }

    @Test func `task cancel goes on after a refusal and fails in the end`() throws {
        let server = try ScriptedServer(
            Self.ok("{\"title\": \"Not found\", \"status\": 404}", status: 404), Self.ok("{}"))
        defer { server.stop() }
        let result = run(["task", "cancel", "t1", "a/b", "-o", "table"], on: server)
        #expect(result.status == 1)
        #expect(result.output == "a/b cancelled\n")
        #expect(result.errors == "carillon: t1: Not found (404)\n")
        #expect(server.requests[1].line == "DELETE /v1/tasks/a%2Fb HTTP/1.1")
    }

    @Test func `task delete forgets tasks by their ids`() throws {
        let server = try ScriptedServer(Self.ok("", status: 204), Self.ok("{}", status: 409))
        defer { server.stop() }
        let result = run(["task", "delete", "t1", "t2", "-o", "table"], on: server)
        #expect(result.status == 1 && result.output == "t1 deleted\n")
        #expect(
            server.requests.map(\.line) == [
                "DELETE /v1/tasks/t1?purge=true HTTP/1.1",
                "DELETE /v1/tasks/t2?purge=true HTTP/1.1",
            ])
        #expect(run(["task", "delete"], on: server).status == 2)
    }

    @Test(arguments: [["--from", "today"], ["--from", "2026-01-01T00:00:00Z", "--to", "x"]])
    func `backfill checks its times before it asks`(options: [String]) throws {
        let server = try ScriptedServer()
        defer { server.stop() }
        #expect(run(["schedule", "backfill", "s"] + options, on: server).status == 2)
        #expect(server.requests.isEmpty)
    }

    @Test func `job list shows as many as asked for`() throws {
        let server = try ScriptedServer(Self.ok(#"{"items": [], "next": null}"#))
        defer { server.stop() }
        #expect(run(["job", "list", "--limit", "3"], on: server).status == 0)
        #expect(server.requests.map(\.line) == ["GET /v1/jobs?limit=3 HTTP/1.1"])
    }

    @Test func `worker get shows a worker`() throws {
        let server = try ScriptedServer(
            Self.ok(
                #"{"id": "n1", "state": "live", "slots": 8, "running": 3, "handlers": ["a", "b"], "#
                    + #""tags": [], "lastHeartbeat": null}"#))
        defer { server.stop() }
        let output = run(["worker", "get", "n1", "-o", "table"], on: server).output
        #expect(output.contains("running   3 of 8\n") && output.contains("handlers  a,b\n"))
        #expect(server.requests.map(\.line) == ["GET /v1/workers/n1 HTTP/1.1"])
    }

    @Test func `schedule create puts timing and task`() throws {
        let server = try ScriptedServer(
            Self.ok("{\"name\": \"n\", \"next\": \"2030-01-01T00:00:00.000Z\"}", status: 201))
        defer { server.stop() }
        let result = run(
            [
                "schedule", "create", "n", "echo", "--cron", "0 9 * * *", "--zone", "Europe/Berlin",
                "--payload", "1", "-o", "table",
            ], on: server)
        #expect(result.output == "schedule n created; next at 2030-01-01T00:00:00.000Z\n")
        #expect(server.requests[0].line == "PUT /v1/schedules/n HTTP/1.1")
        #expect(
            server.requests[0].body
                == #"{"cron":"0 9 * * *","zone":"Europe/Berlin","task":{"handler":"echo","payload":1}}"#
        )
    }

    @Test func `cluster status shows members and says when there is no leader`() throws {
        let server = try ScriptedServer(
            Self.ok(
                """
                {"cluster": "demo", "node": "n1", "leader": null, "term": 3, "commit": 9, "applied": 8,
                 "members": [{"id": "n1", "peer": "p", "api": "a", "role": "follower", "alive": true,
                 "match": 9, "lag": 0}, {"id": "n2", "role": "follower", "alive": false}]}
                """))
        defer { server.stop() }
        let result = run(["cluster", "status"], on: server, asTerminal: true)
        #expect(
            result.output.hasPrefix(
                "cluster demo, seen by n1: no leader, term 3, commit 9, applied 8\n"))
        #expect(result.output.contains("n2  follower  no"))
    }
}
