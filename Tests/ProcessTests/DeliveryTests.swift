import Foundation
import Testing

@testable import Node

extension ProcessTests {
    /// How tasks end: told of, together, and over restarts.
    struct DeliveryTests {
        private func cluster(_ members: String) throws -> ClusterFixture {
            let cluster = try ClusterFixture()
            let text = ClusterFixture.configuration(cluster: "test", members: cluster.members)
            try cluster.writeConfiguration(text.dropLast() + "," + members + "}")
            try cluster.startAll()
            return cluster
        }

        @Test func `whoever wants to know of an end is told, signed, until it takes it`() throws {
            let receiver = try WebhookReceiver()
            defer { receiver.stop() }
            let cluster = try cluster(#""webhooks": {"secret": "s3cret"}"#)
            let client = cluster.client(try cluster.leader())
            let url = "http://127.0.0.1:\(receiver.port)/"
            _ = try client.json("PUT", "/v1/queues/frail", "{\"errorWebhook\": \"\(url)\"}")
            let fine = try client.submit(
                "{\"handler\": \"echo\", \"payload\": {\"a\": [1]}, \"webhook\": \"\(url)\"}")
            let dead = try client.submit(
                #"{"handler": "fail", "queue": "frail", "retry": {"attempts": 1}}"#)
            var deliveries: [JSONValue] = []
            try eventually("both deliveries succeed") {
                deliveries = try client.tasks("&handler=webhook")
                return deliveries.count == 2 && deliveries.allSatisfy { $0.state == "succeeded" }
            }
            for delivery in deliveries {
                #expect(delivery.outcomes == ["failed", "succeeded"], "\(delivery.source)")
                let id = try #require(delivery["id"]?.string)
                let received = receiver.deliveries.filter { $0.id == id }
                #expect(received.count == 2, "refused once, and then taken")
                let last = try #require(received.last)
                try expectSignature(of: last)
                let body = try JSONDocument(Array(last.body.utf8)).root
                let subject = try #require(body["id"]?.string)
                #expect(delivery["meta"]?["task"]?.string == subject)
                #expect(body["task"]?["id"]?.string == subject)
                let isDead = subject == dead
                #expect(subject == fine || isDead)
                #expect(body["type"]?.string == (isDead ? "task.dead" : "task.succeeded"))
                let error = body["task"]?["error"]?["kind"]?.string
                #expect(error == (isDead ? "error" : nil))
            }
        }

        private func expectSignature(of delivery: WebhookReceiver.Delivery) throws {
            let seconds = delivery.signature.dropFirst(2).prefix { $0 != "," }
            let code = HMAC.sha256(
                key: Array("s3cret".utf8), Array("\(seconds).\(delivery.body)".utf8))
            #expect(delivery.signature == "t=\(seconds),v1=\(code.hexadecimal)")
        }

        @Test func `tasks of one handler run together, each with an answer of its own`() throws {
            let script = """
                while read -r line; do task=${line#*:\\"}; task=${task%%\\"*}; \
                case $line in *bad*) echo "{\\"task\\":\\"$task\\",\\"error\\":\\"bad\\",\\"retry\\":false}";; \
                *) echo "{\\"task\\":\\"$task\\",\\"result\\":$CARILLON_BATCH}";; esac; done
                """
            var writer = JSONWriter()
            writer.string(script)
            // One worker with room for two batches, and tasks for six: every batch is full, however slow the machine is.
            let cluster = try ClusterFixture(nodes: 1, slots: 8)
            try cluster.configure(
                #""handlers": {"sum": {"command": ["/bin/sh", "-c", \#(writer.text)], "#
                    + #""batch": {"max": 4, "linger": "1m"}}}"#)
            try cluster.startAll()
            let client = cluster.client(beginningWith: 0)
            let items = (0..<24).map {
                "{\"handler\": \"sum\", \"payload\": \($0 == 7 ? "\"bad\"" : "1")}"
            }
            let reply = try client.json("POST", "/v1/tasks", "[\(items.joined(separator: ","))]")
            let ids = (reply["items"]?.elements ?? []).compactMap { $0["id"]?.string }
            try #require(ids.count == 24)
            let tasks = try client.awaitEnd(of: ids)
            #expect(tasks[7].state == "dead" && tasks[7]["error"]?["message"]?.string == "bad")
            let good = tasks.enumerated().filter { $0.offset != 7 }.map(\.element)
            #expect(good.allSatisfy { $0.state == "succeeded" && $0.outcomes == ["succeeded"] })
            #expect(good.map { $0["result"]?.integer } == Array(repeating: 4, count: 23))
        }

        @Test func `a rolling restart repeats no attempt`() throws {
            // Its tasks end when the file is there that their payload names.
            let cluster = try ClusterFixture()
            try cluster.configure(
                #""handlers": {"gated": {"command": ["sh", "-c", "read -r gate; gate=${gate#?}; gate=${gate%?}; "#
                    + #"until [ -e \"$0/$gate\" ]; do sleep 0.1; done", "\#(cluster.directory)"]}}"#
            )
            try cluster.startAll()
            let client = cluster.client(beginningWith: 0)
            var ids: [String] = []
            func submit(_ count: Int, _ gate: String) throws {
                for _ in 0..<count {
                    let delivery = ids.count % 2 == 0 ? "atLeastOnce" : "atMostOnce"
                    ids.append(
                        try client.submitSurely(
                            "{\"handler\": \"gated\", \"payload\": \"\(gate)\", \"delivery\": \"\(delivery)\"}",
                            key: "key-\(ids.count)"))
                }
            }
            for id in cluster.ids {
                try submit(16, id)
                try eventually("\(id) has something to do") {
                    try !client.tasks("&state=running&worker=\(id)").isEmpty
                }
                cluster.signal(id, SIGTERM)
                let others = NodeClient(cluster.members.filter { $0.id != id }.map(\.api))
                try eventually("\(id) drains") {
                    try others.json("GET", "/v1/workers/\(id)").state == "draining"
                }
                try Data().write(to: URL(fileURLWithPath: cluster.directory + "/" + id))
                let ending = try cluster.waitForEnd(id)
                #expect(ending == .exited(0), "\(cluster.log(id).suffix(2000))")
                try submit(4, id)
                try cluster.start(id)
                try cluster.awaitReady([id])
            }
            for task in try client.awaitEnd(of: ids) {
                #expect(task.outcomes == ["succeeded"], "\(task.source)")
            }
        }

        @Test func `what can't end in time is handed back, and runs elsewhere`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let client = cluster.client(beginningWith: 0)
            let id = try client.submit(#"{"handler": "sleep", "payload": {"ms": 600000}}"#)
            try eventually("it runs") { try client.task(id).state == "running" }
            let worker = try #require(try client.task(id)["worker"]?.string)
            // The second signal says that the grace is over.
            cluster.signal(worker, SIGTERM)
            let others = NodeClient(cluster.members.filter { $0.id != worker }.map(\.api))
            try eventually("it drains") {
                let workers = try others.json("GET", "/v1/workers")["items"]?.elements ?? []
                return workers.contains { $0["id"]?.string == worker && $0.state == "draining" }
            }
            let ending = try cluster.terminate(worker)
            #expect(ending == .exited(0), "\(cluster.log(worker).suffix(2000))")
            try eventually("it runs elsewhere") {
                try others.task(id).outcomes == ["returned", "running"]
            }
            #expect(try others.task(id)["worker"]?.string != worker)
        }
    }
}
