import Foundation
import Testing

@testable import Node

extension ProcessTests {
    /// The protocol of attached workers on real nodes: section by section what docs/WORKERS.md promises.
    struct AttachedWorkerTests {
        private func attach(
            _ client: NodeClient, id: String = "w7", slots: Int = 2
        ) throws -> String {
            let answer = try client.json(
                "POST", "/v1/workers",
                "{\"id\": \"\(id)\", \"handlers\": [\"resize\"], \"slots\": \(slots)}")
            return try #require(answer["session"]?.string)
        }

        private func poll(
            _ client: NodeClient, _ session: String, wait: String = "20s"
        ) throws -> [(task: String, attempt: Int)] {
            let answer = try client.json(
                "GET", "/v1/workers/w7/assignments?session=\(session)&wait=\(wait)")
            return try (answer["items"]?.elements ?? []).map { item in
                (try #require(item["task"]?.string), Int(try #require(item["attempt"]?.integer)))
            }
        }

        private func heartbeat(
            _ client: NodeClient, _ session: String, running: [(task: String, attempt: Int)] = []
        ) throws -> ClientResponse {
            let items = running.map { "{\"task\": \"\($0.task)\", \"attempt\": \($0.attempt)}" }
            return try client.send(
                "POST", "/v1/workers/w7/heartbeat",
                "{\"session\": \"\(session)\", \"running\": [\(items.joined(separator: ","))]}")
        }

        private func finish(
            _ client: NodeClient, _ session: String, _ item: (task: String, attempt: Int)
        ) throws -> ClientResponse {
            try client.send(
                "POST", "/v1/tasks/\(item.task)/attempts/\(item.attempt)/finish",
                "{\"session\": \"\(session)\", \"outcome\": \"succeeded\", \"result\": true}")
        }

        @Test func `each request may go to another node`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let clients = cluster.ids.map { cluster.client($0) }
            let session = try attach(clients[0])
            for round in 0..<6 {
                let id = try clients[round % 3].submit("{\"handler\": \"resize\"}")
                let items = try poll(clients[(round + 1) % 3], session)
                try #require(items.map(\.task) == [id])
                let beat = try heartbeat(clients[(round + 2) % 3], session, running: items)
                #expect(beat.status == 200)
                let done = try finish(clients[(round + 2) % 3], session, items[0])
                #expect(done.status == 200)
                // What was reported elsewhere is not handed out here again.
                let rest = try poll(clients[round % 3], session, wait: "0s")
                #expect(rest.isEmpty)
                #expect(try clients[round % 3].task(id).state == "succeeded")
            }
        }

        @Test func `its attempt survives the node it talked to, be that the leader or not`() throws
        {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            for isLeader in [true, false] {
                let leader = try cluster.leader()
                let victim = try #require(cluster.ids.first { ($0 == leader) == isLeader })
                let others = cluster.ids.filter { $0 != victim }
                let session = try attach(cluster.client(victim))
                let id = try cluster.client(victim).submit("{\"handler\": \"resize\"}")
                let items = try poll(cluster.client(victim), session)
                try #require(items.map(\.task) == [id])
                try cluster.kill(victim)
                let client = cluster.client(others[0], others[1])
                try eventually("a heartbeat is heard again") {
                    let beat = try? heartbeat(client, session, running: items)
                    return beat?.status == 200
                }
                let done = try finish(client, session, items[0])
                #expect(done.status == 200, "\(String(decoding: done.body, as: UTF8.self))")
                #expect(try client.task(id).outcomes == ["succeeded"])
                try cluster.start(victim)
                try cluster.awaitReady([victim])
            }
        }

        @Test func `one that falls silent is lost, is fenced off, and comes back in a new session`()
            throws
        {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let client = cluster.client()
            let first = try attach(client)
            let id = try client.submit("{\"handler\": \"resize\"}")
            let items = try poll(client, first)
            try #require(items.count == 1)
            try eventually("it is lost") { try client.task(id).state == "ready" }
            #expect(try heartbeat(client, first, running: items).status == 409)
            #expect(try finish(client, first, items[0]).status == 409)
            let second = try attach(client)
            let again = try poll(client, second)
            #expect(again.map(\.attempt) == [2])
            #expect(try finish(client, first, again[0]).status == 409)
            #expect(try finish(client, second, again[0]).status == 200)
            #expect(try client.task(id).outcomes == ["lost", "succeeded"])
        }

        @Test func `a node's worker and an attached one work side by side`()
            throws
        {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let client = cluster.client()
            let session = try attach(client)
            let own = try client.submit("{\"handler\": \"echo\", \"payload\": 1}")
            let attached = try client.submit("{\"handler\": \"resize\"}")
            let items = try poll(client, session)
            #expect(items.map(\.task) == [attached])
            #expect(try finish(client, session, items[0]).status == 200)
            let ended = try client.awaitEnd(of: [own, attached])
            #expect(ended[1]["worker"]?.string == "w7")
            #expect(cluster.ids.contains(ended[0]["worker"]?.string ?? ""))
            let left = try client.send("DELETE", "/v1/workers/w7?session=\(session)")
            #expect(left.status == 204)
        }
    }
}
