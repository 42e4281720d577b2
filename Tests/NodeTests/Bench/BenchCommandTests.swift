import Testing

@testable import Node

struct BenchCommandTests {
    private func run(_ words: String...) -> (status: Int32, errors: String) {
        let console = Console(capturingAsTerminal: false)
        // Nobody listens there: what is wrong has to be found before anybody is asked.
        let status = CommandLineTool.run(
            ["bench"] + words + ["--server", "127.0.0.1:1"], console: console)
        return (status, console.errors)
    }

    @Test(arguments: [
        (["submit", "--connections", "16,x"], "--connections 16,x: expected whole numbers"),
        (["submit", "--connections", "0"], "from 1 to 10000"),
        (["submit", "--bulk", ""], "--bulk : expected whole numbers"),
        (["submit", "--payload", "8"], "from 14 to 1048576"),
        (["submit", "--bulk", "10000", "--payload", "4096"], "at most 16 MiB"),
        (["submit", "--lines"], "--lines goes with --bulk"),
        (["submit", "--rate", "0"], "--rate 0: expected"),
        (["submit", "--to", "somebody"], "expected servers, leader, followers or all"),
        (["submit", "--pipeline", "65"], "from 1 to 64"),
        (["submit", "--namespace", "default"], "not in \"default\""),
        (["run", "--rate", "5", "--outstanding", "7"], "--outstanding does not go with --rate"),
        (["run", "--serve", "7"], "--serve: '7' has no port"),
        (["precision", "--per-second", "100000", "--seconds", "100"], "at most 5000000 tasks"),
        (["precision", "--lead", "0"], "--lead 0: expected"),
        (["schedules", "--period", "2h"], "--period: expected 1ms to 1h"),
        (["memory", "--tasks", "0"], "--tasks 0: expected"),
        (["failover"], "one of --kill-command, --pid-file and --pid is required"),
        (["failover", "--pid", "n1=5", "--pid-file", "x"], "one of --kill-command"),
        (["failover", "--pid", "n1=init"], "--pid n1=init: expected a process's number"),
        (["failover", "--pid", "n1=1"], "--pid n1=1: expected a process's number"),
        (["failover", "--pid", "n1=5", "--rounds", "2"], "--rounds 2: at most 1"),
        (["failover", "--kill-command", "x", "--signal", "stop"], "--signal goes with"),
        (
            ["failover", "--pid-file", "x", "--signal", "stop", "--restart-command", "y"],
            "--restart-command does not go with --signal stop"
        ),
        (["clean", "--namespace", "default"], "not in \"default\""),
        (["submit", "--rate", "10", "--rte", "11"], "did you mean --rate?"),
    ])
    func `options that make no sense are refused with the reason`(words: [String], reason: String) {
        let console = Console(capturingAsTerminal: false)
        let status = CommandLineTool.run(
            ["bench"] + words + ["--server", "127.0.0.1:1"], console: console)
        #expect(status == 2 && console.errors.contains(reason), "\(console.errors)")
    }

    @Test func `a cluster that can't be reached is said to be so`() {
        let result = run("submit", "--seconds", "1")
        #expect(result.status == 1 && result.errors.contains("cannot reach"), "\(result.errors)")
    }

    @Test func `an address with TLS is refused`() {
        let console = Console(capturingAsTerminal: false)
        let words = ["bench", "submit", "--server", "https://127.0.0.1:1"]
        #expect(CommandLineTool.run(words, console: console) == 2)
        #expect(console.errors.contains("https is not supported"))
    }

    /// It would be emptied in the end.
    @Test func `a namespace that is there is not touched`() throws {
        let view =
            #"{"cluster": "c", "leader": "n1", "members": [{"id": "n1", "api": "127.0.0.1:1", "role": "leader"}]}"#
        let server = try ScriptedServer(
            .reply(ScriptedServer.reply(200, view)),
            .reply(ScriptedServer.reply(200, #"{"name": "bench", "pending": 5}"#)))
        defer { server.stop() }
        let console = Console(capturingAsTerminal: false)
        let status = CommandLineTool.run(
            ["bench", "submit", "--server", server.endpoint.description], console: console)
        #expect(status == 1 && console.errors.contains("there is a namespace bench"))
        #expect(
            server.requests.map(\.line) == [
                "GET /v1/cluster HTTP/1.1", "GET /v1/namespaces/bench HTTP/1.1",
            ])
    }

    private func cluster(_ members: String) throws -> BenchCluster {
        try BenchCluster(JSONDocument("{\"leader\": \"n2\", \"members\": [\(members)]}").root)
    }

    @Test func `the load is directed by the roles of the members`() throws {
        let cluster = try cluster(
            #"{"id": "n1", "api": "h1:1", "role": "follower"}, {"id": "n2", "api": "h2:2", "role": "leader"}, "#
                + #"{"id": "n3", "api": null, "role": "follower"}, {"id": "n4", "api": "h4:4", "role": "learner"}"#
        )
        let servers = [try Endpoint("s:9")]
        func hosts(_ direction: BenchCluster.Direction) throws -> [String] {
            try cluster.endpoints(direction, servers: servers).map(\.host)
        }
        #expect(try hosts(.servers) == ["s"])
        #expect(try hosts(.leader) == ["h2"])
        #expect(try hosts(.followers) == ["h1"])
        #expect(try hosts(.all) == ["h1", "h2"])
    }
}
