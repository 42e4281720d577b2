import Foundation
import Testing

@testable import Node

extension ProcessTests {
    /// `carillon backup` and `carillon restore` with real processes.
    struct BackupProcessTests {
        private func restore(
            _ file: String, into cluster: ClusterFixture, _ id: String = "n1"
        ) throws -> (status: Int32?, text: String) {
            let result = try cluster.tool(
                [
                    "restore", file, "--config", cluster.configurationPath, "--id", id, "--data",
                    cluster.directory + "/data",
                ], servers: [])
            return (result.status, result.output)
        }

        private func backUp(_ cluster: ClusterFixture, to name: String = "state") throws -> String {
            let file = cluster.directory + "/" + name
            let result = try cluster.tool(["backup", file], servers: cluster.ids)
            try #require(result.status == 0, "\(result.output)")
            return file
        }

        @Test func `what was acknowledged before a backup is there after its restore`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let put = try cluster.client().send(
                "PUT", "/v1/schedules/tick",
                "{\"every\": \"1s\", \"task\": {\"handler\": \"echo\"}}")
            #expect(put.isSuccess)
            let load = SteadyLoad(connections: 4, endpoints: cluster.members.map(\.api))
            try load.awaitMore(400)
            let before = load.ids
            let ended = try cluster.client().awaitEnd(of: before.values.sorted())
            let file = cluster.directory + "/state"
            let servers = cluster.members.map { "http://\($0.api)" }.joined(separator: ",")
            let backup = try TestProcess(
                CarillonBinary.path(), ["backup", file, "--server", servers],
                output: cluster.directory + "/backup.log")
            try cluster.kill(cluster.leader())
            let ending = try backup.waitForEnd(withinSeconds: 120)
            load.stop()
            try #require(ending == .exited(0), "\(cluster.log("backup"))")
            #expect(load.failures.isEmpty, "\(load.failures.prefix(3))")
            try cluster.kill(cluster.ids)

            let restored = try ClusterFixture(cluster: "another")
            let result = try restore(file, into: restored)
            try #require(result.status == 0, "\(result.text)")
            try restored.startAll()
            let client = restored.client()
            for (task, old) in zip(try client.awaitEnd(of: before.values.sorted()), ended) {
                #expect(task.raw == old.raw)
            }
            // Keys are remembered: nothing is done a second time.
            for (key, id) in before.sorted(by: { $0.key < $1.key }).prefix(50) {
                let again = try client.submit(
                    "{\"handler\": \"echo\", \"payload\": \"\(key)\", \"key\": \"\(key)\"}",
                    key: key)
                #expect(again == id)
            }
            func occurrences() throws -> [String] {
                try client.tasks("&schedule=tick").compactMap { $0["schedule"]?.string }
            }
            let count = try occurrences().count
            try eventually("the schedule goes on") { try occurrences().count >= count + 2 }
            let all = try occurrences()
            #expect(Set(all).count == all.count)
            // From now on it is a cluster like any other.
            try restored.kill(restored.leader())
            _ = try restored.leader()
            _ = try client.submitSurely("{\"handler\": \"echo\"}", key: "afterwards")
        }

        @Test func `what ran at the backup runs again, or is dead if it may run once only`() throws
        {
            let cluster = try ClusterFixture(nodes: 1)
            try cluster.startAll()
            let body = "\"handler\": \"sleep\", \"payload\": {\"ms\": 600000}, \"timeout\": \"1h\""
            let again = try cluster.client().submit("{\(body)}")
            let once = try cluster.client().submit("{\(body), \"delivery\": \"atMostOnce\"}")
            try eventually("both run") {
                try [again, once].allSatisfy { try cluster.client().task($0).state == "running" }
            }
            let file = try backUp(cluster)
            try cluster.kill("n1")
            let restored = try ClusterFixture(nodes: 1)
            let result = try restore(file, into: restored)
            try #require(result.status == 0, "\(result.text)")
            try restored.startAll()
            let client = restored.client()
            try eventually("the second attempt runs, and the other task is dead") {
                let task = try client.task(again)
                let dead = try client.task(once).state == "dead"
                return dead && task.state == "running" && task["attempt"]?.integer == 2
            }
            let id = try client.submit("{\"handler\": \"echo\"}")
            #expect(try client.awaitEnd(of: [id])[0].state == "succeeded")
        }

        @Test func `a restored node leaves the old cluster alone while that lives`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let file = try backUp(cluster)
            let others = ["n2", "n3"]
            try cluster.kill("n1")
            let leader = try cluster.leader(among: others)
            try cluster.wipe("n1")
            let result = try restore(file, into: cluster)
            try #require(result.status == 0, "\(result.text)")
            try cluster.start("n1")
            try eventually("the node says what is wrong") {
                guard let reply = try? cluster.client("n1").send("GET", "/readyz") else {
                    return false
                }
                return reply.status == 503
                    && String(decoding: reply.body, as: UTF8.self).contains(
                        "restored from a backup to found a cluster, but there is one already")
            }
            let id = try cluster.client(leader).submit("{\"handler\": \"echo\"}")
            #expect(try cluster.client(leader).awaitEnd(of: [id])[0].state == "succeeded")
        }

        @Test func `a restored cluster is backed up and restored once more`() throws {
            let first = try ClusterFixture(nodes: 1)
            try first.startAll()
            let id = try first.client().submit("{\"handler\": \"echo\", \"delay\": \"1h\"}")
            var file = try backUp(first)
            try first.kill("n1")
            for _ in 0..<2 {
                let next = try ClusterFixture(nodes: 1)
                let result = try restore(file, into: next)
                try #require(result.status == 0, "\(result.text)")
                try next.startAll()
                #expect(try next.client().task(id).state == "scheduled")
                let copy = try backUp(next)
                file = FileManager.default.temporaryDirectory.path + "/" + UUID().uuidString
                try FileManager.default.moveItem(atPath: copy, toPath: file)
            }
            try FileManager.default.removeItem(atPath: file)
        }
    }
}
