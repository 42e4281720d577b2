import Foundation
import Testing

@testable import Node

extension ProcessTests {
    /// Large results and logs of real handlers, through every node of a cluster.
    struct ResultsProcessTests {
        private static let handlers = #"""
            "handlers": {
                "large": {"command": ["sh", "-c", "echo made >&2; printf '\"'; head -c 1000000 /dev/zero | tr '\\0' x; printf '\"'"]},
                "talk": {"command": ["sh", "-c", "echo attempt $CARILLON_ATTEMPT >&2; test $CARILLON_ATTEMPT = 2"]},
                "long": {"command": ["sh", "-c", "echo begun >&2; exec sleep 600"]}
            }
            """#

        @Test func `a large result comes through every node, until its own is gone`() throws {
            let cluster = try ClusterFixture()
            try cluster.configure(Self.handlers)
            try cluster.startAll()
            let client = cluster.client()
            let id = try client.submit("{\"handler\": \"large\"}")
            let task = try #require(try client.awaitEnd(of: [id]).first)
            #expect(task["state"]?.string == "succeeded", "\(task.source)")
            #expect(task["storedResult"]?["bytes"]?.integer == 1_000_002)
            let expected = "\"" + String(repeating: "x", count: 1_000_000) + "\""
            for node in cluster.ids {
                let reply = try cluster.client(node).send("GET", "/v1/tasks/\(id)/result")
                #expect(
                    reply.status == 200,
                    "\(String(decoding: reply.body.prefix(500), as: UTF8.self))")
                #expect(String(decoding: reply.body, as: UTF8.self) == expected)
            }
            let printed = try cluster.tool(["task", "result", id], servers: cluster.ids)
            #expect(printed.status == 0)
            #expect(printed.output == expected + "\n")
            // The command line names a namespace by a header, which goes along to the node that has the file.
            let made = try client.json(
                "POST", "/v1/namespaces/shop/tasks", "{\"handler\": \"large\"}")
            let other = try #require(made["id"]?.string)
            for node in cluster.ids {
                let arguments = ["--namespace", "shop", "task"]
                let end = try cluster.tool(arguments + ["wait", other], servers: [node])
                #expect(end.status == 0, "\(end.output)")
                let shown = try cluster.tool(arguments + ["result", other], servers: [node])
                #expect(shown.output == expected + "\n")
            }
            let owner = try #require(task["storedResult"]?["node"]?.string)
            let asked = try #require(cluster.ids.first { $0 != owner })
            try cluster.kill(owner)
            try eventually("its node is missed") {
                var request = ClientRequest.get("/v1/tasks/\(id)/result?timeout=2s")
                request.isRepeatable = false
                let reply = try? cluster.client(asked).send(request)
                return reply?.status == 503
                    && String(decoding: reply?.body ?? [], as: UTF8.self).contains(
                        "urn:carillon:problem:unreachable")
            }
            try cluster.start(owner)
            try eventually("it is there again") {
                let reply = try? cluster.client(asked).send("GET", "/v1/tasks/\(id)/result")
                return reply?.status == 200
            }
        }

        @Test func `logs of attempts come through every node`() throws {
            let cluster = try ClusterFixture()
            try cluster.configure(Self.handlers)
            try cluster.startAll()
            let client = cluster.client()
            let id = try client.submit("{\"handler\": \"talk\", \"retry\": {\"initial\": \"1ms\"}}")
            _ = try client.awaitEnd(of: [id])
            for node in cluster.ids {
                for attempt in 1...2 {
                    let reply = try cluster.client(node).send(
                        "GET", "/v1/tasks/\(id)/logs?attempt=\(attempt)")
                    #expect(
                        String(decoding: reply.body, as: UTF8.self) == "attempt \(attempt)\n")
                }
            }
            let printed = try cluster.tool(["task", "logs", id], servers: cluster.ids)
            #expect(printed.output == "attempt 2\n")
            let none = try cluster.tool(
                ["task", "logs", id, "--attempt", "3"], servers: cluster.ids)
            #expect(none.status == 1)
            #expect(none.output.contains("left no log"), "\(none.output)")
            let long = try client.submit("{\"handler\": \"long\"}")
            for node in cluster.ids {
                try eventually("what runs is heard through \(node)") {
                    let reply = try cluster.client(node).send("GET", "/v1/tasks/\(long)/logs")
                    return String(decoding: reply.body, as: UTF8.self) == "begun\n"
                }
            }
            _ = try client.json("DELETE", "/v1/tasks/\(long)")
        }
    }
}
