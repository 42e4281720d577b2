import Testing

@testable import Node

extension ProcessTests {
    struct SubmissionTests {
        @Test func `a task submitted on any node is read from any other`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            for submitter in cluster.ids {
                let id = try cluster.client(submitter).submit(
                    "{\"handler\": \"echo\", \"payload\": {\"from\": \"\(submitter)\"}}")
                let ended = try cluster.client(submitter).awaitEnd(of: [id])[0]
                #expect(ended.state == "succeeded")
                for reader in cluster.ids {
                    let task = try cluster.client(reader).task(id)
                    #expect(task.raw == ended.raw, "read on \(reader)")
                    #expect(task["result"]?.source == "{\"from\": \"\(submitter)\"}")
                }
            }
        }

        @Test func `a linearizable read on any node sees what was just acknowledged on another`()
            throws
        {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let clients = cluster.ids.map { cluster.client($0) }
            for round in 0..<60 {
                let id = try clients[round % 3].submit("{\"handler\": \"echo\", \"delay\": \"1h\"}")
                #expect(try clients[(round + 1) % 3].task(id).state == "scheduled")
            }
        }

        @Test func `the same key on another node gives the first task`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let body = "{\"handler\": \"echo\", \"delay\": \"1h\"}"
            let first = try cluster.client("n1").send("POST", "/v1/tasks", body, key: "one")
            let second = try cluster.client("n2").send("POST", "/v1/tasks", body, key: "one")
            #expect(first.status == 201)
            #expect(second.status == 200)
            #expect(
                try JSONDocument(first.body).root["id"]?.string
                    == JSONDocument(second.body).root["id"]?.string)
        }

        private static let payloads = [
            "{\"n\":12345678901234567890, \"e\" : 1e400,\"z\":-0.0}",
            "{\"s\":\"\\u00e9\\u0000\\ud83d\\ude00\\/\\n\", \"t\":\"é😀\"}",
            "[ 1.0 , 1.00,\t1E+2,[],{} ]", "\"\"", "null", "17", "[[[[[[[[[[\"deep\"]]]]]]]]]]",
        ]

        @Test func `payloads come back byte for byte`() throws {
            let cluster = try ClusterFixture(nodes: 1)
            try cluster.startAll()
            let client = cluster.client()
            for payload in Self.payloads {
                let id = try client.submit("{\"handler\": \"echo\", \"payload\":  \(payload) }")
                let task = try client.awaitEnd(of: [id])[0]
                #expect(task["payload"]?.source == payload)
                #expect(task["result"]?.source == payload)
            }
        }

        @Test func `the command line submits, waits and shows`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            try cluster.kill(cluster.leader())
            let servers = cluster.members.map { "http://\($0.api)" }.joined(separator: ",")
            let console = Console(capturingAsTerminal: false)
            let status = CommandLineTool.run(
                [
                    "submit", "palindrome", "--payload", "{\"text\": \"Anna\"}", "--wait",
                    "--server",
                    servers,
                ], console: console)
            #expect(status == 0, "\(console.errors)")
            #expect(console.output.contains("true"))
            let failing = Console(capturingAsTerminal: false)
            #expect(
                CommandLineTool.run(
                    ["submit", "fail", "--attempts", "1", "--wait", "--server", servers],
                    console: failing) == 1)
            #expect(failing.errors.contains("ended dead"))
        }
    }
}
