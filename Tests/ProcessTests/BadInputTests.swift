import Foundation
import Testing

@testable import Node

extension ProcessTests {
    struct BadInputTests {
        private struct Case {
            let method: String
            let target: String
            var body = ""
            let statuses: [Int]
        }

        private static let manyTags =
            "[" + (0..<40).map { "\"t\($0)\"" }.joined(separator: ",") + "]"

        private static let cases: [Case] = [
            Case(method: "POST", target: "/v1/tasks", body: "", statuses: [400]),
            Case(method: "POST", target: "/v1/tasks", body: "{", statuses: [400]),
            Case(
                method: "POST", target: "/v1/tasks",
                body: "{\"handler\": \"a\", \"handler\": \"b\"}", statuses: [400]),
            Case(
                method: "POST", target: "/v1/tasks", body: String(repeating: "[", count: 10_000),
                statuses: [400]),
            Case(method: "POST", target: "/v1/tasks", body: "17", statuses: [400, 422]),
            Case(method: "POST", target: "/v1/tasks", body: "{}", statuses: [422]),
            Case(method: "POST", target: "/v1/tasks", body: "{\"handler\": 1}", statuses: [422]),
            Case(method: "POST", target: "/v1/tasks", body: "{\"handler\": \"\"}", statuses: [422]),
            Case(
                method: "POST", target: "/v1/tasks",
                body: "{\"handler\": \"echo\", \"dealy\": \"1s\"}", statuses: [422]),
            Case(
                method: "POST", target: "/v1/tasks",
                body: "{\"handler\": \"echo\", \"delay\": \"-1s\"}", statuses: [422]),
            Case(
                method: "POST", target: "/v1/tasks",
                body: "{\"handler\": \"echo\", \"delay\": \"1000y\"}", statuses: [422]),
            Case(
                method: "POST", target: "/v1/tasks",
                body: "{\"handler\": \"echo\", \"runAt\": \"yesterday\"}", statuses: [422]),
            Case(
                method: "POST", target: "/v1/tasks",
                body: "{\"handler\": \"echo\", \"priority\": 10}", statuses: [422]),
            Case(
                method: "POST", target: "/v1/tasks",
                body: "{\"handler\": \"echo\", \"retry\": {\"attempts\": 0}}", statuses: [422]),
            Case(
                method: "POST", target: "/v1/tasks",
                body: "{\"handler\": \"echo\", \"tags\": \(manyTags)}", statuses: [422]),
            Case(
                method: "POST", target: "/v1/tasks",
                body: "{\"handler\": \"echo\", \"delivery\": \"twice\"}", statuses: [422]),
            Case(method: "GET", target: "/v1/tasks/t999999999", statuses: [404]),
            Case(method: "GET", target: "/v1/tasks/%00%ff", statuses: [400, 404]),
            Case(method: "DELETE", target: "/v1/tasks/t999999999", statuses: [404]),
            Case(method: "POST", target: "/v1/tasks/nonsense/retry", statuses: [404]),
            Case(method: "GET", target: "/v1/tasks/t999999999/wait?timeout=1s", statuses: [404]),
            Case(method: "GET", target: "/v1/tasks?limit=0", statuses: [400, 422]),
            Case(method: "GET", target: "/v1/tasks?limit=1001", statuses: [400, 422]),
            Case(method: "GET", target: "/v1/tasks?limit=x", statuses: [400, 422]),
            Case(method: "GET", target: "/v1/tasks?state=deda", statuses: [400, 422]),
            Case(method: "GET", target: "/v1/tasks?cursor=%21", statuses: [400, 422]),
            Case(method: "GET", target: "/v1/tasks?satte=dead", statuses: [400, 422]),
            Case(method: "GET", target: "/v1/tasks?since=now", statuses: [400, 422]),
            Case(method: "PUT", target: "/v1/tasks", body: "{}", statuses: [405]),
            Case(method: "GET", target: "/v2/tasks", statuses: [404]),
            Case(method: "GET", target: "/../etc/passwd", statuses: [400, 404]),
            Case(method: "PUT", target: "/v1/schedules/s", body: "{", statuses: [400]),
            Case(method: "PUT", target: "/v1/schedules/s", body: "{}", statuses: [422]),
            Case(
                method: "PUT", target: "/v1/schedules/s",
                body: "{\"cron\": \"* *\", \"task\": {\"handler\": \"echo\"}}", statuses: [422]),
            Case(
                method: "PUT", target: "/v1/schedules/s",
                body:
                    "{\"cron\": \"0 0 * * *\", \"zone\": \"Mars/Base\", \"task\": {\"handler\": \"echo\"}}",
                statuses: [422]),
            Case(
                method: "PUT", target: "/v1/schedules/s",
                body: "{\"every\": \"0s\", \"task\": {\"handler\": \"echo\"}}", statuses: [422]),
            Case(
                method: "PUT", target: "/v1/schedules/s", body: "{\"every\": \"1s\"}",
                statuses: [422]),
            Case(method: "GET", target: "/v1/schedules/none", statuses: [404]),
            Case(method: "DELETE", target: "/v1/schedules/none", statuses: [404]),
            Case(method: "POST", target: "/v1/schedules/none/pause", statuses: [404]),
            Case(method: "POST", target: "/v1/schedules/none/trigger", statuses: [404]),
            Case(method: "GET", target: "/v1/schedules/none/preview", statuses: [404]),
            Case(method: "POST", target: "/v1/workers/none/drain", statuses: [404]),
            Case(method: "POST", target: "/v1/dead/retry?state=ready", statuses: [400, 422]),
            Case(
                method: "POST", target: "/v1/cluster/transfer", body: "{\"to\": \"n9\"}",
                statuses: [400, 404, 409, 422]),
            Case(method: "POST", target: "/metrics", statuses: [405]),
        ]

        @Test func `every bad input has its status, and the node lives on`() throws {
            let cluster = try ClusterFixture(nodes: 1)
            try cluster.startAll()
            let client = cluster.client()
            for item in Self.cases {
                let response = try client.send(item.method, item.target, item.body)
                let name = "\(item.method) \(item.target) \(item.body.prefix(80))"
                #expect(item.statuses.contains(response.status), "\(name): \(response.status)")
                #expect(
                    response.header("content-type")?.hasPrefix("application/problem+json") == true,
                    "\(name)")
                let problem = try JSONDocument(response.body).root
                #expect(problem["status"]?.integer == Int64(response.status), "\(name)")
                #expect(problem["title"]?.string != nil, "\(name)")
            }
            #expect(try client.tasks().isEmpty)
            #expect(try client.json("GET", "/v1/schedules")["items"]?.elements.isEmpty == true)
            try expectAlive(cluster)
        }

        @Test func `too much is refused early`() throws {
            let cluster = try ClusterFixture(nodes: 1)
            try cluster.startAll()
            let client = cluster.client()
            let payload = "\"" + String(repeating: "x", count: 1 << 20) + "\""
            let large = try client.send(
                "POST", "/v1/tasks", "{\"handler\": \"echo\", \"payload\": \(payload)}")
            #expect(large.status == 413 || large.status == 422)
            let many =
                "[" + String(repeating: "{\"handler\":\"echo\"},", count: 10_000)
                + "{\"handler\":\"echo\"}]"
            let status = try client.send("POST", "/v1/tasks", many).status
            #expect(status == 413 || status == 422)
            #expect(try client.tasks().isEmpty)
            try expectAlive(cluster)
        }

        @Test func `in a batch each task is judged on its own`() throws {
            let cluster = try ClusterFixture(nodes: 1)
            try cluster.startAll()
            let client = cluster.client()
            let lines =
                "{\"handler\": \"echo\"}\n{\"handler\": 1}\nnonsense\n{\"handler\": \"echo\"}\n"
            let response = try client.send(
                "POST", "/v1/tasks", lines, contentType: "application/x-ndjson")
            #expect(response.status == 200)
            let items = try JSONDocument(response.body).root["items"]?.elements ?? []
            #expect(items.map { $0["id"] != nil } == [true, false, false, true])
            #expect(items.map { $0["error"] != nil } == [false, true, true, false])
        }

        private static let nonsense = [
            "GARBAGE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /\u{0} HTTP/1.1\r\nHost: x\r\n\r\n",
            "POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
            "POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            "POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\n" + String(repeating: "X-A: b\r\n", count: 100_000)
                + "\r\n",
        ]

        @Test func `what is no HTTP is answered with 4xx or 5xx or closed, and the node lives on`()
            throws
        {
            let cluster = try ClusterFixture(nodes: 1)
            try cluster.startAll()
            for text in Self.nonsense {
                let reply = try Self.reply(to: text, cluster.members[0].api)
                #expect(
                    reply.isEmpty || reply.hasPrefix("HTTP/1.1 4") || reply.hasPrefix("HTTP/1.1 5"),
                    "\(text.prefix(60)): \(reply.prefix(60))")
                try expectAlive(cluster)
            }
        }

        /// What the node sends before it closes.
        private static func reply(to text: String, _ endpoint: Endpoint) throws -> String {
            let deadline = SystemClock.monotonicMilliseconds() + 30_000
            let socket = try ClientSocket.connect(to: endpoint, deadline: deadline)
            var reply: [UInt8] = []
            do throws(ClientError) {
                try socket.send(Array(text.utf8), deadline: deadline)
                while try socket.receive(into: &reply, deadline: deadline) {}
            } catch {
                // The node may close while it is still being written to.
                #expect(error != .timedOut, "\(text.prefix(60))")
            }
            return String(decoding: reply, as: UTF8.self)
        }

        private func expectAlive(_ cluster: ClusterFixture) throws {
            #expect(try cluster.client().send("GET", "/healthz").status == 200)
            let id = try cluster.client().submit("{\"handler\": \"echo\", \"payload\": 1}")
            #expect(try cluster.client().awaitEnd(of: [id])[0].state == "succeeded")
        }
    }
}
